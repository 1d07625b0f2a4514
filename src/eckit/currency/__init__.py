"""Decides what money of one currency is worth in another: dated rates from plugins, kept as evidence, rounded once."""

from eckit.currency.errors import RateUnavailableError
from eckit.currency.model import Rate, RateSource

__all__ = ["Rate", "RateSource", "RateUnavailableError"]
