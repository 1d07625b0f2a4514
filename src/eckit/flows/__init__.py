"""One file per operation that needs several capabilities, named by its verb. Verbs of different capabilities meet here only."""
