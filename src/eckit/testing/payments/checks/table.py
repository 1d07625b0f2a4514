"""I. Model: the table of operations, and a payment's status, whatever order news comes in."""

import datetime as dt
import itertools
from collections.abc import Iterator
from typing import Any, Final

import attrs
from moneyed import Money

from eckit.kernel.errors import NotInTransitionError
from eckit.kernel.ids import MethodCode, MovementId, OperationId, OrderId, PaymentId
from eckit.kernel.money import from_minor
from eckit.kernel.states import move
from eckit.payment import rules
from eckit.payment.model import (
    Capabilities,
    OpMove,
    OpState,
    Payment,
    PaymentStatus,
    Snapshot,
    SnapshotMovement,
    StoredMovement,
)
from eckit.testing.payments.bench import START, Bench, expect
from eckit.testing.payments.registry import check
from eckit.testing.payments.seeding import SHOP, ident

_S: Final = OpState

# fmt: off
LISTED: Final = frozenset({
    (_S.PLANNED, _S.SENT), (_S.PLANNED, _S.CANCELED),
    (_S.SENT, _S.SUCCEEDED), (_S.SENT, _S.FAILED), (_S.SENT, _S.WAITING_BUYER), (_S.SENT, _S.WAITING_PROVIDER),
    (_S.SENT, _S.IN_DOUBT), (_S.SENT, _S.PLANNED),
    (_S.WAITING_BUYER, _S.SUCCEEDED), (_S.WAITING_BUYER, _S.FAILED), (_S.WAITING_BUYER, _S.WAITING_PROVIDER),
    (_S.WAITING_BUYER, _S.EXPIRED), (_S.WAITING_BUYER, _S.CANCELED), (_S.WAITING_BUYER, _S.IN_DOUBT),
    (_S.WAITING_PROVIDER, _S.SUCCEEDED), (_S.WAITING_PROVIDER, _S.FAILED), (_S.WAITING_PROVIDER, _S.IN_DOUBT),
    (_S.IN_DOUBT, _S.SUCCEEDED), (_S.IN_DOUBT, _S.FAILED), (_S.IN_DOUBT, _S.WAITING_BUYER),
    (_S.IN_DOUBT, _S.WAITING_PROVIDER), (_S.IN_DOUBT, _S.PLANNED), (_S.IN_DOUBT, _S.CANCELED),
    (_S.IN_DOUBT, _S.NEEDS_HUMAN),
    (_S.NEEDS_HUMAN, _S.SUCCEEDED), (_S.NEEDS_HUMAN, _S.FAILED),
    (_S.EXPIRED, _S.SUCCEEDED), (_S.CANCELED, _S.SUCCEEDED), (_S.FAILED, _S.SUCCEEDED),
})
# fmt: on
"""What may become of an operation, written down once more, so that the core's table cannot change unseen."""

_A_CONTEXT: Final = (
    ("authorize", 1200, "final"),
    ("capture", 500, "final"),
    ("capture", 700, "final"),
    ("capture", 1200, "provisional"),
    ("void", 700, "final"),
    ("refund", 500, "final"),
    ("refund", 200, "final"),
    ("capture_reversed", 700, "final"),
    ("dispute", 500, "final"),
    ("dispute_won", 500, "final"),
)
MOST: Final = 5


@check("I")
def c71_the_table_is_closed_and_status_a_function(bench: Bench) -> None:
    """Every listed transition of an operation can be reached and every other one is refused; a payment's status is
    the same for every order in which up to five movements arrive."""
    rows = {(state, after) for (state, _), after in rules.MOVES.items()}
    expect(rows == LISTED, f"the table differs: {sorted(str(row) for row in rows ^ LISTED)}")
    expect(_reachable() == set(OpState), f"never reached: {set(OpState) - _reachable()}")
    for state, by in itertools.product(OpState, OpMove):
        if (state, by) not in rules.MOVES:
            _expect_refused(state, by)
    movements = [_movement(number, *facts) for number, facts in enumerate(_A_CONTEXT)]
    for size in range(MOST + 1):
        for chosen in itertools.combinations(movements, size):
            _expect_one_status(chosen)
    for story in _stories():
        _expect_one_end(bench, story)


def _reachable() -> set[OpState]:
    found, todo = {OpState.PLANNED}, [OpState.PLANNED]
    while todo:
        here = todo.pop()
        new = {after for (state, _), after in rules.MOVES.items() if state is here} - found
        found |= new
        todo += new
    return found


def _expect_refused(state: OpState, by: OpMove) -> None:
    try:
        move(rules.MOVES, state, by)
    except NotInTransitionError:
        return
    expect(False, f"{state.value} takes {by.value}, which is not listed")


def _expect_one_status(chosen: tuple[StoredMovement, ...]) -> None:
    seen = {_status(order) for order in itertools.permutations(chosen)}
    expect(len(seen) == 1, f"the status of {[one.kind for one in chosen]} depends on their order")


def _status(movements: tuple[StoredMovement, ...]) -> PaymentStatus:
    return rules.status((), movements, START, amount_minor=1200, currency="JPY")


def _movement(number: int, kind: str, minor: int, finality: str) -> StoredMovement:
    return StoredMovement(
        id=MovementId(""),
        payment_id=PaymentId(""),
        kind=kind,
        amount_minor=minor,
        currency="JPY",
        gateway=MethodCode("conformance"),
        account="",
        mode="",
        movement_ref=f"m{number}",
        reference=f"r{number}",
        finality=finality,
        at=START,
        recorded_at=START,
    )


# -- told one by one --------------------------------------------------------------------------------------------------


def _stories() -> Iterator[tuple[tuple[str, int], ...]]:
    """Movements as a payment's life brings them: kind and share of the whole in percent."""
    yield (("authorize", 100), ("capture", 100), ("refund", 100))
    yield (("authorize", 100), ("capture", 50), ("capture", 50), ("refund", 25), ("refund", 75))
    yield (("authorize", 100), ("capture", 25), ("void", 75), ("refund", 25))
    yield (("authorize", 100), ("void", 100))
    yield (("capture", 100), ("refund", 50), ("dispute", 50), ("dispute_lost", 50))


def _expect_one_end(bench: Bench, story: tuple[tuple[str, int], ...]) -> None:
    """The provider tells one movement at a time, in every order, to a payment that was just begun."""
    whole = bench.harness.amount_minor
    told = [
        SnapshotMovement(
            kind=kind,
            money=_share(bench, whole, percent),
            movement_ref=f"m{number}",
            at=START,
            reference=_reference(bench, number, kind),
        )
        for number, (kind, percent) in enumerate(story)
    ]
    ends = {_end(bench.capabilities, _begun(bench), order) for order in itertools.permutations(told)}
    expect(len(ends) == 1, f"{[kind for kind, _ in story]} end as {sorted(str(end) for end in ends)}")


def _share(bench: Bench, whole: int, percent: int) -> Money:
    return from_minor(whole * percent // 100, bench.harness.currency)


def _reference(bench: Bench, number: int, kind: str) -> str:
    begin = _begun(bench).begin_reference
    return begin if number == 0 else f"{begin}-{kind}{number}"


def _begun(bench: Bench) -> Payment:
    money = bench.money()
    return rules.begun(
        bench.capabilities,
        shop=SHOP,
        payment_id=PaymentId(ident("payment")),
        operation_id=OperationId(ident("operation")),
        order_id=OrderId(ident("order")),
        cart_id=None,
        method=bench.method,
        amount_minor=bench.harness.amount_minor,
        currency=money.currency.code,
        now=START,
    )


def _end(capabilities: Capabilities, payment: Payment, told: tuple[SnapshotMovement, ...]) -> tuple[Any, ...]:
    now = START
    for number, one in enumerate(told):
        now = START + dt.timedelta(minutes=number)
        snapshot = Snapshot(
            begin_reference=payment.begin_reference,
            provider_ref="p",
            status="",
            movements=(one,),
            account=payment.account,
            mode=payment.mode,
        )
        payment = rules.learn_snapshot(payment, snapshot, capabilities, now).payment
    books = sorted((one.kind, one.amount_minor, one.movement_ref) for one in payment.movements)
    status = rules.status_of(payment, now)
    return attrs.astuple(status), tuple(one.state for one in payment.operations), tuple(books)
