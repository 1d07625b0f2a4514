"""The gateway ``sandbox.card``: what eckit asks, in the provider's words, and its answers in eckit's."""

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from eckit import (
    Ack,
    Begin,
    Capabilities,
    Capture,
    CardToken,
    Declined,
    ForgedNotice,
    Gateway,
    GatewayIo,
    InDoubt,
    NoSuchPayment,
    NotSent,
    Operation,
    Problem,
    Query,
    QueryFailed,
    RawRequest,
    Refund,
    Rejected,
    Resume,
    Secret,
    Snapshot,
    Text,
    UnauthenticatedNotice,
    Unsupported,
    VerifiedNotice,
    Void,
    hookimpl,
    to_minor,
)
from eckit.kernel import http
from eckit.kernel.ids import MethodCode
from eckit.kernel.money import exponent
from eckit.kernel.secrets import constant_time_equal
from eckit.kernel.texts import add_folder
from eckit.payment import Opened, Outcome
from eckit_sandbox import translate
from eckit_sandbox.client import Client, MaybeSentError, NotSentError, Reply
from eckit_sandbox.provider.currencies import EXPONENTS, LARGEST, SMALLEST
from eckit_sandbox.provider.notices import SIGNATURE, sign
from eckit_sandbox.settings import SandboxSettings

NOTICE_LIMIT: Final = 262_144
LONGEST_NAME: Final = 64
NO_REFERENCE: Final = "?"
"""No reference of a payment: what a broken record of a batch is kept under, for a person to look at."""

_SIGNATURE: Final = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")
_TOKEN: Final = re.compile(r"tok_[a-z0-9_]+")

add_folder(Path(__file__).with_name("locale"))


class _Through:
    """The provider's client speaks through the shop's guarded HTTP, which knows whether something may have left."""

    def __init__(self, io: GatewayIo) -> None:
        self._io = io

    def request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeout: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        try:
            return self._io.request(method, url, headers=headers, content=content or b"", timeout_s=timeout)
        except http.NotSentError as error:
            raise NotSentError(error.reason) from error


class SandboxCard:
    """Cards at the sandbox provider: authorize or sell, with or without a challenge; capture, void, refund in parts."""

    id = MethodCode("sandbox.card")
    label = Text.of("Card (sandbox)", ja="カード（サンドボックス）")

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings

    def __repr__(self) -> str:
        return f"<SandboxCard {self._settings.account} ({self._settings.mode})>"

    def capabilities(self) -> Capabilities:
        """What the provider can do; everything is held to."""
        settings = self._settings
        same = [code for code, decimals in EXPONENTS.items() if exponent(code) == decimals]
        return Capabilities(
            currencies=dict.fromkeys(sorted(same), (SMALLEST, LARGEST)),
            flows=frozenset({"authorize", "sale"}),
            capture="multiple",
            refund="multiple",
            refund_async=True,
            void=True,
            auth_ttl=dt.timedelta(days=7),
            action_ttl=dt.timedelta(minutes=15),
            idempotency=dict.fromkeys(("begin", "capture", "void", "refund"), "key"),
            not_found_after=settings.not_found_after,
            reference_max=64,
            reference_chars="A-Za-z0-9-",
            webhook="mac",
            ack=Ack(status=200),
            timeout_s=settings.timeout.total_seconds(),
            max_pending=settings.max_pending,
            mode=settings.mode,
            account=settings.account,
        )

    # --- operations --------------------------------------------------------------------------------------------------

    def begin(self, io: GatewayIo, op: Begin) -> Outcome:
        """Reserve or take money; perhaps the buyer must pass a challenge first."""
        if not isinstance(op.instrument, CardToken):
            if op.instrument is not None:
                return Unsupported(what="stored instruments")
            return Rejected(problems=(Problem(code="missing", path="instrument"),))
        if problem := self._amount_problem(op):
            return Rejected(problems=(problem,))
        token = op.instrument.token.reveal()

        def send(client: Client) -> Reply:
            return client.begin(
                reference=op.reference,
                amount=to_minor(op.money),
                currency=op.money.currency.code,
                token=token,
                capture=op.capture,
                return_url=op.return_url,
            )

        def read(body: Mapping[str, Any]) -> Outcome:
            self._check(body, op)
            return translate.begin_outcome(body, op)

        return self._ask(io, op, send, read, "begin")

    def resume(self, io: GatewayIo, op: Resume) -> Outcome:
        """See what the challenge came to. What the browser brought along is not looked at.

        A refused question says nothing about the payment.
        """

        def send(client: Client) -> Reply:
            return client.query(op.begin_reference)

        def read(body: Mapping[str, Any]) -> Outcome:
            self._check(body, op)
            return translate.begin_outcome(body, op)

        return self._ask(io, op, send, read, "resume")

    def capture(self, io: GatewayIo, op: Capture) -> Outcome:
        """Take reserved money, all or a part."""
        amount = to_minor(op.money)
        return self._act(
            io, op, "capture", lambda client: client.capture(op.begin_reference, reference=op.reference, amount=amount)
        )

    def void(self, io: GatewayIo, op: Void) -> Outcome:
        """Release all that is still reserved, or close an open challenge."""
        return self._act(io, op, "void", lambda client: client.void(op.begin_reference, reference=op.reference))

    def refund(self, io: GatewayIo, op: Refund) -> Outcome:
        """Give money back, all or a part; the provider may take its time."""
        amount = to_minor(op.money)
        return self._act(
            io, op, "refund", lambda client: client.refund(op.begin_reference, reference=op.reference, amount=amount)
        )

    def _act(self, io: GatewayIo, op: Operation, kind: str, send: Callable[[Client], Reply]) -> Outcome:
        if kind != "void" and (problem := self._amount_problem(op)):
            return Rejected(problems=(problem,))

        def read(body: Mapping[str, Any]) -> Outcome:
            payment = body.get("payment", body)
            self._check(payment, op)
            outcome = translate.operation_outcome(payment, op, kind)
            if outcome is None:
                raise translate.UnreadableError("operations")
            return outcome

        return self._ask(io, op, send, read, kind)

    def _ask(
        self,
        io: GatewayIo,
        op: Operation,
        send: Callable[[Client], Reply],
        read: Callable[[Mapping[str, Any]], Outcome],
        kind: str,
    ) -> Outcome:
        client = self._client(io)
        if client is None:
            return Rejected(problems=self.check_config())
        try:
            reply = send(client)
            if reply.error in translate.ALREADY:
                return self._look_up(client, op, read, reply.error or "")
            if reply.error is not None or reply.status >= 400:
                return InDoubt(cause=f"resume: {reply.error}") if kind == "resume" else translate.refused(reply)
            return read(reply.body)
        except NotSentError as error:
            return NotSent(cause=str(error))
        except MaybeSentError as error:
            io.log(f"sandbox: {kind} {op.reference}: no usable answer: {error}")
            return InDoubt(cause=str(error))
        except translate.UnreadableError as error:
            io.log(f"sandbox: {kind} {op.reference}: the answer's {error} is not what it should be")
            return InDoubt(cause=f"unreadable: {error}")

    @staticmethod
    def _look_up(client: Client, op: Operation, read: Callable[[Mapping[str, Any]], Outcome], error: str) -> Outcome:
        """ "Already done" may be about this operation or another: the provider's own list says which."""
        try:
            reply = client.query(op.begin_reference)
        except NotSentError as failure:  # this question was not sent, but the operation was
            return InDoubt(cause=f"{error}, {failure}")
        if reply.error is not None:
            return InDoubt(cause=error)
        if any(isinstance(one, dict) and one.get("reference") == op.reference for one in _references(reply.body)):
            return read(reply.body)
        return Declined(code="other", raw_code=error, retry="never")

    def _check(self, body: object, op: Operation) -> None:
        if not isinstance(body, Mapping):
            raise translate.UnreadableError("payment")
        translate.check_payment(
            body,
            reference=op.begin_reference,
            currency=op.money.currency.code,
            account=self._settings.account,
            mode=self._settings.mode,
        )

    def _amount_problem(self, op: Operation) -> Problem | None:
        currency, amount = op.money.currency.code, to_minor(op.money)
        limits = self.capabilities().currencies.get(currency)
        if limits is None:
            return Problem(code="unknown-currency", path="money", value=currency)
        if not limits[0] <= amount <= limits[1]:
            return Problem(code="amount-out-of-range", path="money", value=amount, limit=limits[1])
        return None

    # --- looking -----------------------------------------------------------------------------------------------------

    def query(self, io: GatewayIo, q: Query) -> Snapshot | NoSuchPayment | QueryFailed:
        """Ask for all movements of a payment, by our reference."""
        client = self._client(io)
        if client is None:
            return QueryFailed(cause="not set up")
        try:
            reply = client.query(q.begin_reference)
            if reply.error == "no_such_payment":
                return NoSuchPayment()
            if reply.error is not None or reply.status >= 400:
                return QueryFailed(cause=reply.error or f"status {reply.status}")
            if reply.body.get("reference") != q.begin_reference:
                return QueryFailed(cause="unreadable: reference")
            return translate.snapshot(reply.body)
        except (NotSentError, MaybeSentError) as error:
            return QueryFailed(cause=str(error))
        except translate.UnreadableError as error:
            return QueryFailed(cause=f"unreadable: {error}")

    def open_webhook(self, raw: RawRequest, now: dt.datetime) -> Opened:
        """Check a notice's signature over its raw bytes, then read it, or each record of a batch.

        What is signed and has words unknown here is only a reason to query.
        """
        match = _SIGNATURE.fullmatch(raw.headers.get(SIGNATURE.lower(), ""))
        if match is None or len(raw.body) > NOTICE_LIMIT:
            return ForgedNotice(why="unsigned" if match is None else "too large")
        if not self._signed(int(match[1]), raw):
            return ForgedNotice(why="signature")
        sent_at = dt.datetime.fromtimestamp(int(match[1]), dt.UTC)
        if abs(now - sent_at) > self._settings.tolerance:
            return ForgedNotice(why="stale")
        return _read_notices(raw.body, sent_at)

    def _signed(self, at: int, raw: RawRequest) -> bool:
        given = raw.headers[SIGNATURE.lower()]
        # every key is tried, so that the time taken does not tell which one was right
        return sum(constant_time_equal(given, sign(key.reveal(), at, raw.body)) for key in self._notify_keys()) > 0

    def _notify_keys(self) -> tuple[Secret, ...]:
        newest = self._settings.notify_secret
        return self._settings.retired_secrets if newest is None else (newest, *self._settings.retired_secrets)

    # --- care --------------------------------------------------------------------------------------------------------

    def check_config(self) -> tuple[Problem, ...]:
        """Look at the settings without any network; secrets are not shown."""
        settings = self._settings
        secrets = {"api_key": settings.api_key, "notify_secret": settings.notify_secret}
        missing = [name for name, secret in secrets.items() if secret is None]
        found = [Problem(code="missing", path=f"plugins.sandbox.{name}") for name in missing]
        parts = urlsplit(settings.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            found.append(Problem(code="sandbox-url", path="plugins.sandbox.base_url", value=settings.base_url))
        if settings.mode not in ("test", "live"):
            found.append(Problem(code="sandbox-mode", path="plugins.sandbox.mode", value=settings.mode))
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}", settings.account):
            found.append(Problem(code="sandbox-account", path="plugins.sandbox.account", value=settings.account))
        names = ("tolerance", "timeout", "not_found_after", "max_pending")
        short = [name for name in names if getattr(settings, name) <= dt.timedelta(0)]
        return (*found, *(Problem(code="sandbox-duration", path=f"plugins.sandbox.{name}") for name in short))

    def scrub(self, text: str) -> str:
        """Take keys, secrets and tokens out of a transcript."""
        for secret in (self._settings.api_key, *self._notify_keys()):
            text = text if secret is None else text.replace(secret.reveal(), "********")
        return _TOKEN.sub("tok_***", text)

    def _client(self, io: GatewayIo) -> Client | None:
        settings = self._settings
        if settings.api_key is None:
            return None
        key, timeout = settings.api_key.reveal(), settings.timeout.total_seconds()
        return Client(_Through(io), settings.base_url, settings.account, key, timeout=timeout)


def _references(body: Mapping[str, Any]) -> list[Any]:
    movements, operations = body.get("movements"), body.get("operations")
    return [*(movements if isinstance(movements, list) else ()), *(operations if isinstance(operations, list) else ())]


def _read_notices(body: bytes, sent_at: dt.datetime) -> Opened:
    """One notice, or each of a batch. A broken record does not spoil the others: it has a notice of its own."""
    try:
        told = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return ForgedNotice(why="malformed")
    batch = told.get("events") if isinstance(told, dict) else None
    records = batch if isinstance(batch, list) else [told]
    opened = [_read_notice(one, sent_at) for one in records]
    if not any(opened):
        return ForgedNotice(why="malformed")
    return tuple(one or UnauthenticatedNotice(event_key="", begin_reference=NO_REFERENCE) for one in opened)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable()


def _read_notice(event: Any, sent_at: dt.datetime) -> VerifiedNotice | UnauthenticatedNotice | None:
    """What a record tells; None if it does not even say which payment it is about."""
    try:
        event_key, payment = event["event_id"], event["payment"]
        reference = payment["reference"]
    except (KeyError, TypeError):
        return None
    if not _is_name(event_key) or not _is_name(reference):
        return None
    if (event.get("account"), event.get("mode")) != (payment.get("account"), payment.get("mode")):
        return None
    try:
        snapshot = translate.snapshot(payment)
    except translate.UnreadableError:
        return UnauthenticatedNotice(event_key=event_key, begin_reference=reference)
    return VerifiedNotice(event_key=event_key, snapshot=snapshot, sent_at=sent_at)


class SandboxPlugin:
    """What eckit finds by the entry point ``sandbox``."""

    name = "sandbox"
    version = "0.1.0"
    eckit_interface: Final = {"payment": 1, "host": 1}

    @hookimpl
    def register_settings(self) -> type:
        """The settings of ``[plugins.sandbox]``."""
        return SandboxSettings

    @hookimpl
    def register_payment_gateways(self, settings: SandboxSettings | None) -> tuple[Gateway, ...]:
        """The card gateway; none if the plugin is only installed and not set up."""
        return () if settings is None or not settings.base_url else (SandboxCard(settings),)


plugin = SandboxPlugin()
