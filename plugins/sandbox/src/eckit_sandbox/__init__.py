"""The sandbox payment plugin: an offline card provider in a process of its own, and the gateway that talks to it."""
