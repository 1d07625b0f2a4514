"""What payment refuses."""

from typing import ClassVar

import attrs

from eckit.kernel.errors import ConflictError, PluginError, RefusedError


@attrs.define(kw_only=True, eq=False)
class UnknownMethodError(RefusedError):
    """No plugin of this shop offers such a way to pay."""

    code: ClassVar[str] = "payment-unknown-method"
    method: str = ""


@attrs.define(kw_only=True, eq=False)
class GatewayMissingError(PluginError):
    """The plugin this payment was begun with is not there any more. The payment stays readable and is not lost."""

    code: ClassVar[str] = "payment-gateway-missing"
    method: str = ""


@attrs.define(kw_only=True, eq=False)
class UnsuitableGatewayError(PluginError):
    """A gateway declares what the core cannot work with; the shop does not start."""

    code: ClassVar[str] = "payment-unsuitable-gateway"


@attrs.define(kw_only=True, eq=False)
class AmountNotAcceptedError(RefusedError):
    """The method does not take this currency, or not so little, or not so much. Amounts carry their currency."""

    code: ClassVar[str] = "payment-amount-not-accepted"
    method: str = ""
    amount: str = ""
    least: str = ""
    most: str = ""


@attrs.define(kw_only=True, eq=False)
class TooMuchError(RefusedError):
    """More is to be captured or refunded than is left; ``left_minor`` is what could be, in ``currency``."""

    code: ClassVar[str] = "payment-too-much"
    kind: str = ""
    asked: str = ""
    left: str = ""
    left_minor: int = 0
    currency: str = ""


@attrs.define(kw_only=True, eq=False)
class UnsupportedOperationError(RefusedError):
    """The gateway does not declare that it can do this."""

    code: ClassVar[str] = "payment-unsupported"
    method: str = ""
    kind: str = ""


@attrs.define(kw_only=True, eq=False)
class OperationOpenError(ConflictError):
    """Another operation of this payment is under way; look again when it has ended."""

    code: ClassVar[str] = "payment-operation-open"
    kind: str = ""
    state: str = ""


@attrs.define(kw_only=True, eq=False)
class PaymentInDoubtError(RefusedError):
    """Nobody knows yet what an earlier operation did; until that is found out no money is moved."""

    code: ClassVar[str] = "payment-in-doubt"
    kind: str = ""


@attrs.define(kw_only=True, eq=False)
class AttemptOpenError(RefusedError):
    """An attempt to pay another way is still open; it must be closed before a second one is begun."""

    code: ClassVar[str] = "payment-attempt-open"
    method: str = ""
    state: str = ""


@attrs.define(kw_only=True, eq=False)
class NotPayableError(RefusedError):
    """The order was canceled: no money is taken for it."""

    code: ClassVar[str] = "payment-not-payable"
    state: str = ""


@attrs.define(kw_only=True, eq=False)
class RequestChangedError(RefusedError):
    """A reference that was used for one request must not be used for another. A mistake of the program."""

    code: ClassVar[str] = "payment-request-changed"
    reference: str = ""


@attrs.define(kw_only=True, eq=False)
class NotWaitingForEvidenceError(RefusedError):
    """Only an operation that recovery gave up on takes a person's evidence."""

    code: ClassVar[str] = "payment-no-evidence-wanted"
    state: str = ""
