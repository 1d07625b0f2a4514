"""Uses: claimed with the order or not at all, never more than the limit, given back once."""

import datetime as dt
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from eckit.kernel.actors import Actor
from eckit.kernel.clock import Window
from eckit.kernel.errors import InvalidInputError, NotAllowedError, NotFoundError
from eckit.kernel.ids import CustomerId, OrderId, PromotionId
from eckit.kernel.minting import mint
from eckit.promotion import (
    BuyerUnknownError,
    Coupon,
    CouponExhaustedError,
    CouponTakenError,
    PromotionCodeTakenError,
    RuleRef,
    service as promotion,
)
from eckit.promotion.store import coupon as coupon_table, promotion as promotion_table, redemption
from eckit.testing.begin import START, make_begin
from tests.cart.support import raised, statements_of, together
from tests.promotion.conftest import MALL, STAFF, WEB, Store, a_draft, a_promotion, key_of, use


def _counters(store: Store) -> tuple[int, int, int]:
    """Uses counted for promotions, for codes, and redemptions that are not released."""
    with store.begin.read(STAFF) as work:
        promotions = work.execute(sa.select(sa.func.sum(promotion_table.c.used))).scalar_one() or 0
        codes = work.execute(sa.select(sa.func.sum(coupon_table.c.used))).scalar_one() or 0
        live = work.execute(sa.select(sa.func.count()).where(redemption.c.released_at.is_(None))).scalar_one()
    return int(promotions), int(codes), live


# -- PRM-01 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 5])
def test_a_code_is_used_no_more_often_than_its_limit(store: Store, limit: int) -> None:
    """PRM-01: twenty carts at one moment; exactly as many redemptions as the limit allows, the others are told so."""
    summer = store.save(a_promotion(by_coupon=True), "SUMMER", limit_total=limit)

    results = together(*[lambda: store.redeem(use(summer, "SUMMER"))] * 20)

    assert [CouponExhaustedError] * (20 - limit) == [type(error) for error in raised(results)]
    assert (0, limit, limit) == _counters(store)


def test_a_promotion_is_used_no_more_often_than_its_limit(store: Store) -> None:
    """PRM-01: the limit of the promotion itself, reached through different codes or none."""
    summer = store.save(a_promotion(by_coupon=True, limit_total=3), "A", "B")
    codes = ["A", "B"] * 10

    results = together(*[lambda code=code: store.redeem(use(summer, code)) for code in codes])  # type: ignore[misc]

    assert 17 == len(raised(results))
    assert (3, 0, 3) == _counters(store)
    assert 3 == store.uses(summer)


def test_a_customer_uses_it_no_more_often_than_allowed(store: Store) -> None:
    """PRM-01: one customer with ten carts at one moment gets it once; another customer once more."""
    summer = store.save(a_promotion(by_coupon=True, limit_per_customer=1), "SUMMER")
    aoi, jo = CustomerId(mint("customer")), CustomerId(mint("customer"))

    results = together(*[lambda: store.redeem(use(summer, "SUMMER"), customer_key=key_of(aoi))] * 10)

    assert [CouponExhaustedError] * 9 == [type(error) for error in raised(results)]
    store.redeem(use(summer, "SUMMER"), customer_key=key_of(jo))
    with pytest.raises(CouponExhaustedError) as caught:
        store.redeem(use(summer, "SUMMER"), customer_key=key_of(jo))
    assert ("SUMMER",) == caught.value.codes


def test_all_limits_of_an_order_hold_or_none_is_used(store: Store) -> None:
    """One code is spent: the use of the other, counted a moment before, is given back with the transaction."""
    first = store.save(a_promotion("first", by_coupon=True), "FIRST", limit_total=5)
    spent = store.save(a_promotion("spent", by_coupon=True), "SPENT", limit_total=1)
    store.redeem(use(spent, "SPENT"))

    with pytest.raises(CouponExhaustedError) as caught:
        store.redeem(use(first, "FIRST"), use(spent, "SPENT"))

    assert ("SPENT",) == caught.value.codes
    assert (0, 1, 1) == _counters(store)


def test_carts_with_the_same_codes_in_another_order_do_not_deadlock(store: Store) -> None:
    """Locks are taken in one order, whatever the order of the uses."""
    one, two = (store.save(a_promotion(code, by_coupon=True), code.upper(), limit_total=100) for code in ("a", "b"))
    orders = [(use(one, "A"), use(two, "B")), (use(two, "B"), use(one, "A"))] * 8

    assert [] == raised(together(*[lambda uses=uses: store.redeem(*uses) for uses in orders]))  # type: ignore[misc]
    assert (0, 32, 32) == _counters(store)


def test_a_code_without_a_limit_makes_nobody_wait(store: Store) -> None:
    """Nothing is counted for it, so that no row is locked; its uses are still known."""
    summer = store.save(a_promotion(by_coupon=True), "SUMMER")
    with statements_of(store.begin, store.url) as asked:
        store.redeem(use(summer, "SUMMER"))

    assert (0, 0, 1) == _counters(store)
    assert 1 == store.uses(summer)
    assert not any("FOR UPDATE" in statement for statement in asked)


def test_redeeming_takes_four_statements_at_most(store: Store) -> None:
    """Codes, promotions and customers each in one, and the redemptions: whatever the number of codes."""
    limited = [
        store.save(a_promotion(f"p{n}", by_coupon=True, limit_total=9, limit_per_customer=1), f"P{n}", limit_total=9)
        for n in range(6)
    ]
    free = store.save(a_promotion("free", by_coupon=True), "FREE")
    uses = [*(use(one, f"P{number}") for number, one in enumerate(limited)), use(free, "FREE")]
    with statements_of(store.begin, store.url) as asked:
        store.redeem(*uses, customer_key="cus_x")

    writing = [one for one in asked if "UPDATE" in one.upper() or "INSERT" in one.upper()]
    assert 4 == len([one for one in writing if "_history" not in one])


# -- PRM-03 and giving back -------------------------------------------------------------------------------------------


def test_a_use_exists_only_if_the_order_does(store: Store) -> None:
    """PRM-03: whatever breaks after the claim, the code can still be used."""
    summer = store.save(a_promotion(by_coupon=True, limit_per_customer=1, limit_total=1), "SUMMER", limit_total=1)
    read = {"channel_id": WEB, "customer_key": "cus_x", "currency": "JPY"}

    def claim_and_fail() -> None:
        with store.begin.write(Actor.guest()) as work:
            limits = promotion.limits(work, [summer.id])
            promotion.redeem(work, OrderId(mint("order")), [use(summer, "SUMMER")], limits=limits, **read)  # type: ignore[arg-type]
            raise RuntimeError("the tax plugin failed")

    for _ in range(3):
        with pytest.raises(RuntimeError):
            claim_and_fail()
    assert (0, 0, 0) == _counters(store)
    store.redeem(use(summer, "SUMMER"), customer_key="cus_x")


def test_a_canceled_order_gives_its_uses_back_once(store: Store) -> None:
    """A second cancellation finds nothing; the code, the promotion and the customer can use it again."""
    summer = store.save(a_promotion(by_coupon=True, limit_total=1, limit_per_customer=1), "SUMMER", limit_total=1)
    order = store.redeem(use(summer, "SUMMER"), customer_key="cus_x")
    with pytest.raises(CouponExhaustedError):
        store.redeem(use(summer, "SUMMER"), customer_key="cus_y")

    together(*[lambda: store.release(order)] * 4)

    assert (0, 0, 0) == _counters(store)
    store.redeem(use(summer, "SUMMER"), customer_key="cus_x")
    assert (1, 1, 1) == _counters(store)


def test_a_use_that_is_not_given_back_stays(store: Store) -> None:
    """``released_on_cancel=False``: once used is used, whatever becomes of the order."""
    once = store.save(a_promotion(by_coupon=True, released_on_cancel=False), "ONCE", limit_total=1)
    store.release(store.redeem(use(once, "ONCE")))
    with pytest.raises(CouponExhaustedError):
        store.redeem(use(once, "ONCE"))


# -- PRM-10, PRM-18 ---------------------------------------------------------------------------------------------------


def test_a_channels_own_code_comes_before_the_one_for_all(store: Store) -> None:
    """PRM-10: the same text in two channels opens and counts what each channel's row says."""
    everywhere, web = a_promotion("everywhere", by_coupon=True), a_promotion("web", by_coupon=True)
    store.save(everywhere, "SUMMER", limit_total=5)
    with store.begin.write(STAFF) as work:
        own = Coupon(code="summer", promotion_id=web.id, channel_id=WEB, limit_total=1)
        promotion.save(work, web, [own])

    with store.begin.read(Actor.guest()) as work:
        found = {channel: promotion.coupons(work, ["summer"], channel)["SUMMER"] for channel in (WEB, MALL)}
    assert (web.id, everywhere.id) == (found[WEB].promotion_id, found[MALL].promotion_id)
    store.redeem(use(web, "SUMMER"), channel=WEB)
    with pytest.raises(CouponExhaustedError):
        store.redeem(use(web, "SUMMER"), channel=WEB)
    store.redeem(use(everywhere, "SUMMER"), channel=MALL)
    assert (0, 2, 2) == _counters(store)


def test_a_code_of_one_channel_opens_nothing_in_another(store: Store) -> None:
    """PRM-10: neither when it is typed nor when it is redeemed."""
    mall = a_promotion("mall", by_coupon=True)
    with store.begin.write(STAFF) as work:
        promotion.save(work, mall, [Coupon(code="MALL", promotion_id=mall.id, channel_id=MALL)])

    with store.begin.read(Actor.guest()) as work:
        assert {} == promotion.coupons(work, ["MALL"], WEB)
        assert {} == promotion.coupons(work, [], MALL)
    with pytest.raises(CouponExhaustedError):
        store.redeem(use(mall, "MALL"), channel=WEB)


@pytest.mark.parametrize("nobody", [None, ""])
def test_leaving_out_who_buys_grants_nothing(store: Store, nobody: str | None) -> None:
    """PRM-18: a limit per customer needs a customer; nothing is counted without one."""
    summer = store.save(a_promotion(by_coupon=True, limit_per_customer=1), "SUMMER", limit_total=5)
    with pytest.raises(BuyerUnknownError) as caught:
        store.redeem(use(summer, "SUMMER"), customer_key=nobody)

    assert ("SUMMER",) == caught.value.codes
    assert (0, 0, 0) == _counters(store)


def test_a_guest_is_known_by_the_mailbox() -> None:
    """PRM-18: an account, else the mailbox however it is written; empty is nobody. No address is kept."""
    aoi = CustomerId(mint("customer"))
    assert aoi == key_of(aoi, "aoi@example.jp")
    assert key_of(None, "Ａｏｉ@Example.jp") == key_of(CustomerId(""), "aoi@example.jp")
    assert (None, None) == (key_of(None, ""), key_of(CustomerId(""), ""))
    assert "aoi" not in (key_of(None, "aoi@example.jp") or "")


# -- keeping promotions -----------------------------------------------------------------------------------------------


def test_what_is_saved_is_read_again_whole(store: Store) -> None:
    """Every field survives; saving again changes it and keeps its uses."""
    whole = a_promotion(
        "whole",
        "line_off",
        percent=10,
        sku="SKU-1",
        by_coupon=True,
        priority=3,
        exclusive=True,
        combine="season",
        window=Window(START, START + dt.timedelta(days=1)),
        channel_ids=frozenset({WEB, MALL}),
        limit_total=10,
        limit_per_customer=2,
        released_on_cancel=False,
    )
    store.save(whole, "WHOLE")
    store.redeem(use(whole, "WHOLE"), customer_key="cus_x")
    changed = attrs.evolve(whole, priority=4, limit_total=11, active=False)
    store.save(changed)

    with store.begin.read(STAFF) as work:
        assert changed == promotion.get(work, whole.id)
        assert 1 == promotion.uses(work, whole.id)
    assert (1, 0, 1) == _counters(store)


def test_the_book_is_read_once_per_change(store: Store) -> None:
    """Cached by the stamp ``promotions``; a Work sees its own changes, others those that were committed."""
    summer = store.save(a_promotion())
    with store.begin.read(Actor.guest()) as work:
        first = promotion.book(work)
        assert (first, 1) == (promotion.book(work), first.count)

    def save_and_fail() -> None:
        with store.begin.write(STAFF) as work:
            promotion.save(work, a_promotion("winter"))
            assert 2 == promotion.book(work).count
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError):
        save_and_fail()
    with store.begin.read(Actor.guest()) as work:
        assert first is promotion.book(work)
    store.save(attrs.evolve(summer, active=False))
    with store.begin.read(Actor.guest()) as work:
        assert 0 == promotion.book(work).count


def test_a_promotion_whose_plugin_is_gone_stays_readable(store: Store) -> None:
    """It is left out of the book with its reason, and can still be read and ended."""
    summer = store.save(a_promotion())
    alone = make_begin(store.url, clock=store.clock)
    with alone.read(STAFF) as work:
        book = promotion.book(work)
        assert (0, [summer.id]) == (book.count, list(book.broken))
        assert summer == promotion.get(work, summer.id)
        assert ((), ()) == promotion.apply(work.plugins, book, {}, a_draft(1000), 20)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"id": mint("order")}, "wrong-id"),
        ({"code": "so mmer"}, "unexpected-character"),
        ({"condition": RuleRef(code="full_moon")}, "unknown-code"),
        ({"action": RuleRef(code="order_off", settings={"minor": "much"})}, None),
        ({"action": RuleRef(code="order_off", settings={"miner": 5})}, None),
        ({"limit_total": 0}, "wrong-quantity"),
        ({"limit_total": True}, "wrong-quantity"),
        ({"limit_per_customer": -1}, "wrong-quantity"),
    ],
)
def test_a_promotion_that_cannot_be_is_refused_by_field(
    store: Store, changes: dict[str, Any], code: str | None
) -> None:
    """Unknown plugins and settings that do not fit are found when it is saved, not when somebody buys."""
    with pytest.raises(InvalidInputError) as caught:
        store.save(attrs.evolve(a_promotion(), **changes), "SUMMER")
    assert code is None or [code] == [problem.code for problem in caught.value.problems]
    with store.begin.read(STAFF) as work:
        assert 0 == promotion.book(work).count


def test_codes_are_kept_folded_and_once(store: Store) -> None:
    """ENC-07, PRM-07: full width, case and hyphens are one code; the same twice, or another's, is refused."""
    summer = a_promotion(by_coupon=True)
    store.save(summer, "ｓｕｍｍｅｒ‐２０２６")
    with store.begin.read(Actor.guest()) as work:
        found = promotion.coupons(work, ["Summer-2026", "SUMMER－2026"], WEB)
    assert ["SUMMER-2026"] == list(found)

    with pytest.raises(InvalidInputError):
        store.save(summer, "TWICE", "twice")
    with pytest.raises(CouponTakenError) as caught:
        store.save(a_promotion("winter", by_coupon=True), "summer-2026")
    assert "SUMMER-2026" == caught.value.taken
    with pytest.raises(PromotionCodeTakenError):
        store.save(a_promotion())
    stray = Coupon(code="STRAY", promotion_id=PromotionId(mint("promotion")))
    with pytest.raises(InvalidInputError), store.begin.write(STAFF) as work:
        promotion.save(work, summer, [stray])


def test_a_limit_cannot_be_set_below_the_uses_so_far(store: Store) -> None:
    """Neither the promotion's nor a code's; nothing is changed."""
    summer = store.save(a_promotion(by_coupon=True, limit_total=5), "SUMMER", limit_total=5)
    for _ in range(3):
        store.redeem(use(summer, "SUMMER"))

    with pytest.raises(InvalidInputError) as caught:
        store.save(attrs.evolve(summer, limit_total=2))
    assert ("below-uses", "3") == (caught.value.problems[0].code, caught.value.problems[0].limit)
    with pytest.raises(InvalidInputError):
        store.save(summer, "SUMMER", limit_total=2)
    store.save(attrs.evolve(summer, limit_total=3), "SUMMER", limit_total=3)
    with pytest.raises(CouponExhaustedError):
        store.redeem(use(summer, "SUMMER"))


def test_a_limit_set_later_counts_the_uses_so_far(store: Store) -> None:
    """Two used it while it had no limit: with a limit of three, one is left; a canceled one comes back."""
    summer = store.save(a_promotion(by_coupon=True), "SUMMER")
    orders = [store.redeem(use(summer, "SUMMER")) for _ in range(2)]
    store.save(attrs.evolve(summer, limit_total=3), "SUMMER", limit_total=3)
    assert (2, 2, 2) == _counters(store)

    store.redeem(use(summer, "SUMMER"))
    with pytest.raises(CouponExhaustedError):
        store.redeem(use(summer, "SUMMER"))
    store.release(orders[0])
    assert (2, 2, 2) == _counters(store)


def test_ten_thousand_codes_are_saved_at_once(store: Store) -> None:
    """In chunks, and each with a limit of its own."""
    summer = a_promotion(by_coupon=True)
    store.save(summer, *(f"C{number}" for number in range(10_000)), limit_total=1)
    store.redeem(use(summer, "C9999"))
    with pytest.raises(CouponExhaustedError):
        store.redeem(use(summer, "C9999"))
    assert (0, 1, 1) == _counters(store)


def test_saving_and_reading_need_permissions(store: Store) -> None:
    """Buyers neither save promotions nor read them; what a code opens is only told by pricing a cart."""
    summer = store.save(a_promotion())
    with pytest.raises(NotAllowedError), store.begin.write(Actor.guest()) as work:
        promotion.save(work, summer)
    for verb in (promotion.get, promotion.uses):
        with store.begin.read(Actor.guest()) as work, pytest.raises(NotFoundError):
            verb(work, summer.id)
    assert not hasattr(promotion.Desk, "coupons")


def test_a_limit_holds_while_it_is_changed(store: Store) -> None:
    """Staff raise the limit while buyers use it: never more uses than the highest limit."""
    summer = store.save(a_promotion(by_coupon=True, limit_total=2))

    def buy() -> OrderId:
        return store.redeem(use(summer))

    def more() -> OrderId:
        store.save(attrs.evolve(summer, limit_total=4))
        return OrderId("")

    together(*[buy] * 6, more)
    used, _, live = _counters(store)
    assert used == live
    assert live <= 4
