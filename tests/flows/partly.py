"""An order that leaves in parts: what tests of it share."""

import datetime as dt
from typing import Any, Final

import attrs
import pytest

from eckit.order import Order
from tests.payment.fakes import CAPABILITIES
from tests.payment.support import Payments

HOUR: Final = dt.timedelta(hours=1)


def gateway(**facts: Any) -> pytest.MarkDecorator:
    """The shop's gateway declares this."""
    return pytest.mark.parametrize("shop", [attrs.evolve(CAPABILITIES, **facts)], indirect=True, ids=[""])


def paid(shop: Payments) -> Order:
    """An order of 1,000, reserved."""
    placed = shop.place()
    shop.take(placed)
    return placed


def moved(shop: Payments) -> tuple[int, int, int]:
    """Captured, voided and refunded at the provider."""
    captured, voided, refunded = (shop.ledger.total(kind) for kind in ("capture", "void", "refund"))
    return captured, voided, refunded
