"""H. Safety: careless."""

import contextlib
import socket
import threading
import time

import attrs

from eckit import (
    Begin,
    Capabilities,
    CardToken,
    Declined,
    GatewayIo,
    InDoubt,
    NotSent,
    Rejected,
    Secret,
    StoredInstrument,
    Text,
    Void,
)
from eckit.payment import Outcome
from eckit_sandbox import SandboxCard
from eckit_sandbox.client import Transport
from tests.testing.bad.clients import CarelessTransport
from tests.testing.bad.doubt import DECLINED
from tests.testing.bad.money_back import BadMoneyBack
from tests.testing.bad.switched import BadSettings


class BadSafety(BadMoneyBack):
    """Careless."""

    def __init__(self, settings: BadSettings) -> None:
        super().__init__(settings)
        self.label = _Label(self)  # type: ignore[assignment]
        self._current: Begin | None = None
        self._inside = 0
        self._counting = threading.Lock()

    def __repr__(self) -> str:
        if self._settings.api_key is not None and self._is("H.repr_shows_the_key"):
            return f"<SandboxCard {self._settings.api_key.reveal()}>"
        return super().__repr__()

    def capabilities(self) -> Capabilities:
        declared = super().capabilities()
        if declared.mode != "test" and self._is("H.always_test"):
            return attrs.evolve(declared, mode="test")
        return declared

    def scrub(self, text: str) -> str:
        return text if self._settings.fault == "H.logs_the_request" else super().scrub(text)

    def begin(self, io: GatewayIo, op: Begin) -> Outcome:
        with self._counting:
            self._inside += 1
            alone = self._inside == 1
        try:
            return self._begin(io, op, alone=alone)
        finally:
            with self._counting:
                self._inside -= 1

    def _begin(self, io: GatewayIo, op: Begin, *, alone: bool) -> Outcome:
        self._current = op
        if threading.current_thread() is not threading.main_thread():
            time.sleep(0.002)  # so that somebody comes in between
        if not alone and self._current is not op and self._is("H.not_thread_safe"):
            op = self._current
        if isinstance(op.instrument, StoredInstrument) and self._is("H.sends_stored_cards"):
            op = attrs.evolve(op, instrument=_unchecked(op.instrument.reference))
        outcome = super().begin(io, op)
        if isinstance(outcome, Rejected) and self._is("H.logs_the_request"):
            io.log(f"sent {op.reference} with {self._settings.api_key and self._settings.api_key.reveal()}")
        return self._declined(outcome) if isinstance(outcome, Declined) else self._plain(outcome)

    def _declined(self, outcome: Declined) -> Outcome:
        if self._is("H.provider_speaks_to_buyers"):
            return attrs.evolve(outcome, code=f"Your bank said: {outcome.raw_code}")
        if self._is("H.cannot_be_pickled"):

            class Code(str):
                """Something of an SDK's own."""

                __slots__ = ()

            return attrs.evolve(outcome, raw_code=Code(outcome.raw_code))
        return outcome

    def _plain(self, outcome: Outcome) -> Outcome:
        server_error = isinstance(outcome, InDoubt) and outcome.cause.startswith("status 5")
        if server_error and self._settings.api_key is not None and self._is("H.key_in_the_cause"):
            return InDoubt(cause=f"no answer for {self._settings.api_key.reveal()}")
        if isinstance(outcome, NotSent) and outcome.cause == "rate_limited":
            return self._busy(outcome)
        return outcome

    def _busy(self, outcome: NotSent) -> Outcome:
        if self._is("H.busy_is_declined"):
            return DECLINED
        if self._is("H.busy_is_doubt"):
            return InDoubt(cause="busy")
        return attrs.evolve(outcome, retry_after=None) if self._is("H.busy_without_wait") else outcome

    def void(self, io: GatewayIo, op: Void) -> Outcome:
        if self._is("H.phones_home"):
            with socket.socket() as home, contextlib.suppress(OSError):
                home.connect(("127.0.0.2", 9))
        return super().void(io, op)

    def _carried(self, transport: Transport) -> Transport:
        return CarelessTransport(transport, self._is)


class _Label(Text):
    """The method's name, which may not be known in Japanese."""

    def __init__(self, gateway: BadSafety) -> None:
        super().__init__(SandboxCard.label.as_dict())
        object.__setattr__(self, "_gateway", gateway)

    def get(self, locale: str, fallbacks: tuple[str, ...] = ("en",)) -> str:  # type: ignore[override]
        if locale == "ja" and self._gateway._is("H.untranslated_label"):  # type: ignore[attr-defined]
            return super().get("en")
        return super().get(locale, fallbacks)


def _unchecked(token: str) -> CardToken:
    """A token that nobody looked at."""
    made = object.__new__(CardToken)
    object.__setattr__(made, "token", Secret(token))
    return made
