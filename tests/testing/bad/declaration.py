"""A. Declaration: says what is not so."""

import datetime as dt
import socket
from typing import Any, Final

import attrs
from moneyed import Money

from eckit import (
    Begin,
    Capabilities,
    Capture,
    ForgedNotice,
    GatewayIo,
    NoSuchPayment,
    Operation,
    Problem,
    Query,
    QueryFailed,
    RawRequest,
    Refund,
    Snapshot,
    Unsupported,
    VerifiedNotice,
    Void,
)
from eckit.payment import Opened, Outcome
from tests.testing.bad.switched import BadSettings, Switched

_SHORT: Final = 40


class BadDeclaration(Switched):
    """Says what is not so."""

    def __init__(self, settings: BadSettings) -> None:
        super().__init__(settings)
        self._asked = 0
        self._looking = False

    def capabilities(self) -> Capabilities:
        declared = super().capabilities()
        self._asked += not self._looking
        if self._asked > 2 and self._is("A.unstable"):
            return attrs.evolve(declared, horizon=declared.horizon + dt.timedelta(seconds=self._asked))
        if self._is("A.sells_undeclared"):
            return attrs.evolve(declared, flows=frozenset({"authorize"}))
        if self._is("A.believes_absence_at_once"):
            return attrs.evolve(declared, not_found_after=dt.timedelta(0))
        return declared

    def _amount_problem(self, op: Operation) -> Problem | None:
        self._looking = True
        problem = super()._amount_problem(op)
        self._looking = False
        if problem is None:
            return None
        fault = "A.any_currency" if problem.code == "unknown-currency" else "A.any_amount"
        return None if self._is(fault) else problem

    def check_config(self) -> tuple[Problem, ...]:
        problems = super().check_config()
        if problems and self._is("A.checks_online"):
            socket.create_connection(("127.0.0.1", 9), timeout=1).close()
        if len(problems) == 1 and problems[0].path.endswith("notify_secret") and self._is("A.forgets_a_secret"):
            return ()
        if problems and self._settings.api_key is not None and self._is("A.shows_a_secret"):
            return tuple(attrs.evolve(one, value=self._settings.api_key.reveal()) for one in problems)
        return problems

    def begin(self, io: GatewayIo, op: Begin) -> Outcome:
        if len(op.reference) > _SHORT and self._is("A.cuts_references"):
            op = attrs.evolve(op, reference=op.reference[:_SHORT], begin_reference=op.reference[:_SHORT])
        return super().begin(io, op)

    def refund(self, io: GatewayIo, op: Refund) -> Outcome:
        if self._is("A.cannot_refund"):
            return Unsupported(what="refund")
        return super().refund(io, op)


class BadAmounts(BadDeclaration):
    """Counts money in the wrong unit, both ways, so that eckit sees nothing odd."""

    def _factor(self, currency: str) -> tuple[int, int]:
        if currency == "JPY" and self._is("A.yen_times_100"):
            return 100, 1
        if currency == "KWD" and self._is("A.three_decimals"):
            return 1, 10
        return 1, 1

    def begin(self, io: GatewayIo, op: Begin) -> Outcome:
        return self._back(super().begin(io, self._there(op)))

    def capture(self, io: GatewayIo, op: Capture) -> Outcome:
        return self._back(super().capture(io, self._there(op)))

    def refund(self, io: GatewayIo, op: Refund) -> Outcome:
        return self._back(super().refund(io, self._there(op)))

    def void(self, io: GatewayIo, op: Void) -> Outcome:
        return self._back(super().void(io, op))

    def query(self, io: GatewayIo, q: Query) -> Snapshot | NoSuchPayment | QueryFailed:
        found = super().query(io, q)
        return self._snapshot_back(found) if isinstance(found, Snapshot) else found

    def open_webhook(self, raw: RawRequest, now: dt.datetime) -> Opened:
        opened = super().open_webhook(raw, now)
        if isinstance(opened, ForgedNotice):
            return opened
        return tuple(
            attrs.evolve(one, snapshot=self._snapshot_back(one.snapshot)) if isinstance(one, VerifiedNotice) else one
            for one in opened
        )

    def _there(self, op: Any) -> Any:
        times, through = self._factor(op.money.currency.code)
        return op if times == through else attrs.evolve(op, money=_scaled(op.money, times, through))

    def _back(self, outcome: Any) -> Any:
        money = getattr(outcome, "money", None)
        if money is None:
            return outcome
        times, through = self._factor(money.currency.code)
        return outcome if times == through else attrs.evolve(outcome, money=_scaled(money, through, times))

    def _snapshot_back(self, snapshot: Snapshot) -> Snapshot:
        return attrs.evolve(snapshot, movements=tuple(map(self._back, snapshot.movements)))


def _scaled(money: Money, times: int, through: int) -> Money:
    return Money(money.amount * times / through, money.currency)
