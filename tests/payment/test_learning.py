"""What answers and snapshots mean, and what is no answer at all."""

from typing import Any

import attrs
import pytest
from moneyed import Money

from eckit.kernel.errors import Problem
from eckit.payment.model import (
    ActionRequired,
    Authorized,
    BankInstructions,
    Captured,
    Declined,
    Expired,
    InDoubt,
    NotSent,
    OperationKind,
    Pending,
    Query,
    QueryFailed,
    Redirect,
    Refunded,
    Rejected,
    Snapshot,
    SnapshotMovement,
    Unsupported,
    Voided,
    Voucher,
)
from eckit.payment.rules import (
    accepted,
    accepted_notices,
    accepted_query,
    action_of,
    learn_outcome,
    learn_snapshot,
    planned,
    stored_action,
    sums_of,
)
from tests.payment.fakes import CAPABILITIES
from tests.payment.made import AT, SHOP, after, planned_payment, sent_payment

YEN = Money(1_000, "JPY")
MONEY: dict[str, Any] = {"money": YEN, "movement_ref": "m1", "provider_ref": "p1", "at": AT}
PAGE = ActionRequired(action=Redirect(url="https://pay.example"), provider_ref="p1")


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Authorized(**MONEY), "succeeded"),
        (Captured(**MONEY), "succeeded"),
        (PAGE, "waiting_buyer"),
        (Pending(reason="review"), "waiting_provider"),
        (Declined(code="fraud"), "failed"),
        (Rejected(problems=(Problem(code="malformed"),)), "failed"),
        (Unsupported(what="begin"), "failed"),
        (Expired(at=AT), "failed"),
        (NotSent(cause="dns"), "planned"),
        (InDoubt(cause="timeout"), "in_doubt"),
    ],
)
def test_each_outcome_has_its_state(outcome: Any, state: str) -> None:
    """Every member of the closed sum type moves a sent operation by the table."""
    change = after(sent_payment(), outcome)
    assert state == change.payment.operations[0].state.value
    assert () == change.refused


@pytest.mark.parametrize("late", [Declined(code="fraud"), InDoubt(cause="x"), NotSent(cause="x"), Expired(at=AT), PAGE])
def test_a_success_stays_whatever_comes_later(late: Any) -> None:
    """An answer that contradicts what has been proved moves nothing."""
    won = after(sent_payment(), Authorized(**MONEY)).payment
    assert won.operations[0].state is after(won, late).payment.operations[0].state
    assert () == after(won, late).movements


def test_the_same_answer_twice_is_one_movement() -> None:
    """By its reference at the provider."""
    won = after(sent_payment(), Authorized(**MONEY)).payment
    assert () == after(won, Authorized(**MONEY)).movements


def test_one_id_for_two_kinds_of_movement_is_two_rows() -> None:
    """A provider that names authorization and capture alike: neither is lost, and each is still counted once."""
    won = after(sent_payment(), Authorized(**MONEY)).payment
    both = snapshot(("authorize", 1_000, "m1"), ("capture", 1_000, "m1"))
    once = learn_snapshot(won, both, CAPABILITIES, AT).payment
    twice = learn_snapshot(once, both, CAPABILITIES, AT).payment
    assert (1_000, 1_000) == (sums_of(twice).authorized, sums_of(twice).captured_final)
    assert 2 == len(twice.movements)


def test_one_id_with_two_amounts_is_a_contradiction() -> None:
    """The first stays, a person is told."""
    won = after(sent_payment(), Authorized(**MONEY)).payment
    change = learn_snapshot(won, snapshot(("authorize", 900, "m1")), CAPABILITIES, AT)
    assert (1_000, True) == (sums_of(change.payment).authorized, bool(change.misfits))
    assert ["misfit"] == sorted({task.kind for task in change.tasks})


def snapshot(*movements: tuple[str, int, str], status: str = "", **more: Any) -> Snapshot:
    return Snapshot(
        begin_reference="any",
        provider_ref="p1",
        status=status,
        movements=tuple(
            SnapshotMovement(kind=kind, money=Money(minor, "JPY"), movement_ref=ref, at=AT, **more)
            for kind, minor, ref in movements
        ),
    )


def test_two_equal_captures_of_two_operations_are_told_apart() -> None:
    """Without our references: the movement that is not taken yet belongs to the operation that has none yet."""
    one = after(sent_payment(), Authorized(**MONEY)).payment
    for number in (1, 2):
        operation = planned(
            one,
            OperationKind.CAPTURE,
            500,
            CAPABILITIES,
            shop=SHOP,
            operation_id=f"opr_{number}",  # type: ignore[arg-type]
            key=None,
            now=AT,
        )
        one = attrs.evolve(one, operations=(*one.operations, attrs.evolve(operation, state=IN_DOUBT, sent_at=AT)))
        told = [("authorize", 1_000, "m1"), *(("capture", 500, f"c{n}") for n in range(1, number + 1))]
        one = learn_snapshot(one, snapshot(*told), CAPABILITIES, AT, asked_for=operation.id).payment
    assert ["succeeded"] * 3 == [operation.state.value for operation in one.operations]
    assert 2 == len({movement.reference for movement in one.movements if movement.kind == "capture"})


IN_DOUBT = after(sent_payment(), InDoubt(cause="x")).payment.operations[0].state


def test_evidence_for_what_was_never_noted_as_sent_shows_that_it_was() -> None:
    """Money for a planned operation: it goes through "sent", by listed moves only."""
    payment = planned_payment()
    change = learn_outcome(payment, payment.operations[0].id, Authorized(**MONEY), CAPABILITIES, AT)
    assert ["sending", "succeeded"] == [step.move.value for step in change.steps]


def test_a_part_of_a_snapshot_means_nothing_by_what_it_leaves_out() -> None:
    """A notice of one movement does not make others disappear."""
    won = after(sent_payment(), Authorized(**MONEY)).payment
    change = learn_snapshot(won, snapshot(status="waiting_buyer"), CAPABILITIES, AT)
    assert (won.movements, won.operations) == (change.payment.movements, change.payment.operations)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (OperationKind.BEGIN, Refunded(**MONEY)),
        (OperationKind.CAPTURE, Authorized(**MONEY)),
        (OperationKind.REFUND, Captured(**MONEY)),
        (OperationKind.VOID, PAGE),
        (OperationKind.BEGIN, "authorized"),
        (OperationKind.BEGIN, None),
        (OperationKind.BEGIN, Authorized(**{**MONEY, "money": 1_000})),
        (OperationKind.BEGIN, Authorized(**{**MONEY, "money": Money("0.5", "JPY")})),
        (OperationKind.BEGIN, Authorized(**{**MONEY, "money": Money(0, "JPY")})),
        (OperationKind.BEGIN, Authorized(**{**MONEY, "money": Money(-5, "JPY")})),
        (OperationKind.BEGIN, Authorized(**{**MONEY, "movement_ref": ""})),
        (OperationKind.BEGIN, Authorized(**{**MONEY, "movement_ref": "x" * 161})),
        (OperationKind.BEGIN, Authorized(**{**MONEY, "movement_ref": "a\x00b"})),
        (OperationKind.BEGIN, Authorized(**{**MONEY, "at": AT.replace(tzinfo=None)})),
        (OperationKind.BEGIN, Captured(**MONEY, finality="perhaps")),
        (OperationKind.BEGIN, ActionRequired(action="https://pay.example", provider_ref="p1")),  # type: ignore[arg-type]
    ],
)
def test_what_does_not_answer_the_question_is_in_doubt(kind: OperationKind, answer: Any) -> None:
    """Another type, half a yen, no reference, no zone: it may have happened; before sending, it has not."""
    assert isinstance(accepted(kind, answer, sent=True), InDoubt)
    assert isinstance(accepted(kind, answer, sent=False), NotSent)


def test_good_answers_are_taken_as_they_are() -> None:
    """Each kind of operation has its answers."""
    for kind, answer in (
        (OperationKind.BEGIN, Authorized(**MONEY)),
        (OperationKind.RESUME, Captured(**MONEY, finality="provisional")),
        (OperationKind.VOID, Voided(**MONEY)),
        (OperationKind.REFUND, Refunded(**MONEY)),
        (OperationKind.CAPTURE, NotSent(cause="429")),
    ):
        assert answer is accepted(kind, answer, sent=True)


def test_a_query_that_tells_of_another_payment_has_failed() -> None:
    """Nonsense, another reference, a broken movement: nothing is known."""
    query = Query(payment_id=planned_payment().id, begin_reference="mine", provider_ref=None, currency="JPY")
    mine = attrs.evolve(snapshot(), begin_reference="mine")
    broken = attrs.evolve(snapshot(("capture", 0, "m1")), begin_reference="mine")
    assert mine is accepted_query(query, mine)
    for answer in (snapshot(), None, "paid", broken):
        assert isinstance(accepted_query(query, answer), QueryFailed)


@pytest.mark.parametrize("answer", [None, ["notice"], ("notice",), (1,)])
def test_a_notice_that_opens_to_nonsense_is_a_forgery(answer: Any) -> None:
    """Nothing in it is believed."""
    assert "ForgedNotice" == type(accepted_notices(answer)).__name__


@pytest.mark.parametrize(
    "action",
    [
        Redirect(url="https://pay.example", method="POST", fields={"a": "b"}),
        Voucher(numbers=(("receipt", "12345"),), url=None, stores=("a", "b"), deadline=AT),
        BankInstructions(account="0001-123-4567890", payer_reference="A12", deadline=AT),
    ],
)
def test_actions_are_read_as_they_were_stored(action: Any) -> None:
    """A page, a slip, bank details."""
    assert action == action_of(stored_action(action))


def test_no_card_number_is_stored_with_an_action() -> None:
    """A provider that echoes a card number into its page's address."""
    stored = stored_action(
        Redirect(url="https://pay.example/?pan=4111111111111111", fields={"x": "4111 1111 1111 1111"})
    )
    assert "4111" not in str(stored)
