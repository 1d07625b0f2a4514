"""Ask one gateway one thing, with no transaction open: the only place where payment touches the outside."""

import datetime as dt
import email.utils
import functools
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import attrs

from eckit.kernel.cards import mask_cards
from eckit.kernel.clock import Clock
from eckit.kernel.errors import PluginError, RefusedError
from eckit.kernel.http import GuardedClient, Timeouts
from eckit.kernel.plugins import ConversationTimeoutError, Registered
from eckit.kernel.text import strip_controls
from eckit.kernel.work import Begin
from eckit.payment import rules, service as payments
from eckit.payment.errors import GatewayMissingError
from eckit.payment.model import (
    Capabilities,
    Captures,
    Gateway,
    NoSuchPayment,
    OperationKind,
    Outcome,
    Payment,
    QueryFailed,
    Refunds,
    Resumes,
    Scrubs,
    Snapshot,
    StoredOperation,
    Unsupported,
    Voids,
)

_log = logging.getLogger("eckit.payment.gateway")

TOLERATED_SKEW_S: Final = 120
"""Seconds this machine's clock may be off a provider's before it is worth a warning."""


@attrs.define(kw_only=True, eq=False)
class TooLateToSendError(RefusedError):
    """The call was given up on; what has not left by now must not leave any more."""

    code: ClassVar[str] = "payment-too-late-to-send"


class Io:
    """What a gateway may use during one call. Knows whether bytes may have left; once closed, none can.

    Closing and marking exclude each other: what is called "not sent" cannot leave afterwards.
    """

    def __init__(self, client: Callable[[], GuardedClient], clock: Clock, scrub: Callable[[str], str]) -> None:
        self._client = client
        self._clock = clock
        self._scrub = scrub
        self._lock = threading.Lock()
        self._sent = False
        self._closed = False

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes, timeout_s: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send HTTP through the guarded client; status, headers with lower-case names, body.

        :raises NotSentError: nothing left. :raises MaybeSentError: it may have arrived.
        """
        timeout = Timeouts(connect=timeout_s, read=timeout_s, write=timeout_s, total=timeout_s)
        reply = self._client().send(
            method, url, headers=dict(headers), content=content, timeout=timeout, about_to_send=self.about_to_send
        )
        self._compare_clocks(url, reply.header("date"))
        return reply.status, dict(reply.headers), reply.body

    def _compare_clocks(self, url: str, date: str) -> None:
        """Say so when this machine's clock is wrong: signed notices would be refused, and nobody would know why."""
        try:
            theirs = email.utils.parsedate_to_datetime(date)
        except ValueError:
            return
        skew = round((self.now() - theirs.astimezone(dt.UTC)).total_seconds()) if theirs.tzinfo else 0
        if abs(skew) > TOLERATED_SKEW_S:
            _log.warning("this machine's clock is %+d s off that of %s: set it right", skew, urlsplit(url).hostname)

    def about_to_send(self) -> None:
        """Bytes are about to leave.

        :raises TooLateToSendError: the core has stopped waiting; nothing may leave any more.
        """
        with self._lock:
            if self._closed:
                raise TooLateToSendError()
            self._sent = True

    def now(self) -> dt.datetime:
        """This instant."""
        return self._clock.now()

    def log(self, text: str) -> None:
        """Write a line to the log, scrubbed."""
        _log.info("%s", self._scrub(text))

    def close(self) -> bool:
        """Let nothing leave any more; whether something may have left before."""
        with self._lock:
            self._closed = True
            return self._sent


UNSCRUBBED: Final = "[a line that could not be scrubbed]"


def _io(begin: Begin, found: Registered[Gateway]) -> Io:
    allowed = getattr(getattr(begin.settings, "http", None), "allow", ())
    client = functools.partial(begin.plugins.cached, "eckit", "payment.http", 0, lambda: GuardedClient(allowed))

    def scrub(text: str) -> str:
        return mask_cards(strip_controls(_scrubbed(begin, found, text)))[:2_000]

    return Io(client, begin.clock, scrub)


def _scrubbed(begin: Begin, found: Registered[Gateway], text: str) -> str:
    """A line as its gateway scrubs it. One that cannot be scrubbed is not written, and stops no payment."""
    gateway: object = found.thing
    if not isinstance(gateway, Scrubs):
        return text
    try:
        scrubbed: object = begin.plugins.guarded(found.plugin, "scrub", gateway.scrub, text)
    except PluginError:
        return UNSCRUBBED
    return scrubbed if isinstance(scrubbed, str) else UNSCRUBBED


def ask_operation(
    begin: Begin, payment: Payment, operation: StoredOperation, extras: rules.Extras | None = None
) -> Outcome:
    """Have a gateway do what an operation says.

    :return: its answer, or what the lack of a usable one means: not sent if nothing had left, in doubt otherwise.
    :raises GatewayMissingError: it is not there.
    """
    found, declared = payments.gateway_of(begin.plugins, payment)
    asked = rules.request(payment, operation, declared, extras)
    call = _ability(found.thing, operation.kind)
    return _converse(begin, found, declared, operation.kind, call, asked)


def ask_resume(
    begin: Begin, payment: Payment, operation: StoredOperation, parameters: Mapping[str, str], locale: str
) -> Outcome | None:
    """Tell a gateway that the buyer has come back; None if it does not want to know, and must be queried."""
    found, declared = payments.gateway_of(begin.plugins, payment)
    if not isinstance(found.thing, Resumes):
        return None
    asked = rules.resumption(payment, operation, parameters, locale)
    return _converse(begin, found, declared, OperationKind.RESUME, found.thing.resume, asked)


def ask_closing(begin: Begin, payment: Payment, operation: StoredOperation) -> Outcome:
    """Have a gateway close an attempt that has not come to money."""
    found, declared = payments.gateway_of(begin.plugins, payment)
    asked = rules.closing(payment, operation, declared, begin.shop_id)
    return _converse(begin, found, declared, OperationKind.VOID, _ability(found.thing, OperationKind.VOID), asked)


def ask_query(begin: Begin, payment: Payment) -> Snapshot | NoSuchPayment | QueryFailed:
    """Look a payment up at its provider. Whatever goes wrong is a failed query, never an answer."""
    try:
        found, declared = payments.gateway_of(begin.plugins, payment)
    except GatewayMissingError:
        return QueryFailed(cause="the gateway is not there")
    asked, io = rules.query(payment), _io(begin, found)
    try:
        answer = begin.converse(found.plugin, "payment.query", found.thing.query, io, asked, limit_s=declared.timeout_s)
    except (PluginError, ConversationTimeoutError) as error:
        return QueryFailed(cause=rules.shown(_cause(error)))
    finally:
        io.close()
    return rules.accepted_query(asked, answer)


def _converse(
    begin: Begin,
    found: Registered[Gateway],
    declared: Capabilities,
    kind: OperationKind,
    call: Callable[..., Any],
    asked: rules.Request,
) -> Outcome:
    io = _io(begin, found)
    try:
        answer = begin.converse(found.plugin, f"payment.{kind.value}", call, io, asked, limit_s=declared.timeout_s)
    except (PluginError, ConversationTimeoutError) as error:
        sent = io.close()
        _log.warning("%s %s: no answer (%s), sent: %s", found.code, kind.value, _cause(error), sent)
        return rules.unanswered(rules.shown(_cause(error)), sent=sent)
    return rules.accepted(kind, answer, sent=io.close())


def _cause(error: PluginError | ConversationTimeoutError) -> str:
    return error.reason if isinstance(error, PluginError) else "timeout"


def _ability(gateway: Gateway, kind: OperationKind) -> Callable[..., Outcome]:
    """The gateway's method for a kind of operation; where it has none the core answers itself, without any call."""
    if kind is OperationKind.BEGIN:
        return gateway.begin
    if kind is OperationKind.CAPTURE and isinstance(gateway, Captures):
        return gateway.capture
    if kind is OperationKind.VOID and isinstance(gateway, Voids):
        return gateway.void
    if kind is OperationKind.REFUND and isinstance(gateway, Refunds):
        return gateway.refund
    return lambda _io, _asked: Unsupported(what=kind.value)
