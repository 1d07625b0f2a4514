"""The checks, by group; importing this registers them."""

from eckit.testing.payments.checks import configuration, declaration, once, races

__all__ = ["configuration", "declaration", "once", "races"]
