"""What happened to a payment."""

from typing import ClassVar

import attrs

from eckit.kernel.events import Event
from eckit.kernel.ids import OrderId, PaymentId
from eckit.kernel.refs import Ref


@attrs.frozen(kw_only=True)
class PaymentEvent(Event):
    """Base of payment events; ``payment_changed`` hears them all."""

    payment_id: PaymentId
    order_id: OrderId
    amount_minor: int
    currency: str

    @property
    def subject(self) -> Ref:
        """The payment."""
        return Ref("payment", self.payment_id)


@attrs.frozen(kw_only=True)
class PaymentAuthorized(PaymentEvent):
    """Money is reserved."""

    name: ClassVar[str] = "payment.authorized"


@attrs.frozen(kw_only=True)
class PaymentCaptured(PaymentEvent):
    """Money is taken."""

    name: ClassVar[str] = "payment.captured"


@attrs.frozen(kw_only=True)
class PaymentVoided(PaymentEvent):
    """Reserved money is released."""

    name: ClassVar[str] = "payment.voided"


@attrs.frozen(kw_only=True)
class PaymentRefunded(PaymentEvent):
    """Money is given back."""

    name: ClassVar[str] = "payment.refunded"


@attrs.frozen(kw_only=True)
class PaymentDeclined(PaymentEvent):
    """The provider said no."""

    name: ClassVar[str] = "payment.declined"
    decline_code: str


@attrs.frozen(kw_only=True)
class PaymentInDoubt(PaymentEvent):
    """It may have happened; recovery is asking."""

    name: ClassVar[str] = "payment.in_doubt"


@attrs.frozen(kw_only=True)
class PaymentNeedsHuman(PaymentEvent):
    """Recovery gave up; a person must find evidence."""

    name: ClassVar[str] = "payment.needs_human"


@attrs.frozen(kw_only=True)
class PaymentApplied(PaymentEvent):
    """Money of a payment was applied to its order."""

    name: ClassVar[str] = "payment.applied"


@attrs.frozen(kw_only=True)
class LateMoney(PaymentEvent):
    """Money arrived for an order that no longer waits for it."""

    name: ClassVar[str] = "payment.late"


GIVE_BACK = "give_back"
REVIVE = "revive"
