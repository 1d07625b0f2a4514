"""Decides where it is sold and by whom: channels, markets, sellers, legal entities, and others' ids of what is ours."""

from eckit.channel.errors import LinkedElsewhereError, SetupCodeTakenError
from eckit.channel.model import (
    Channel,
    ChannelChanged,
    ExternalRef,
    LegalEntity,
    Market,
    Registration,
    RoundingPolicy,
    Seller,
    Setup,
)

__all__ = [
    "Channel",
    "ChannelChanged",
    "ExternalRef",
    "LegalEntity",
    "LinkedElsewhereError",
    "Market",
    "Registration",
    "RoundingPolicy",
    "Seller",
    "Setup",
    "SetupCodeTakenError",
]
