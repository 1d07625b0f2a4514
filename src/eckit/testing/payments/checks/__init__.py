"""The checks, by group; importing this registers them."""

from eckit.testing.payments.checks import configuration, declaration

__all__ = ["configuration", "declaration"]
