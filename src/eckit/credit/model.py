"""Gift cards, store credit and points: the room is kept; nothing is built on it yet."""

import attrs

from eckit.kernel.ids import CustomerId


@attrs.frozen(kw_only=True)
class CreditTake:
    """Credit a quote takes; always empty until accounts exist."""

    account: str
    customer_id: CustomerId | None
    amount_minor: int
