"""Will decide what gift cards, store credit and points may pay. The room is kept; nothing is built on it yet."""

from eckit.credit.model import CreditTake

__all__ = ["CreditTake"]
