"""What answers and snapshots mean, and what is no answer at all."""

import datetime as dt
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
    Payment,
    Pending,
    Query,
    QueryFailed,
    Redirect,
    Refunded,
    Rejected,
    Snapshot,
    SnapshotMovement,
    Unsupported,
    VerifiedNotice,
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
    request,
    stored_action,
    sums_of,
)
from tests.payment.fakes import CAPABILITIES
from tests.payment.made import AT, SHOP, after, planned_payment, sent_payment

YEN = Money(1_000, "JPY")
MONEY: dict[str, Any] = {"money": YEN, "movement_ref": "m1", "provider_ref": "p1", "at": AT}
NEVER = (
    dt.datetime.min.replace(tzinfo=dt.UTC),
    dt.datetime.max.replace(tzinfo=dt.UTC),
    dt.datetime(1999, 1, 1, tzinfo=dt.UTC),
)
TOO_LONG = (dt.timedelta.max, dt.timedelta(seconds=-1), dt.timedelta(days=366, seconds=1))
UNSTORABLE = ("a\ud800b", "a\x00b")
PAGE = ActionRequired(action=Redirect(url="https://pay.example"), provider_ref="p1")


def payable_until(at: dt.datetime) -> tuple[Voucher, BankInstructions]:
    return (
        Voucher(numbers=(), url=None, stores=(), deadline=at),
        BankInstructions(account="1", payer_reference="2", deadline=at),
    )


def with_text(text: str) -> tuple[Redirect | Voucher | BankInstructions, ...]:
    slip, transfer = payable_until(AT)
    return (
        Redirect(url=text),
        Redirect(url="https://pay.example", method=text),
        Redirect(url="https://pay.example", fields={"a": text}),
        Redirect(url="https://pay.example", fields={text: "a"}),
        attrs.evolve(slip, numbers=(("receipt", text),)),
        attrs.evolve(slip, url=text),
        attrs.evolve(slip, stores=("a", text)),
        attrs.evolve(transfer, account=text),
    )


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
    assert ["m1", "m1"] == told_refs(twice)


def told_refs(payment: Payment) -> list[str]:
    """The ids of earlier movements that the gateway is told when it is asked for a refund."""
    refund = attrs.evolve(payment.operations[0], kind=OperationKind.REFUND)
    return [one.movement_ref for one in request(payment, refund, CAPABILITIES).previous]


@pytest.mark.parametrize("ref", ["pay#12", "#", "m#authorize-final"])
def test_a_gateway_is_told_the_ids_that_its_provider_gave(ref: str) -> None:
    """Whatever stands in them: only what the core itself has added is taken off."""
    won = after(sent_payment(), Authorized(**{**MONEY, "movement_ref": ref})).payment
    assert [ref] == told_refs(won)
    both = snapshot(("authorize", 1_000, ref), ("capture", 1_000, ref))
    assert [ref, ref] == told_refs(learn_snapshot(won, both, CAPABILITIES, AT).payment)


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
        *((OperationKind.BEGIN, Authorized(**{**MONEY, "at": at})) for at in NEVER),
        *((OperationKind.BEGIN, Authorized(**MONEY, expires_at=at)) for at in NEVER),
        *((OperationKind.BEGIN, attrs.evolve(PAGE, expires_at=at)) for at in NEVER),
        *((OperationKind.BEGIN, InDoubt(cause="502", cancel_by=at)) for at in NEVER),
        *((OperationKind.VOID, Expired(at=at)) for at in NEVER),
        *((OperationKind.BEGIN, attrs.evolve(PAGE, action=action)) for at in NEVER for action in payable_until(at)),
        *((OperationKind.BEGIN, Pending(reason="review", check_after=span)) for span in TOO_LONG),
        *((OperationKind.BEGIN, NotSent(cause="429", retry_after=span)) for span in TOO_LONG),
        *(
            (OperationKind.BEGIN, attrs.evolve(PAGE, action=action))
            for text in UNSTORABLE
            for action in with_text(text)
        ),
        (OperationKind.BEGIN, Captured(**MONEY, finality="perhaps")),
        (OperationKind.BEGIN, ActionRequired(action="https://pay.example", provider_ref="p1")),  # type: ignore[arg-type]
    ],
)
def test_what_does_not_answer_the_question_is_in_doubt(kind: OperationKind, answer: Any) -> None:
    """Another type, half a yen, no reference, no zone, a library's last instant, a text that no database holds: it may
    have happened; before sending, it has not.
    """
    assert isinstance(accepted(kind, answer, sent=True), InDoubt)
    assert isinstance(accepted(kind, answer, sent=False), NotSent)


@pytest.mark.parametrize("text", ["a\ud800b", "a\x00b"])
def test_words_that_cannot_be_stored_are_mended(text: str) -> None:
    """No money hangs on them: the outcome is as it was told, and so is what a query or a notice says."""
    declined = Declined(code=text, raw_code=text, retry=text)
    for answer in (declined, Pending(reason=text), InDoubt(cause=text), NotSent(cause=text), Unsupported(what=text)):
        mended = accepted(OperationKind.BEGIN, answer, sent=True)
        assert type(answer) is type(mended)
        assert text not in repr(attrs.astuple(mended))
    view = attrs.evolve(snapshot(status=text), decline=declined)
    query = Query(payment_id=planned_payment().id, begin_reference="any", provider_ref=None, currency="JPY")
    [notice] = accepted_notices((VerifiedNotice(event_key="e", snapshot=view),))  # type: ignore[misc]
    assert accepted_query(query, view) == notice.snapshot  # type: ignore[union-attr]
    assert "a\ufffdb" == notice.snapshot.status == notice.snapshot.decline.raw_code  # type: ignore[union-attr]


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
    never = [attrs.evolve(mine, deadline=at) for at in NEVER]
    for answer in (snapshot(), None, "paid", broken, *never, QueryFailed(cause=7)):  # type: ignore[arg-type]
        assert isinstance(accepted_query(query, answer), QueryFailed)


def unreadable() -> VerifiedNotice:
    """A notice of an event at an instant that cannot be told."""

    class Nowhere(dt.tzinfo):
        def utcoffset(self, moment: dt.datetime | None) -> dt.timedelta:
            raise ZeroDivisionError

    return VerifiedNotice(event_key="e", snapshot=snapshot(), sent_at=AT.replace(tzinfo=Nowhere()))


@pytest.mark.parametrize("answer", [None, ["notice"], ("notice",), (1,), (unreadable(),)])
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
