"""The sealed record: everything of the quote, one canonical text, one digest, no personal data."""

import json

import attrs
import pytest
from hypothesis import given, settings
from sqlalchemy.dialects import sqlite

from eckit.kernel.freezing import canonical
from eckit.kernel.ids import OrderId
from eckit.kernel.minting import mint
from eckit.kernel.tables import Json
from eckit.order import rules
from eckit.order.model import Order, OrderState
from eckit.pricing.model import Quote
from eckit.pricing.rules import digest
from tests.order.quotes import AT, Wish, make_quote
from tests.order.test_refunding import quotes


def agreed(quote: Quote) -> Order:
    order = rules.agree(quote, order_id=OrderId(mint("order")), origin="cart", at=AT, pay_by=None)
    return attrs.evolve(order, number="0000001")


@settings(max_examples=30)
@given(quotes())
def test_sealed_quote_is_read_back_as_it_was(quote: Quote) -> None:
    """The document holds the whole quote: what is read from it is equal, and so is its digest."""
    sealed = rules.seal(rules.document(agreed(quote), quote))
    again = rules.quote_of(json.loads(sealed.text))
    assert quote == again
    assert digest(quote) == digest(again)


def test_placed_order_is_known_from_its_record_alone() -> None:
    """Order and lines follow from the document; only the token, which opens it, does not stand in it."""
    quote = make_quote([Wish(steps=2), Wish(tax_class="reduced")], discount_minor=100)
    order = agreed(quote)
    sealed = rules.seal(rules.document(order, quote))
    placed = rules.as_placed(json.loads(sealed.text))
    assert attrs.evolve(order, digest=sealed.digest) == placed
    assert OrderState.PLACED is placed.state


def test_the_sealed_text_is_what_a_canonical_column_holds() -> None:
    """The digest is made of the very text that is stored."""
    quote = make_quote()
    body = rules.document(agreed(quote), quote)
    assert Json().process_bind_param(body, sqlite.dialect()) == rules.seal(body).text


def test_digest_notices_every_change() -> None:
    """One amount, one text, one key more: another digest."""
    quote = make_quote()
    body = rules.document(agreed(quote), quote)
    before = rules.seal(body).digest
    assert before == rules.seal(json.loads(rules.seal(body).text)).digest
    for changed in (
        {**body, "form": 2},
        {**body, "order": {**body["order"], "number": "0000002"}},
        {**body, "quote": {**body["quote"], "total_minor": 1}},
    ):
        assert before != rules.seal(changed).digest


def test_record_names_parties_by_reference_only() -> None:
    """No name, address, mail address or phone number has a place in a quote; where it goes is kept as a tax place."""
    quote = make_quote()
    text = rules.seal(rules.document(agreed(quote), quote)).text
    [group] = json.loads(text)["quote"]["groups"]
    assert {"country": "JP", "region": "東京都", "postal_prefix": "150"} == group["tax_place"]
    assert str(group["destination"]).startswith("pty_")
    for personal in ('"name"', '"email"', '"phone', '"address"', '"postal_code"', '"lines":["'):
        assert personal not in text


def test_not_a_number_has_no_canonical_text() -> None:
    """Digests are made of JSON that every reader reads alike."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"rate": float("nan")})


def test_a_charge_of_an_unknown_kind_stays_readable() -> None:
    """What a channel or a later version called an amount is kept as it is, and is no error when read."""
    quote = make_quote()
    body = json.loads(rules.seal(rules.document(agreed(quote), quote)).text)
    body["quote"]["charges"][0]["kind"] = "corkage"
    placement = rules.placement_of(OrderId(mint("order")), rules.seal(body).text)
    assert "corkage" == placement.charges[0].kind
    assert quote.charges[0].amount_minor == placement.charges[0].amount_minor
