"""What gateways answer: a closed sum type in which "we do not know" is a member, and the provider's own view.

Instants are of the years 2000 to 2200, spans are of 0 to 366 days, and texts are such that a database holds them. An
answer with others is no answer; only words for people (codes, causes, reasons, a status) are mended instead.
"""

import datetime as dt
from collections.abc import Mapping

import attrs
from moneyed import Money

from eckit.kernel.errors import Problem
from eckit.kernel.freezing import frozen_map


@attrs.frozen(kw_only=True)
class Authorized:
    """Money is reserved."""

    money: Money
    movement_ref: str
    provider_ref: str
    at: dt.datetime
    expires_at: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class Captured:
    """Money is taken; ``finality`` is provisional or final."""

    money: Money
    movement_ref: str
    provider_ref: str
    at: dt.datetime
    finality: str = "final"


@attrs.frozen(kw_only=True)
class Voided:
    """Reserved money is released."""

    money: Money
    movement_ref: str
    provider_ref: str
    at: dt.datetime


@attrs.frozen(kw_only=True)
class Refunded:
    """Taken money is given back."""

    money: Money
    movement_ref: str
    provider_ref: str
    at: dt.datetime


@attrs.frozen(kw_only=True)
class RefundPending:
    """The provider is giving it back; not done yet."""

    money: Money
    movement_ref: str
    provider_ref: str
    arrives_at: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class Redirect:
    """Send the buyer's browser there."""

    url: str
    method: str = "GET"
    fields: Mapping[str, str] = attrs.field(converter=frozen_map, factory=dict, hash=False)


@attrs.frozen(kw_only=True)
class Voucher:
    """Numbers to pay with at a store, until a deadline."""

    numbers: tuple[tuple[str, str], ...]
    url: str | None
    stores: tuple[str, ...]
    deadline: dt.datetime


@attrs.frozen(kw_only=True)
class BankInstructions:
    """Where to transfer, under which reference, until when."""

    account: str
    payer_reference: str
    deadline: dt.datetime


@attrs.frozen(kw_only=True)
class ActionRequired:
    """The buyer must act."""

    action: Redirect | Voucher | BankInstructions
    provider_ref: str
    expires_at: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class Pending:
    """The provider is working on it."""

    reason: str
    provider_ref: str | None = None
    check_after: dt.timedelta | None = None


@attrs.frozen(kw_only=True)
class Declined:
    """A definite no; no money moved.

    :ivar code: of the standard list: insufficient_funds, expired_card, do_not_honor, lost_card, fraud,
        authentication_failed, other. :ivar retry: same, other, never.
    """

    code: str
    raw_code: str = ""
    retry: str = "other"


@attrs.frozen(kw_only=True)
class Rejected:
    """Not sent, or refused as malformed: our fault."""

    problems: tuple[Problem, ...]


@attrs.frozen(kw_only=True)
class NotSent:
    """Certainly nothing left: safe to send again with the same reference."""

    cause: str
    retry_after: dt.timedelta | None = None


@attrs.frozen(kw_only=True)
class InDoubt:
    """It may have happened."""

    cause: str
    cancel_by: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class Expired:
    """The attempt is closed without money."""

    at: dt.datetime


@attrs.frozen(kw_only=True)
class Unsupported:
    """Not declared in the capabilities; the core answers this itself."""

    what: str


Outcome = (
    Authorized
    | Captured
    | Voided
    | Refunded
    | RefundPending
    | ActionRequired
    | Pending
    | Declined
    | Rejected
    | NotSent
    | InDoubt
    | Expired
    | Unsupported
)


@attrs.frozen(kw_only=True)
class SnapshotMovement:
    """A movement as the provider tells it.

    :ivar kind: authorize, capture, void, refund, refund_failed, capture_reversed, dispute, dispute_won, dispute_lost.
    :ivar movement_ref: the provider's id of it, or built from facts that differ per movement.
    :ivar reference: our operation's reference, where the provider keeps it.
    """

    kind: str
    money: Money
    movement_ref: str
    at: dt.datetime
    reference: str = ""
    finality: str = "final"


@attrs.frozen(kw_only=True)
class Snapshot:
    """The provider's view of one payment.

    :ivar status: authorized, captured, voided, declined, expired, waiting_buyer, waiting_provider; a word for people
        and for operations that move nothing: amounts come from the movements only.
    :ivar account, mode: must equal those of the attempt.
    """

    begin_reference: str
    provider_ref: str
    status: str
    movements: tuple[SnapshotMovement, ...] = ()
    decline: Declined | None = None
    account: str = ""
    mode: str = ""
    deadline: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class NoSuchPayment:
    """The provider does not know it (yet)."""


@attrs.frozen(kw_only=True)
class QueryFailed:
    """The question itself failed; nothing is known."""

    cause: str
