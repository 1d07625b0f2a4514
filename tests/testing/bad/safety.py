"""H. Safety: careless."""

import itertools
import socket
import time
from typing import Any, ClassVar

import attrs

from eckit import (
    Authorized,
    Begin,
    Capabilities,
    CardToken,
    Declined,
    GatewayIo,
    InDoubt,
    NotSent,
    Secret,
    StoredInstrument,
    Text,
)
from eckit.payment import Outcome
from eckit_sandbox import SandboxCard
from eckit_sandbox.client import Client
from tests.testing.bad.clients import OwnClient
from tests.testing.bad.doubt import _DECLINED
from tests.testing.bad.money_back import BadMoneyBack
from tests.testing.bad.switched import BadSettings


class BadSafety(BadMoneyBack):
    """Careless."""

    _numbers: ClassVar = itertools.count()

    def __init__(self, settings: BadSettings) -> None:
        super().__init__(settings)
        self._current: Any = None

    def __repr__(self) -> str:
        if self._settings.api_key is not None and self._is("H.repr_shows_the_key"):
            return f"<SandboxCard {self._settings.api_key.reveal()}>"
        return super().__repr__()

    @property
    def label(self) -> Text:  # type: ignore[override]
        return Text.of("Card") if self._is("H.untranslated_label") else SandboxCard.label

    def capabilities(self) -> Capabilities:
        declared = super().capabilities()
        if declared.mode != "test" and self._is("H.always_test"):
            return attrs.evolve(declared, mode="test")
        return declared

    def scrub(self, text: str) -> str:
        return text if self._settings.fault == "H.logs_the_request" else super().scrub(text)

    def begin(self, io: GatewayIo, op: Begin) -> Outcome:
        if self._is("H.not_thread_safe"):
            self._current = op
            time.sleep(0.005)
            op = self._current
        if isinstance(op.instrument, StoredInstrument) and self._is("H.sends_stored_cards"):
            op = attrs.evolve(op, instrument=_unchecked(op.instrument.reference))
        if self._is("H.phones_home"):
            with socket.socket() as home:
                home.connect_ex(("127.0.0.2", 9))
                home.connect(("127.0.0.1", int(self._settings.base_url.rpartition(":")[2])))
        outcome = super().begin(io, op)
        if self._is("H.logs_the_request"):
            io.log(f"sent {op.instrument!r} with {self._settings.api_key and self._settings.api_key.reveal()}")
        if isinstance(outcome, Declined) and self._is("H.provider_speaks_to_buyers"):
            return attrs.evolve(outcome, code=f"Your bank said: {outcome.raw_code}")
        return self._plain(outcome)

    def _plain(self, outcome: Outcome) -> Outcome:
        if isinstance(outcome, InDoubt) and self._settings.api_key is not None and self._is("H.key_in_the_cause"):
            return attrs.evolve(outcome, cause=f"no answer for {self._settings.api_key.reveal()}")
        if isinstance(outcome, Authorized) and self._is("H.cannot_be_pickled"):

            class Reference(str):
                """Something of an SDK's own."""

                __slots__ = ()

            return attrs.evolve(outcome, provider_ref=Reference(outcome.provider_ref))
        if isinstance(outcome, NotSent) and outcome.cause == "rate_limited":
            return self._busy(outcome)
        return outcome

    def _busy(self, outcome: NotSent) -> Outcome:
        if self._is("H.busy_is_declined"):
            return _DECLINED
        if self._is("H.busy_is_doubt"):
            return InDoubt(cause="busy")
        return attrs.evolve(outcome, retry_after=None) if self._is("H.busy_without_wait") else outcome

    def _client(self, io: GatewayIo) -> Client | None:
        client = super()._client(io)
        for fault in ("H.follows_redirects", "H.unverified_tls", "H.waits_for_ever"):
            if client is not None and self._is(fault):
                own = OwnClient(io, fault.removeprefix("H."))
                key, timeout = self._settings.api_key, self._settings.timeout.total_seconds()
                assert key is not None
                return Client(own, self._settings.base_url, self._settings.account, key.reveal(), timeout=timeout)
        return client


def _unchecked(token: str) -> CardToken:
    """A token that nobody looked at."""
    made = object.__new__(CardToken)
    object.__setattr__(made, "token", Secret(token))
    return made
