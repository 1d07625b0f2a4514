"""What a gateway is asked: frozen, with final references, and no type that can hold a card number."""

import datetime as dt
import enum
from collections.abc import Mapping
from typing import Any

import attrs
from moneyed import Money

from eckit.kernel.cards import contains_card
from eckit.kernel.errors import invalid
from eckit.kernel.freezing import frozen_map
from eckit.kernel.ids import PaymentId
from eckit.kernel.secrets import Secret


class OperationKind(enum.Enum):
    """What is done to a payment."""

    BEGIN = "begin"
    RESUME = "resume"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


@attrs.frozen(kw_only=True)
class CardToken:
    """A one-time token of the provider's own page; never a card number, never stored.

    :raises InvalidInputError: ``card-number``: the text contains one.
    """

    token: Secret = attrs.field()

    @token.validator
    def _no_card(self, _: Any, value: Secret) -> None:
        if contains_card(value.reveal()):
            raise invalid("card-number", "instrument.token", "[removed]")


@attrs.frozen(kw_only=True)
class StoredInstrument:
    """An instrument kept at the provider, by its reference there."""

    reference: str


Instrument = CardToken | StoredInstrument


@attrs.frozen(kw_only=True)
class Browser:
    """What the buyer's browser said, as some schemes need it; handed through, not stored."""

    accept: str = ""
    user_agent: str = ""
    ip: str = ""


@attrs.frozen(kw_only=True)
class Buyer:
    """Who pays, as far as the gateway declared that it needs it."""

    name: str = ""
    kana: str = ""
    email: str = ""
    phone: str = ""
    country: str = ""


@attrs.frozen(kw_only=True)
class KnownMovement:
    """A movement known so far, as told to a gateway."""

    kind: str
    amount: Money
    movement_ref: str


@attrs.frozen(kw_only=True)
class Operation:
    """What every operation carries.

    :ivar reference: our final reference for it, chosen before sending, kept over every repetition.
    :ivar money: what is to be moved.
    :ivar previous: movements known so far.
    """

    payment_id: PaymentId
    seq: int
    reference: str
    begin_reference: str
    provider_ref: str | None
    money: Money
    previous: tuple[KnownMovement, ...] = ()
    deadline: dt.datetime | None = None
    locale: str = "en"


@attrs.frozen(kw_only=True)
class Begin(Operation):
    """Authorize, or sell, or issue a voucher.

    :ivar capture: take the money at once instead of reserving it.
    """

    instrument: Instrument | None = None
    buyer: Buyer = Buyer()
    return_url: str | None = None
    browser: Browser | None = None
    capture: bool = False


@attrs.frozen(kw_only=True)
class Resume(Operation):
    """The buyer came back; ``parameters`` are hints only."""

    parameters: Mapping[str, str] = attrs.field(converter=frozen_map, factory=dict, hash=False)


@attrs.frozen(kw_only=True)
class Capture(Operation):
    """Take reserved money."""


@attrs.frozen(kw_only=True)
class Void(Operation):
    """Release reserved money."""


@attrs.frozen(kw_only=True)
class Refund(Operation):
    """Give taken money back."""


@attrs.frozen(kw_only=True)
class Query:
    """What is there? Asked by our references."""

    payment_id: PaymentId
    begin_reference: str
    provider_ref: str | None
    currency: str
