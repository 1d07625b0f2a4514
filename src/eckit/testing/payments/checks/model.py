"""I. Model: games of random operations, faults, notices and restarts, that all have to end with the same books."""

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from eckit.kernel.errors import EckitError
from eckit.kernel.money import from_minor
from eckit.payment.model import OpState, Payment
from eckit.testing.payments import mishaps
from eckit.testing.payments.acts import declared_kinds
from eckit.testing.payments.bench import SETTLED, Bench, expect
from eckit.testing.payments.comparing import differences, unowned
from eckit.testing.payments.harness import NotApplicable
from eckit.testing.payments.proxy import Fault
from eckit.testing.payments.registry import check
from eckit.testing.payments.seeding import STAFF

if TYPE_CHECKING:
    from hypothesis.stateful import RuleBasedStateMachine

GAMES: Final = 10
MOVES_A_GAME: Final = 10
_STEPS: Final = (dt.timedelta(seconds=1), dt.timedelta(seconds=15), dt.timedelta(minutes=3), dt.timedelta(hours=1))
FAULTS: Final[dict[str, Fault | None]] = {
    "none": None,
    "lost on the way": mishaps.ResetUnread(),
    "answer dropped": mishaps.DropAnswer(),
    "500": mishaps.status(500),
    "half an answer": mishaps.Truncated(),
    "busy": mishaps.rate_limited(1),
    "delivered twice": mishaps.Twice(),
}
_FAULTS: Final = (*FAULTS, "none", "none", "none", "refused")


class Game:
    """What a player can do to one payment after another, and what must hold after each move.

    :ivar payments: begun in this game.
    """

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.payments: list[Payment] = []
        self.delivered: Counter[bytes] = Counter()

    # -- moves -------------------------------------------------------------------------------------------------------

    def begin(self, behavior: str, fault: str) -> None:
        """One more order, and its payment."""
        order = self.bench.order()
        self.payments.append(self.bench.payment(order))
        self._do(fault, lambda: self.bench.pay(order, behavior))

    def pay_again(self, number: int, fault: str) -> None:
        """The buyer tries once more."""
        payment = self._chosen(number)
        order = self.bench.order_now(payment.order_id)
        self._do(fault, lambda: self.bench.pay(order))
        known = {one.id for one in self.payments}
        self.payments += [one for one in self.bench.attempts(order) if one.id not in known]

    def move(self, number: int, what: str, share: int, fault: str) -> None:
        """Capture, void, refund or cancel, of a part: ``share`` twelfths."""
        payment, shop = self._chosen(number), self.bench.shop
        money = from_minor(max(1, payment.amount_minor * share // 12), payment.currency)
        key = f"{len(self.bench.again(payment).operations)}"
        moves: dict[str, Callable[[], object]] = {
            "capture": lambda: shop.capture_payment(STAFF, payment.id, money),
            "void": lambda: shop.void_payment(STAFF, payment.id),
            "refund": lambda: shop.refund_payment(STAFF, payment.id, money, key=key, reason="conformance"),
            "cancel": lambda: shop.cancel_order(STAFF, payment.order_id),
        }
        self._do(fault, moves[what])

    def buyer(self, number: int, action: str) -> None:
        """The buyer, or the provider by itself."""
        payment = self._chosen(number)
        with contextlib.suppress(Exception):  # an action that is impossible now is one that nobody takes
            self.bench.harness.buyer(action, payment.begin_reference)

    def notices(self, number: int, *, backwards: bool) -> None:
        """Deliver what the provider has sent about a payment, once more than before."""
        try:
            found = self.bench.notices(self._chosen(number))
        except NotApplicable:
            return
        for notice in reversed(found) if backwards else found:
            self.bench.hand_in(notice)

    def recover(self, step: int) -> None:
        """Time passes, and recovery runs."""
        self.bench.chase(_STEPS[step])

    def restart(self) -> None:
        """The program starts again."""
        self.bench.shop = self.bench.compose()

    def _chosen(self, number: int) -> Payment:
        return self.payments[number % len(self.payments)]

    def _do(self, fault: str, action: Callable[[], object]) -> None:
        known = FAULTS.get(fault)
        with contextlib.ExitStack() as stack:
            if fault == "refused":
                stack.enter_context(self.bench.proxy.refusing())
            elif known is not None:
                stack.enter_context(self.bench.proxy.meddling(known, wanted=self.bench.harness.is_moving))
            stack.enter_context(contextlib.suppress(EckitError))  # refusals are fine; what they let through is not
            action()

    # -- what must hold ----------------------------------------------------------------------------------------------

    def require_sane(self) -> None:
        """After every move: nothing beyond what it rests on, and nothing without an owner."""
        now = [self.bench.again(payment) for payment in self.payments]
        expect(not unowned(now), "; ".join(unowned(now)))
        for payment in now:
            theirs = self.bench.harness.provider_ledger(payment.begin_reference)
            for who, movements in (("eckit", payment.movements), ("the provider", theirs)):
                _require_order(who, movements)

    def end(self) -> None:
        """Everything comes to rest: then the books are the same."""
        for payment in self.payments:
            for action in ("approve", "resolve"):
                with contextlib.suppress(Exception):
                    self.bench.harness.buyer(action, payment.begin_reference)
        self.bench.chase_until(self._at_rest, self.bench.capabilities.horizon * 1.5)
        expect(self._at_rest(), f"never at rest: {[self.bench.state(one).value for one in self.payments]}")
        now = [self.bench.again(payment) for payment in self.payments]
        ledger = [entry for one in now for entry in self.bench.harness.provider_ledger(one.begin_reference)]
        expect(not differences(now, ledger), "; ".join(differences(now, ledger)))

    def _at_rest(self) -> bool:
        waits = {OpState.PLANNED, OpState.NEEDS_HUMAN, *SETTLED}
        return all(one.state in waits for payment in self.payments for one in self.bench.again(payment).operations)


def _require_order(who: str, movements: Sequence[Any]) -> None:
    total: Counter[str] = Counter()
    for one in movements:
        total[one.kind] += one.amount_minor
    reserved = total["authorize"] or total["capture"]
    expect(total["capture"] + total["void"] <= reserved, f"{who}: more captured or released than was reserved: {total}")
    expect(total["refund"] <= total["capture"], f"{who}: more given back than was taken: {dict(total)}")


@check("I", slow=True)
def c70_random_games_end_with_the_same_books(bench: Bench) -> None:
    """Whatever happens in whatever order (operations, faults, notices, restarts, time): never more is captured than
    reserved or refunded than captured, nothing is left without an owner, and in the end the books are the
    provider's."""
    try:
        from hypothesis import HealthCheck, settings
        from hypothesis.stateful import run_state_machine_as_test
    except ModuleNotFoundError as error:
        raise NotApplicable("hypothesis is not installed") from error
    run_state_machine_as_test(
        _machine(bench),
        settings=settings(
            max_examples=GAMES,
            stateful_step_count=MOVES_A_GAME,
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


def _machine(bench: Bench) -> "type[RuleBasedStateMachine]":  # noqa: C901 -- one small rule after another
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

    kinds = [kind.value for kind in declared_kinds(bench.capabilities)] + ["cancel"]
    faults, numbers = st.sampled_from(_FAULTS), st.integers(0, 5)
    behaviors = st.sampled_from(_behaviors(bench))

    class Machine(RuleBasedStateMachine):
        """Plays a game."""

        def __init__(self) -> None:
            super().__init__()
            self.game = Game(bench)

        @initialize(behavior=behaviors, fault=faults)
        def first(self, behavior: str, fault: str) -> None:
            self.game.begin(behavior, fault)

        @rule(behavior=behaviors, fault=faults)
        def begin(self, behavior: str, fault: str) -> None:
            self.game.begin(behavior, fault)

        @rule(number=numbers, fault=faults)
        def pay_again(self, number: int, fault: str) -> None:
            self.game.pay_again(number, fault)

        @rule(number=numbers, what=st.sampled_from(kinds), share=st.integers(1, 12), fault=faults)
        def move(self, number: int, what: str, share: int, fault: str) -> None:
            self.game.move(number, what, share, fault)

        @rule(number=numbers, what=st.sampled_from(kinds), fault=faults)
        def move_all(self, number: int, what: str, fault: str) -> None:
            self.game.move(number, what, 12, fault)

        @rule(number=numbers, action=st.sampled_from(("approve", "deny", "resolve")))
        def buyer(self, number: int, action: str) -> None:
            self.game.buyer(number, action)

        @rule(number=numbers, backwards=st.booleans())
        def notices(self, number: int, backwards: bool) -> None:
            self.game.notices(number, backwards=backwards)

        @rule(step=st.integers(0, len(_STEPS) - 1))
        def recover(self, step: int) -> None:
            self.game.recover(step)

        @rule()
        def restart(self) -> None:
            self.game.restart()

        @invariant()
        def sane(self) -> None:
            self.game.require_sane()

        def teardown(self) -> None:
            self.game.end()

    return Machine


def _behaviors(bench: Bench) -> list[str]:
    found = ["approve", "approve"]
    for behavior in ("decline", "challenge", "pending"):
        with contextlib.suppress(NotApplicable):
            bench.harness.instrument(behavior)
            found.append(behavior)
    return found
