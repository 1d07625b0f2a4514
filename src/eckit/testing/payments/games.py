"""Games with a gateway: what a player can do to payments, and what must hold after each move and in the end."""

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from eckit.kernel.errors import EckitError
from eckit.kernel.money import from_minor
from eckit.payment.model import OpState, Payment
from eckit.testing.payments import mishaps
from eckit.testing.payments.acts import declared_kinds
from eckit.testing.payments.bench import SETTLED, Bench, expect
from eckit.testing.payments.comparing import differences, unowned
from eckit.testing.payments.harness import NotApplicable
from eckit.testing.payments.proxy import Fault
from eckit.testing.payments.seeding import STAFF

STEPS: Final = {
    "a second": dt.timedelta(seconds=1),
    "15 seconds": dt.timedelta(seconds=15),
    "3 minutes": dt.timedelta(minutes=3),
    "an hour": dt.timedelta(hours=1),
}
TROUBLES: Final[dict[str, Fault | None]] = {
    "answer dropped": mishaps.DropAnswer(),
    "lost on the way": mishaps.ResetUnread(),
    "500": mishaps.status(500),
    "half an answer": mishaps.Truncated(),
    "busy": mishaps.rate_limited(1),
    "delivered twice": mishaps.Twice(),
    "refused": None,
    "none": None,
}
WISHES: Final = ("none", "over_capture", "over_refund", "refund_async", "refund_fails")
ACTIONS: Final = ("approve", "deny", "resolve", "come back")
"""Of the buyer at a challenge, of the provider with what it works on, of the buyer's browser."""

BEHAVIORS: Final = ("approve", "decline", "challenge", "pending")


class Game:
    """One game: what a player can do to one payment after another.

    :ivar payments: begun in this game.
    """

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.payments: list[Payment] = []
        bench.harness.reset_wishes()

    # -- moves -------------------------------------------------------------------------------------------------------

    def begin(self, behavior: str, trouble: str) -> Payment:
        """One more order, and its payment."""
        order = self.bench.order()
        payment = self.bench.payment(order)
        self.payments.append(payment)
        self._do(trouble, lambda: self.bench.pay(order, behavior))
        return payment

    def buy(self) -> Payment:
        """One more order, paid in full without any trouble: something to refund."""
        payment = self.begin("approve", "none")
        if self.bench.reserves:
            self.move(payment, "capture", 12, "none")
        return payment

    def pay_again(self, payment: Payment, trouble: str) -> Payment:
        """The buyer tries once more; the newest attempt."""
        order = self.bench.order_now(payment.order_id)
        self._do(trouble, lambda: self.bench.pay(order))
        known = {one.id for one in self.payments}
        self.payments += [one for one in self.bench.attempts(order) if one.id not in known]
        return self.bench.payment(order)

    def move(self, payment: Payment, what: str, share: int, trouble: str) -> None:
        """Capture, void, refund or cancel, of a part: ``share`` twelfths."""
        shop = self.bench.shop
        money = from_minor(max(1, payment.amount_minor * share // 12), payment.currency)
        key = f"{len(self.bench.again(payment).operations)}"
        moves: dict[str, Callable[[], object]] = {
            "capture": lambda: shop.capture_payment(STAFF, payment.id, money),
            "void": lambda: shop.void_payment(STAFF, payment.id),
            "refund": lambda: shop.refund_payment(STAFF, payment.id, money, key=key, reason="conformance"),
            "cancel": lambda: shop.cancel_order(STAFF, payment.order_id),
        }
        self._do(trouble, moves[what])

    def somebody(self, payment: Payment, action: str) -> None:
        """Somebody other than the shop acts: one of :data:`ACTIONS`; what is impossible now, nobody does."""
        if action == "come back":
            with contextlib.suppress(EckitError):
                self.bench.shop.resume_payment(STAFF, payment.order_id)
            return
        about = self.bench.again(payment).operations if action == "resolve" else ()
        for reference in [one.reference for one in about] or [payment.begin_reference]:
            with contextlib.suppress(Exception):
                self.bench.harness.buyer(action, reference)

    def notices(self, payment: Payment, *, backwards: bool) -> None:
        """Deliver what the provider has sent about a payment, once more than before."""
        try:
            found = self.bench.notices(payment)
        except NotApplicable:
            return
        for notice in reversed(found) if backwards else found:
            self.bench.hand_in(notice)

    def wish(self, wish: str) -> None:
        """The provider behaves specially from now on, or as usual again."""
        if wish == "none":
            self.bench.harness.reset_wishes()
            return
        with contextlib.suppress(NotApplicable):
            self.bench.harness.provider(wish)

    def recover(self, after: str) -> None:
        """Time passes, and recovery runs."""
        self.bench.chase(STEPS[after])

    def restart(self) -> None:
        """The program starts again."""
        self.bench.shop = self.bench.compose()

    def _do(self, trouble: str, action: Callable[[], object]) -> None:
        fault = TROUBLES[trouble]
        with contextlib.ExitStack() as stack:
            if trouble == "refused":
                stack.enter_context(self.bench.proxy.refusing())
            elif fault is not None:
                stack.enter_context(self.bench.proxy.meddling(fault, wanted=self.bench.harness.is_moving))
            stack.enter_context(contextlib.suppress(EckitError))  # refusals are fine; what they let through is not
            action()

    # -- what must hold ----------------------------------------------------------------------------------------------

    def require_sane(self) -> None:
        """After every move: nothing beyond what it rests on, and nothing without an owner."""
        now, ledger = self.bench.all_again(self.payments), self.bench.harness.provider_ledger()
        expect(not unowned(now), "; ".join(unowned(now)))
        for payment in now:
            theirs = [entry for entry in ledger if entry.payment == payment.begin_reference]
            for who, movements in (("eckit", payment.movements), ("the provider", theirs)):
                _require_order(who, movements)

    def end(self) -> None:
        """Everything comes to rest: then the books are the same."""
        for payment in self.payments:
            self.somebody(payment, "approve")
            self.somebody(payment, "resolve")
        self.bench.chase_until(self._at_rest, self.bench.capabilities.horizon * 1.5)
        expect(self._at_rest(), f"never at rest: {[self.bench.state(one).value for one in self.payments]}")
        now = self.bench.all_again(self.payments)
        mine = {one.begin_reference for one in now}
        ledger = [entry for entry in self.bench.harness.provider_ledger() if entry.payment in mine]
        expect(not differences(now, ledger), "; ".join(differences(now, ledger)))

    def _at_rest(self) -> bool:
        waits = {OpState.PLANNED, OpState.NEEDS_HUMAN, *SETTLED}
        return all(one.state in waits for now in self.bench.all_again(self.payments) for one in now.operations)


def _require_order(who: str, movements: Sequence[Any]) -> None:
    total: Counter[str] = Counter()
    for one in movements:
        total[one.kind] += one.amount_minor
    reserved = total["authorize"] or total["capture"]
    expect(total["capture"] + total["void"] <= reserved, f"{who}: more captured or released than was reserved: {total}")
    expect(total["refund"] <= total["capture"], f"{who}: more given back than was taken: {dict(total)}")


def possible(bench: Bench) -> frozenset[str]:
    """The operations that the gateway declares and the behaviors that the harness's buyers know."""
    found = {kind.value for kind in declared_kinds(bench.capabilities)}
    for behavior in BEHAVIORS:
        with contextlib.suppress(NotApplicable):
            bench.harness.instrument(behavior)
            found.add(behavior)
    return frozenset(found)
