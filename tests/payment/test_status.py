"""A payment's status is a function of its operations and movements, whatever the order they came in."""

import datetime as dt
import itertools
from typing import Any

import pytest

from eckit.payment.model import PaymentStatus, StoredMovement, StoredOperation
from eckit.payment.rules import status, sums
from tests.payment.made import AT, movement, operation

SLIP = {"kind": "voucher", "numbers": [], "url": None, "stores": [], "deadline": AT.isoformat()}
PAGE = {"kind": "redirect", "url": "https://pay.example", "method": "GET", "fields": {}}
HOUR = dt.timedelta(hours=1)


def begin(state: str, **more: Any) -> StoredOperation:
    return operation("begin", state, **more)


def auth(minor: int = 1_000, ref: str = "a") -> StoredMovement:
    return movement("authorize", minor, ref, reference="ref-1")


def capture(minor: int = 1_000, ref: str = "c", finality: str = "final") -> StoredMovement:
    return movement("capture", minor, ref, finality=finality)


def of(operations: list[StoredOperation], movements: list[StoredMovement], now: dt.datetime = AT) -> PaymentStatus:
    return status(operations, movements, now, amount_minor=1_000, currency="JPY")


CASES: list[tuple[str, list[StoredOperation], list[StoredMovement]]] = [
    ("new", [begin("planned")], []),
    ("processing", [begin("sent")], []),
    ("awaiting_buyer", [begin("waiting_buyer", action=PAGE)], []),
    ("awaiting_funds", [begin("waiting_buyer", action=SLIP)], []),
    ("processing", [begin("waiting_provider")], []),
    ("processing", [begin("in_doubt")], []),
    ("declined", [begin("failed", decline_code="fraud")], []),
    ("expired", [begin("failed", cause="expired")], []),
    ("expired", [begin("expired")], []),
    ("canceled", [begin("canceled")], []),
    ("voided", [begin("canceled", action=SLIP)], []),
    ("authorized", [begin("succeeded")], [auth()]),
    ("authorized", [begin("succeeded", expires_at=AT + HOUR)], [auth()]),
    ("auth_expired", [begin("succeeded", expires_at=AT)], [auth()]),
    ("partially_captured", [begin("succeeded")], [auth(), capture(400)]),
    ("paid", [begin("succeeded")], [auth(), capture(400), movement("void", 600, "v")]),
    ("paid", [begin("succeeded")], [auth(), capture()]),
    ("paid", [begin("succeeded")], [auth(), capture(400), capture(600, "c2")]),
    ("paid", [begin("succeeded")], [capture()]),
    ("voided", [begin("succeeded")], [auth(), movement("void", 1_000, "v")]),
    ("paid_provisional", [begin("waiting_buyer", action=SLIP)], [capture(finality="provisional")]),
    ("paid", [begin("succeeded", action=SLIP)], [capture(finality="provisional"), capture(ref="c2")]),
    (
        "awaiting_funds",
        [begin("waiting_buyer", action=SLIP)],
        [capture(finality="provisional"), movement("capture_reversed", 1_000, "x")],
    ),
    (
        "paid_provisional",
        [begin("waiting_buyer", action=SLIP)],
        [
            capture(finality="provisional"),
            movement("capture_reversed", 1_000, "x"),
            capture(ref="c2", finality="provisional"),
        ],
    ),
    ("partially_paid", [begin("waiting_buyer", action=SLIP)], [capture(400)]),
    ("paid", [begin("succeeded", action=SLIP)], [capture(400), capture(600, "c2")]),
    ("overpaid", [begin("succeeded", action=SLIP)], [capture(1_500)]),
    ("late_paid", [begin("succeeded", action=SLIP, late=True)], [capture()]),
    ("partially_refunded", [begin("succeeded")], [auth(), capture(), movement("refund", 300, "r")]),
    ("refunded", [begin("succeeded")], [auth(), capture(), movement("refund", 1_000, "r")]),
    (
        "paid",
        [begin("succeeded")],
        [
            auth(),
            capture(),
            movement("refund", 300, "r", reference="ref-3"),
            movement("refund_failed", 300, "f", reference="ref-3"),
        ],
    ),
    ("disputed", [begin("succeeded")], [capture(), movement("dispute", 1_032, "d")]),
    ("paid", [begin("succeeded")], [capture(), movement("dispute", 1_032, "d"), movement("dispute_won", 1_032, "w")]),
    (
        "charged_back",
        [begin("succeeded")],
        [capture(), movement("dispute", 1_032, "d"), movement("dispute_lost", 1_032, "l")],
    ),
]


@pytest.mark.parametrize(("expected", "operations", "movements"), CASES)
def test_status_is_as_the_table_says(
    expected: str, operations: list[StoredOperation], movements: list[StoredMovement]
) -> None:
    """Each row of the table of payments, by example."""
    assert expected == of(operations, movements).state.value


@pytest.mark.parametrize(("expected", "operations", "movements"), CASES)
def test_status_does_not_depend_on_the_order_of_arrival(
    expected: str, operations: list[StoredOperation], movements: list[StoredMovement]
) -> None:
    """Every permutation of the movements gives the same status."""
    found = {of(operations, list(order)).state.value for order in itertools.permutations(movements)}
    assert {expected} == found


KINDS = [
    auth(),
    auth(500, "a2"),
    capture(),
    capture(400, "c4"),
    capture(1_000, "p", "provisional"),
    movement("capture_reversed", 1_000, "x"),
    movement("void", 600, "v"),
    movement("refund", 300, "r", reference="ref-3"),
    movement("refund_failed", 300, "f", reference="ref-3"),
    movement("dispute", 1_032, "d"),
    movement("dispute_won", 1_032, "w"),
]


@pytest.mark.parametrize("size", range(1, 6))
def test_every_set_of_movements_has_one_status(size: int) -> None:
    """For every set of up to five movements, all orders of arrival agree; no sum is ever negative."""
    for chosen in itertools.combinations(KINDS, size):
        orders = (
            itertools.permutations(chosen) if size < 5 else itertools.islice(itertools.permutations(chosen), 0, None, 7)
        )
        assert 1 == len({of([begin("succeeded")], list(order)) for order in orders})
        total = sums(chosen, currency="JPY")
        assert min(total.captured_final, total.captured_provisional, total.refunded, total.disputed) >= 0


def test_in_doubt_lies_over_the_status_and_changes_no_sum() -> None:
    """A refund in doubt: the payment is paid as before, and marked."""
    found = of([begin("succeeded"), operation("refund", "in_doubt", 2, 300)], [auth(), capture()])
    assert ("paid", True, True) == (found.state.value, found.in_doubt, found.refund_pending)


def test_money_of_another_currency_is_no_part_of_any_sum() -> None:
    """Amounts of two currencies never meet."""
    total = sums([auth(), movement("authorize", 1_000, "usd", currency="USD")], currency="JPY")
    assert 1_000 == total.authorized


def test_a_pending_refund_is_reserved() -> None:
    """Sums count what is being given back, until it is done or has failed."""
    total = sums(
        [capture()],
        [operation("refund", "waiting_provider", 2, 300), operation("refund", "failed", 3, 200)],
        currency="JPY",
    )
    assert (1_000, 300, 0) == (total.captured, total.refund_pending, total.refunded)
