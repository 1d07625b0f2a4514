"""The checks, by group; importing this registers them."""

from eckit.testing.payments.checks import configuration, declaration, doubt, once, races, recovery

__all__ = ["configuration", "declaration", "doubt", "once", "races", "recovery"]
