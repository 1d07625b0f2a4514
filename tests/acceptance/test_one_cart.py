"""One cart yields one order and one charge, however often it is confirmed, and everybody gets the same answer."""

import datetime as dt

import pytest

from tests.acceptance.children import together
from tests.acceptance.confirming import Attempt, at_once, confirm_in_child
from tests.acceptance.trial import Filled, Trial

TIMES = 50
PROCESSES = 4


def _attempts(trial: Trial, filled: Filled, how: str) -> list[Attempt]:
    """Fifty confirmations: with one key, with two keys in turn, or of two quotes of the same cart in turn."""
    quotes = [filled.quote]
    if how == "two quotes":
        trial.clock.advance(dt.timedelta(seconds=30))
        quotes.append(trial.shop.price_cart(filled.buyer, filled.cart.id))
    keys = {"one key": ["k1"], "two keys": ["k1", "k2"], "two quotes": [None]}[how]
    return [
        (
            filled.cart.id,
            quotes[number % len(quotes)].digest,
            quotes[number % len(quotes)].priced_at.isoformat(),
            keys[number % len(keys)],
        )
        for number in range(TIMES)
    ]


@pytest.mark.parametrize("how", ["one key", "two keys", "two quotes"])
def test_50_threads_confirm_one_cart(trial: Trial, how: str) -> None:
    """ORD-01: one order, one charge at the provider; all callers get the same order's id."""
    tea = trial.goods("TEA-50", 648, 200)
    filled = trial.cart(("TEA-50", 2))

    outcomes = at_once(trial.shop, filled.cart.token, _attempts(trial, filled, how))

    _one_order_one_charge(trial, outcomes)
    assert (200, 2) == trial.level(tea)


@pytest.mark.parametrize(
    "how", ["two quotes", *(pytest.param(how, marks=pytest.mark.soak) for how in ("one key", "two keys"))]
)
def test_4_processes_confirm_one_cart(trial: Trial, how: str) -> None:
    """The same across processes."""
    tea = trial.goods("TEA-50", 648, 200)
    filled = trial.cart(("TEA-50", 2))
    attempts = _attempts(trial, filled, how)
    parts = [attempts[number::PROCESSES] for number in range(PROCESSES)]

    place, token = trial.place.to_json(), filled.cart.token
    outcomes = together(confirm_in_child, [(place, token, part) for part in parts])

    _one_order_one_charge(trial, outcomes)
    assert (200, 2) == trial.level(tea)


def _one_order_one_charge(trial: Trial, outcomes: dict[str, int]) -> None:
    with trial.shop.database.reading() as connection:
        ids = list(connection.exec_driver_sql("select id from eckit_order").scalars())
    assert 1 == len(ids)
    assert {ids[0]: TIMES} == dict(outcomes)
    assert ["authorize"] == [kind for kind, _, _ in trial.ledger()]
    assert trial.ledger() == trial.movements()
    assert [] == trial.audit()
