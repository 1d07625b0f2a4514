"""Our references: the same for the same operation, never shared, in the letters the provider takes."""

import re

import attrs
import pytest

from eckit.kernel.errors import InvalidInputError
from eckit.kernel.ids import PaymentId, ShopId
from eckit.kernel.minting import mint
from eckit.payment.model import OperationKind
from eckit.payment.rules import reference, request_hash
from tests.payment.fakes import CAPABILITIES
from tests.payment.made import METHOD, SHOP

SHAPES = [
    (64, "A-Za-z0-9-"),
    (40, "A-Z0-9"),
    (30, "a-z0-9"),
    (27, "A-Za-z0-9._-"),
    (20, "A-Za-z0-9"),
    (20, "0-9"),
    (32, "A-Z0-9-"),
]


@pytest.mark.parametrize(("longest", "letters"), SHAPES)
def test_references_fit_and_are_never_shared(longest: int, letters: str) -> None:
    """2,000 payments with four operations each: charset, length, no two alike, the same when asked again."""
    capabilities = attrs.evolve(CAPABILITIES, reference_max=longest, reference_chars=letters)
    asked = [
        (PaymentId(mint("payment")), kind, seq)
        for _ in range(2_000)
        for kind, seq in (
            (OperationKind.BEGIN, 1),
            (OperationKind.CAPTURE, 2),
            (OperationKind.REFUND, 2),
            (OperationKind.REFUND, 3),
        )
    ]
    made = [reference(capabilities, SHOP, *one) for one in asked]
    assert made == [reference(capabilities, SHOP, *one) for one in asked]
    assert len(made) == len(set(made))
    assert all(len(name) <= longest and re.fullmatch(f"[{letters}]+", name) for name in made)


def test_two_shops_with_one_merchant_account_do_not_meet() -> None:
    """The shop is a part of the reference."""
    payment, other = PaymentId(mint("payment")), ShopId(mint("shop"))
    one = reference(CAPABILITIES, SHOP, payment, OperationKind.BEGIN, 1)
    assert one != reference(CAPABILITIES, other, payment, OperationKind.BEGIN, 1)


def test_a_gateway_that_takes_neither_letters_nor_digits_is_refused() -> None:
    """There is no reference in punctuation alone."""
    capabilities = attrs.evolve(CAPABILITIES, reference_chars="._")
    with pytest.raises(InvalidInputError):
        reference(capabilities, SHOP, PaymentId(mint("payment")), OperationKind.BEGIN, 1)


@pytest.mark.parametrize("change", [{"amount_minor": 999}, {"currency": "USD"}, {"mode": "live"}, {"reference": "x"}])
def test_a_changed_request_has_another_hash(change: dict[str, object]) -> None:
    """What a reference stands for cannot change unseen."""
    request = {
        "reference": "r",
        "kind": OperationKind.REFUND,
        "amount_minor": 1_000,
        "currency": "JPY",
        "method": METHOD,
        "account": "default",
        "mode": "test",
    }
    assert request_hash(**request) == request_hash(**request)
    assert request_hash(**request) != request_hash(**{**request, **change})
