"""Games as a Hypothesis state machine: it chooses the moves, and of a game that fails it looks for the shortest."""

import sys
from typing import Any

from hypothesis import HealthCheck, Phase, reproduce_failure, settings, strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from eckit.payment.model import Payment
from eckit.testing.payments.bench import Bench
from eckit.testing.payments.games import ACTIONS, BEHAVIORS, STEPS, TROUBLES, WISHES, Game, possible
from eckit.testing.payments.harness import Games

_TROUBLE = st.just("none") | st.sampled_from(tuple(TROUBLES))
_SHARE = st.integers(1, 12)


def play(bench: Bench, games: Games) -> None:
    """Play games on a bench, each to its end.

    :raises CheckFailedError: a rule of the game does not hold; the moves that lead there are in its notes.
    """

    class Payments(_Payments):
        """A game on this bench."""

        def __init__(self) -> None:
            super().__init__(bench)

    machine: Any = Payments
    if games.again:
        version, _, blob = games.again.partition(" ")
        machine = reproduce_failure(version, blob.encode())(Payments)
    phases = (Phase.explicit, Phase.generate, *([Phase.shrink] if games.shrink else []))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=games.games,
            stateful_step_count=games.moves,
            deadline=None,
            derandomize=not games.fresh,
            database=None,
            print_blob=True,
            phases=phases,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


class _Payments(RuleBasedStateMachine):
    """Every move there is; one that needs what the gateway or its harness does not have is never made."""

    payments = Bundle("payments")

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.game = Game(bench)
        self.possible = possible(bench)

    @initialize(target=payments)
    def first(self) -> Payment:
        return self.game.buy()

    @rule(target=payments)
    def buy(self) -> Payment:
        return self.game.buy()

    @rule(target=payments, behavior=st.sampled_from(BEHAVIORS), trouble=_TROUBLE)
    def begin(self, behavior: str, trouble: str) -> Payment:
        return self.game.begin(behavior if behavior in self.possible else "approve", trouble)

    @rule(target=payments, payment=payments, trouble=_TROUBLE)
    def pay_again(self, payment: Payment, trouble: str) -> Payment:
        return self.game.pay_again(payment, trouble)

    @precondition(lambda self: "capture" in self.possible)
    @rule(payment=payments, share=_SHARE, trouble=_TROUBLE)
    def capture(self, payment: Payment, share: int, trouble: str) -> None:
        self.game.move(payment, "capture", share, trouble)

    @precondition(lambda self: "void" in self.possible)
    @rule(payment=payments, trouble=_TROUBLE)
    def void(self, payment: Payment, trouble: str) -> None:
        self.game.move(payment, "void", 12, trouble)

    @precondition(lambda self: "refund" in self.possible)
    @rule(payment=payments, share=_SHARE, trouble=_TROUBLE)
    def refund(self, payment: Payment, share: int, trouble: str) -> None:
        self.game.move(payment, "refund", share, trouble)

    @precondition(lambda self: "refund" in self.possible)
    @rule(payment=payments)
    def give_back(self, payment: Payment) -> None:
        self.game.move(payment, "refund", 12, "none")

    @rule(payment=payments, trouble=_TROUBLE)
    def cancel(self, payment: Payment, trouble: str) -> None:
        self.game.move(payment, "cancel", 12, trouble)

    @rule(payment=payments, action=st.sampled_from(ACTIONS))
    def somebody(self, payment: Payment, action: str) -> None:
        self.game.somebody(payment, action)

    @rule(payment=payments, backwards=st.booleans())
    def notices(self, payment: Payment, backwards: bool) -> None:
        self.game.notices(payment, backwards=backwards)

    @rule(wish=st.sampled_from(WISHES))
    def wish(self, wish: str) -> None:
        self.game.wish(wish)

    @rule(after=st.sampled_from((*STEPS, "a restart")))
    def recover(self, after: str) -> None:
        if after == "a restart":
            self.game.restart()
        else:
            self.game.recover(after)

    @invariant()
    def sane(self) -> None:
        self.game.require_sane()

    def teardown(self) -> None:
        """The end, unless a move has failed before: then that is what there is to be told."""
        if sys.exception() is None:
            self.game.end()
