"""One file per operation that needs several capabilities, named by its verb: here, and only here, their verbs meet."""
