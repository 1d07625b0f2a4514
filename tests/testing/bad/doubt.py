"""C. In doubt: knows what nobody can know."""

from collections.abc import Mapping
from typing import Any, Final

from eckit import (
    Authorized,
    Begin,
    Capture,
    Captured,
    Declined,
    GatewayIo,
    InDoubt,
    NoSuchPayment,
    Operation,
    Pending,
    Query,
    QueryFailed,
    Refund,
    Refunded,
    Snapshot,
    Void,
    Voided,
)
from eckit.payment import Outcome
from eckit_sandbox import translate
from eckit_sandbox.client import Client, MaybeSentError, NotSentError, Reply
from tests.testing.bad.once import BadOnce
from tests.testing.bad.switched import BadSettings


class BadDoubt(BadOnce):
    """Knows what nobody can know."""

    def __init__(self, settings: BadSettings) -> None:
        super().__init__(settings)
        self._failed: set[str] = set()

    def _ask(self, io: GatewayIo, op: Operation, send: Any, read: Any, kind: str) -> Outcome:
        def noted(client: Client) -> Reply:
            try:
                reply: Reply = send(client)
            except NotSentError:
                if self._is("C.refused_is_doubt"):
                    raise MaybeSentError("connect") from None
                raise
            except MaybeSentError as error:
                raise _BrokenError(error) from error
            return reply

        def understood(body: Mapping[str, Any]) -> Outcome:
            try:
                outcome: Outcome = read(body)
            except translate.UnreadableError:
                if self._is("C.unknown_word_crashes"):
                    raise KeyError("status") from None
                if self._is("C.unknown_word_is_declined"):
                    return DECLINED
                raise
            return outcome

        try:
            outcome = super()._ask(io, op, noted, understood, kind)
            if isinstance(outcome, Pending) and self._is("C.pending_is_declined"):
                return DECLINED
            return outcome
        except _BrokenError as broken:
            return self._broken(op, broken.error, io)

    def _broken(self, op: Operation, error: MaybeSentError, io: GatewayIo) -> Outcome:
        network, cause = error.__cause__, str(error)
        if getattr(network, "reason", "") == "timeout" and self._is("C.timeout_is_declined"):
            return DECLINED
        if getattr(network, "reason", "") == "connection" and self._is("C.dropped_is_declined"):
            return DECLINED
        if error.status is not None and error.status >= 500:
            return self._server_error(op, cause)
        if cause == "the answer is not JSON" and self._is("C.page_is_declined"):
            return DECLINED
        if cause == "the answer cannot be read" and self._is("C.unreadable_is_success"):
            return self._made_up(op, io)
        return InDoubt(cause=cause)

    def _server_error(self, op: Operation, cause: str) -> Outcome:
        if self._is("C.server_error_is_declined"):
            return DECLINED
        if op.reference in self._failed and self._is("C.second_error_is_declined"):
            return DECLINED
        self._failed.add(op.reference)
        return InDoubt(cause=cause)

    @staticmethod
    def _made_up(op: Operation, io: GatewayIo) -> Outcome:
        facts = {
            "money": op.money,
            "movement_ref": op.reference,
            "provider_ref": op.provider_ref or "p",
            "at": io.now(),
        }
        if isinstance(op, Begin):
            return Authorized(**facts)
        kinds: dict[type[Operation], Any] = {Capture: Captured, Void: Voided, Refund: Refunded}
        outcome: Outcome = kinds.get(type(op), Captured)(**facts)
        return outcome

    def query(self, io: GatewayIo, q: Query) -> Snapshot | NoSuchPayment | QueryFailed:
        found = super().query(io, q)
        if (
            isinstance(found, QueryFailed)
            and found.cause.startswith("status 5")
            and self._is("C.failed_query_is_absence")
        ):
            return NoSuchPayment()
        if (
            isinstance(found, QueryFailed)
            and found.cause.startswith("unreadable")
            and self._is("C.unread_query_crashes")
        ):
            raise KeyError("status")
        if isinstance(found, Snapshot) and self._is("C.query_finds_nothing"):
            return NoSuchPayment()
        return found


class _BrokenError(Exception):
    """A MaybeSentError on its way past the good gateway's own handling."""

    def __init__(self, error: MaybeSentError) -> None:
        super().__init__(str(error))
        self.error = error


DECLINED: Final = Declined(code="other", raw_code="error")
