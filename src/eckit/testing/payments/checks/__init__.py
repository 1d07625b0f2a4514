"""The checks, by group; importing this registers them."""

from eckit.testing.payments.checks import (
    configuration,
    declaration,
    doubt,
    hostile,
    model,
    money_back,
    notices,
    once,
    races,
    recovery,
    safety,
    secrets,
    table,
)

__all__ = [
    "configuration",
    "declaration",
    "doubt",
    "hostile",
    "model",
    "money_back",
    "notices",
    "once",
    "races",
    "recovery",
    "safety",
    "secrets",
    "table",
]
