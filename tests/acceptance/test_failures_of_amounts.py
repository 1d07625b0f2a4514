"""Known failures of money: units of currencies, places of rounding, one number in every paper."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final

import attrs
import pytest

from eckit import (
    Action,
    Adjustment,
    Coupon,
    Draft,
    EckitError,
    ImportRefusedError,
    Matched,
    OrderState,
    Placement,
    Promotion,
    QuoteChangedError,
    Rounding,
    RoundingPolicy,
    RuleRef,
    TaxLine,
    Text,
    format_money,
    from_minor,
    hookimpl,
    mint,
)
from tests.acceptance.abroad import Abroad, Post
from tests.acceptance.trial import STAFF, Filled, Trial

UNITS: Final = {"JPY": (80, 80, "¥80"), "KRW": (1, 1, "₩1"), "VND": (500, 500, "₫500"), "EUR": (80, 80, "€0.80")}
"""Currency → the price in the catalog, the number the provider must get, what people read: a table, not a formula."""


def test_the_provider_gets_the_number_that_was_agreed(begun: Callable[..., Trial], provider: Any) -> None:
    """MNY-01, MNY-03: the raw request, the provider's own ledger, what the shop booked afterwards: 80 yen are 80, and
    the mail says "80" and not "80.00".
    """
    post = Post()
    trial = begun(provider, plugins=[post])
    for currency, (price, sent, read) in UNITS.items():
        abroad = Abroad.opened(trial, currency)
        abroad.goods(f"SONG-{currency}", price)
        buyer, order = abroad.cart([(f"SONG-{currency}", 1)]).placed()
        waiting = trial.pay(buyer, order, "tok_challenge").payment
        assert waiting is not None
        trial.provider.approve(waiting.begin_reference)
        trial.shop.resume_payment(buyer, order.id, {})

        raw = json.loads(trial.provider.requests("begin")[-1]["body"])
        [entry] = [one for one in trial.provider.ledger() if one.reference == waiting.begin_reference]
        with trial.shop.read(STAFF) as work:
            [booked] = [move for one in work.payment.for_order(order.id) for move in one.movements]
        mail = next(one for one in post.posted(trial) if order.number in one.subject)
        assert (sent, currency) == (raw["amount"], raw["currency"])
        assert (sent, currency) == (entry.amount, entry.currency)
        assert (sent, currency) == (booked.amount_minor, booked.currency)
        assert read in mail.text
    assert [] == trial.audit()


def test_half_a_yen_is_rounded_in_one_place_and_a_finer_price_refused(trial: Trial) -> None:
    """MNY-03: ten percent off five yen is one yen, half up; an import of 16.24 yen is refused and stores nothing."""
    abroad = Abroad.opened(trial, "JPY")
    abroad.goods("PIN", 5)
    _promote(trial, "TEN", "percent_off", {"percent": "10"}, code="TEN")

    ready = abroad.cart([("PIN", 1)], code="TEN")
    _, order = ready.placed()

    assert [-1] == [charge.amount_minor for charge in ready.quote.charges if charge.kind == "discount"]
    assert 4 == ready.quote.total_minor == order.total_minor
    rows = b"handle,title_en,sku,price_jpy,tax_class,stock\ncup,Cup,CUP,16.24,standard,1\n"
    with pytest.raises(ImportRefusedError) as caught:
        trial.shop.import_products(STAFF, rows)
    assert "16.24" in caught.value.text("en") + str(caught.value.report)
    with pytest.raises(EckitError), trial.shop.read(STAFF) as work:
        work.catalog.variant_by_sku("CUP")


def _promote(
    trial: Trial, name: str, action: str, settings: dict[str, Any], *, code: str = "", sku: str = "PIN", **more: Any
) -> None:
    """A promotion on a SKU or on everything in euro, by a code or by itself."""
    euro = RuleRef(code="goods_minimum", settings={"minimum_minor": 1, "currency": "EUR"})
    promotion = Promotion(
        id=mint("promotion"),
        code=name,
        title=Text.of(name),
        condition=RuleRef(code="sku", settings={"sku": sku}) if sku else euro,
        action=RuleRef(code=action, settings=settings),
        by_coupon=bool(code),
        **more,
    )
    with trial.shop.write(STAFF) as work:
        work.promotion.save(promotion, [Coupon(code=code, promotion_id=promotion.id)] if code else [])


# -- tax from outside -------------------------------------------------------------------------------------------------


class RemoteTax:
    """An engine that computes itself, and knows no yen: 10.4 and 10.6."""

    code = "remote"

    def load(self, own: Any, at: Any) -> None:
        """No tables."""

    def answer(self, facts: Any, request: Any) -> tuple[TaxLine, ...]:
        """One line each."""
        amounts = (Decimal("10.4"), Decimal("10.6"))
        return tuple(
            TaxLine(key=item.key, code="vat", rate=Decimal("0.1"), label=Text.of("VAT"), amount=amount)
            for item, amount in zip(request.items, amounts, strict=True)
        )


class RemoteTaxPlugin:
    """Plugin ``remote``."""

    name = "remote"
    version = "1"
    eckit_interface: ClassVar = {"tax": 1}

    @hookimpl
    def register_tax_engines(self) -> tuple[RemoteTax, ...]:
        """The engine."""
        return (RemoteTax(),)


def test_taxes_from_outside_become_whole_yen(begun: Callable[..., Trial], provider: Any) -> None:
    """MNY-04: 10.4 and 10.6 yen of tax: whole yen on each line, together 21, in the quote, the order and the charge."""
    trial = begun(provider, plugins=[RemoteTaxPlugin()])
    abroad = Abroad.opened(trial, "JPY", includes_tax=False)
    with trial.shop.write(STAFF) as work:
        work.channel.save_market(attrs.evolve(abroad.market, tax_engine="remote"))
    abroad.goods("A", 104)
    abroad.goods("B", 106)

    ready = abroad.cart([("A", 1), ("B", 1)])
    buyer, order = ready.placed()
    trial.pay(buyer, order)

    with trial.shop.read(STAFF) as work:
        shares = work.order.get(order.id).placement.shares
    taxes = [share.amount_minor for share in shares]
    assert ([10, 11], 21, 231) == (sorted(taxes), sum(taxes), order.total_minor)
    assert [231] == [amount for _, amount, _ in trial.ledger()]
    assert [] == trial.audit()


# -- one number -------------------------------------------------------------------------------------------------------

LEVELS: Final = {"unit": 153 + 50, "line": 151 + 50, "rate": 201}
"""Tax of 3 × 0.335 and 0.333 dinar at 14.975 %, always rounded up: by unit 0.051 × 3, by line 0.151, by rate once."""


def test_one_number_in_every_paper(begun: Callable[..., Trial], provider: Any) -> None:
    """MNY-06: at each level of rounding the quote, the order, the mail, the CSV, the provider's request and its ledger
    say one total, which is the sum of what they show.
    """
    post = Post()
    trial = begun(provider, plugins=[post])
    for level, tax in LEVELS.items():
        policy = RoundingPolicy(level=level, mode=Rounding.CEIL)
        abroad = Abroad.opened(trial, "KWD", code=level, includes_tax=False, rate="0.14975", rounding=policy)
        abroad.goods(f"A-{level}", 335)
        abroad.goods(f"B-{level}", 333)
        ready = abroad.cart([(f"A-{level}", 3), (f"B-{level}", 1)])
        _same_everywhere(trial, post, ready, tax)


def _same_everywhere(trial: Trial, post: Post, ready: Filled, tax: int) -> None:
    buyer, order = ready.placed()
    trial.pay(buyer, order)
    total = 1005 + 333 + tax
    read = format_money(from_minor(total, "KWD"), "en")
    with trial.shop.read(STAFF) as work:
        view = work.order.get(order.id)
        rows = {row["id"]: row for row in csv.DictReader(io.StringIO("".join(work.order.export_orders())))}
        [payment] = work.payment.for_order(order.id)
    mail = next(one for one in post.posted(trial) if order.number in one.subject)
    sealed = view.placement.body["quote"]["total_minor"]
    assert {total} == {ready.quote.total_minor, order.total_minor, view.order.total_minor, sealed, payment.amount_minor}
    assert [1005, 333] == [line.total_minor for line in view.order.lines]
    assert tax == sum(charge.amount_minor for charge in view.placement.charges if charge.kind == "tax")
    assert total == sum(line.amount_minor for line in trial.shop.explain(view) if not line.included)
    assert total == json.loads(trial.provider.requests("begin")[-1]["body"])["amount"]
    assert total == trial.provider.ledger()[-1].amount
    assert from_minor(total, "KWD").amount == Decimal(rows[order.id]["total"])
    assert read in mail.text
    assert read in mail.html.replace("&nbsp;", " ")


def _policy(placement: Placement) -> str:
    rounding = placement.body["quote"]["rounding"]
    return f"{rounding['level']}/{rounding['mode']}"


def test_an_order_keeps_the_rounding_it_was_placed_with(trial: Trial) -> None:
    """MNY-07: rounding is changed after placement: the old order keeps its policy, its amounts and its refund; only
    what was not placed yet is priced anew.
    """
    abroad = Abroad.opened(
        trial, "JPY", includes_tax=False, rate="0.10", rounding=RoundingPolicy(level="line", mode=Rounding.CEIL)
    )
    abroad.goods("A", 105)
    buyer, order = abroad.paid([("A", 1)])
    waiting = abroad.cart([("A", 1)])
    down = RoundingPolicy(level="line", mode=Rounding.FLOOR)
    with trial.shop.write(STAFF) as work:
        work.channel.save_market(attrs.evolve(abroad.market, rounding=down))

    with pytest.raises(QuoteChangedError) as caught:
        waiting.placed()
    with trial.shop.read(STAFF) as work:
        kept = work.order.get(order.id)
        [payment] = work.payment.for_order(order.id)
    trial.shop.capture_payment(STAFF, payment.id)
    trial.shop.cancel_order(buyer, order.id)
    trial.shop.chase()

    assert (116, 115) == (kept.order.total_minor, caught.value.quote.total_minor)
    assert ("line/ceil", down.name) == (_policy(kept.placement), caught.value.quote.rounding.name)
    assert [116] == [amount for kind, amount, _ in trial.ledger() if kind == "refund"]
    assert OrderState.CANCELED is trial.view(order.id).state
    assert [] == trial.audit()


# -- parts of a unit, and nothing below zero --------------------------------------------------------------------------


def test_a_line_is_rounded_before_anything_rests_on_it(trial: Trial) -> None:
    """MNY-14: 0.333, 1.5 and 2.675 kg at 1.99, ten percent off, tax on top: whole cents at each step, which add up, and
    two refunds of parts are exactly the whole.
    """
    abroad = Abroad.opened(
        trial, "EUR", includes_tax=False, rate="0.10", rounding=RoundingPolicy(level="line", mode=Rounding.HALF_UP)
    )
    skus = ("PIN", "TEA", "NUTS")
    for sku in skus:
        abroad.goods(sku, 199, scale=3)
    _promote(trial, "TEN", "percent_off", {"percent": "10"}, sku="")
    _, order = abroad.paid(list(zip(skus, (333, 1500, 2675), strict=True)))

    assert [66, 299, 532] == [line.goods_minor for line in order.lines]
    assert [59, 269, 479] == [line.total_minor for line in order.lines]
    assert 59 + 6 + 269 + 27 + 479 + 48 == order.total_minor
    with trial.shop.read(STAFF) as work:
        [payment] = work.payment.for_order(order.id)
    trial.shop.capture_payment(STAFF, payment.id)
    trial.shop.refund_payment(STAFF, payment.id, from_minor(65, "EUR"), key="one", reason="part")
    with pytest.raises(EckitError):
        trial.shop.refund_payment(STAFF, payment.id, from_minor(824, "EUR"), key="more", reason="too much")
    trial.shop.refund_payment(STAFF, payment.id, from_minor(823, "EUR"), key="two", reason="the rest")
    assert [65, 823] == [one.amount for one in trial.provider.ledger() if one.kind == "refund"]
    assert [] == trial.audit()


@attrs.frozen(kw_only=True)
class EachSettings:
    """How much is off each unit."""

    each_minor: int


class OffEach:
    """A fixed amount off each unit, however small its price."""

    code = "off_each"
    settings = EachSettings
    phase = 10

    def propose(self, draft: Draft, rules: Sequence[tuple[EachSettings, Matched]]) -> Sequence[tuple[Adjustment, ...]]:
        """One adjustment per line."""
        lines = {line.id: line for line in draft.lines}
        return [
            tuple(
                Adjustment(
                    code="",
                    label="",
                    amount=from_minor(-rule.each_minor * lines[line_id].steps, draft.currency),
                    target=line_id,
                )
                for line_id in matched.lines
            )
            for rule, matched in rules
        ]


class OffEachPlugin:
    """Plugin ``off-each``."""

    name = "off-each"
    version = "1"
    eckit_interface: ClassVar = {"promotion": 1}

    @hookimpl
    def register_promotion_actions(self) -> tuple[Action, ...]:
        """The action."""
        return (OffEach(),)


def test_no_line_costs_less_than_nothing(begun: Callable[..., Trial], provider: Any) -> None:
    """MNY-16: 3 each, 5 off each of two, ten percent besides: the line is 0, and the discount that is recorded is 6."""
    trial = begun(provider, plugins=[OffEachPlugin()])
    abroad = Abroad.opened(trial, "EUR")
    abroad.goods("PIN", 300)
    abroad.goods("CUP", 100)
    _promote(trial, "FIVE", "off_each", {"each_minor": 500}, priority=10, combine="stack")
    _promote(trial, "TEN", "percent_off", {"percent": "10"})
    ready = abroad.cart([("PIN", 2), ("CUP", 1)])
    buyer, order = ready.placed()
    trial.pay(buyer, order)

    with trial.shop.read(STAFF) as work:
        placement = work.order.get(order.id).placement
    discounts = [charge.amount_minor for charge in placement.charges if charge.kind == "discount"]
    assert ([600, 100], [0, 100]) == (
        [line.goods_minor for line in order.lines],
        [line.total_minor for line in order.lines],
    )
    assert (-600, 100) == (sum(discounts), order.total_minor)
    assert [100] == [amount for _, amount, _ in trial.ledger()]
    assert [] == trial.audit()
