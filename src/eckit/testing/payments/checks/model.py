"""I. Model: games of random operations, faults, notices and restarts, that all have to end with the same books."""

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs

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

    def buy(self) -> None:
        """One more order, paid in full without any trouble: something to refund."""
        self.begin("approve", "none")
        if self.bench.reserves:
            self.move(len(self.payments) - 1, "capture", 12, "none")

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
        now, ledger = self.bench.all_again(self.payments), self.bench.harness.provider_ledger()
        expect(not unowned(now), "; ".join(unowned(now)))
        for payment in now:
            theirs = [entry for entry in ledger if entry.payment == payment.begin_reference]
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


@attrs.frozen
class Move:
    """One drawn move.

    :ivar number: which payment. ``share``: how many twelfths. ``behavior``, ``fault``: of the buyer, on the way.
    """

    what: str
    number: int
    share: int
    behavior: str
    fault: str


_MOVES: Final = (
    *("begin", "buy") * 2,
    *("pay again", "capture", "void", "cancel", "capture all", "refund all"),
    *("refund",) * 3,
    *("approve", "deny", "resolve", "notices", "notices backwards", "restart"),
    *("recover",) * 2,
)
"""What is drawn from; what leads further comes up more often."""


def _play(game: Game, move: Move) -> None:
    match move.what:
        case "begin":
            game.begin(move.behavior, move.fault)
        case "buy":
            game.buy()
        case "pay again":
            game.pay_again(move.number, move.fault)
        case "approve" | "deny" | "resolve":
            game.buyer(move.number, move.what)
        case "notices" | "notices backwards":
            game.notices(move.number, backwards=move.what != "notices")
        case "recover":
            game.recover(move.number % len(_STEPS))
        case "restart":
            game.restart()
        case _:
            kind, _, whole = move.what.partition(" ")
            game.move(move.number, kind, 12 if whole else move.share, move.fault)


@check("I", slow=True)
def c70_random_games_end_with_the_same_books(bench: Bench) -> None:
    """Whatever happens in whatever order (operations, faults, notices, restarts, time): never more is captured than
    reserved or refunded than captured, nothing is left without an owner, and in the end the books are the same."""
    try:
        from hypothesis import HealthCheck, Phase, given, settings, strategies as st
    except ModuleNotFoundError as error:
        raise NotApplicable("hypothesis is not installed") from error
    kinds = {kind.value for kind in declared_kinds(bench.capabilities)} | _WITHOUT_OPERATION
    possible = [one for one in _MOVES if one.partition(" ")[0] in kinds]
    move = st.builds(
        Move,
        st.sampled_from(possible),
        st.integers(0, 5),
        st.integers(1, 11),
        st.sampled_from(_behaviors(bench)),
        st.sampled_from(_FAULTS),
    )

    @settings(
        max_examples=GAMES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),  # a game is too long to be played again and again in search of a shorter one
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(move, min_size=MOVES_A_GAME, max_size=MOVES_A_GAME))
    def play(moves: list[Move]) -> None:
        game = Game(bench)
        game.buy()
        for one in moves:
            _play(game, one)
            game.require_sane()
        game.end()

    play()


_WITHOUT_OPERATION: Final = frozenset(
    {"begin", "buy", "pay", "cancel", "approve", "deny", "resolve", "notices", "restart", "recover"}
)


def _behaviors(bench: Bench) -> list[str]:
    found = ["approve", "approve"]
    for behavior in ("decline", "challenge", "pending"):
        with contextlib.suppress(NotApplicable):
            bench.harness.instrument(behavior)
            found.append(behavior)
    return found
