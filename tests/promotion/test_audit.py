"""The auditor finds every broken invariant of promotions, by name, and nothing where nothing is broken."""

import attrs
import pytest
import sqlalchemy as sa

from eckit.promotion import audit
from eckit.promotion.store import coupon, per_customer, promotion as promotion_table, redemption
from eckit.testing.begin import START
from tests.planting import again, broken, broken_by
from tests.promotion.conftest import Store, a_promotion, use

ALL = (redemption, per_customer, coupon, promotion_table)


@pytest.fixture
def lived(store: Store) -> Store:
    """Promotions of every kind, used, given back, and limited after they had been used."""
    limited = store.save(a_promotion("a", by_coupon=True, limit_total=5, limit_per_customer=2), "A", limit_total=4)
    free = store.save(a_promotion("b", by_coupon=True), "B")
    store.save(a_promotion("c"))
    for key in ("cus_x", "cus_x", "cus_y"):
        store.redeem(use(limited, "A"), use(free, "B"), customer_key=key)
    store.release(store.redeem(use(limited, "A"), customer_key="cus_z"))
    store.redeem(use(free, "B"))
    store.save(attrs.evolve(free, limit_total=9), "B", limit_total=9)
    store.release(store.redeem(use(free, "B")))
    return store


def test_what_lived_is_sound(lived: Store) -> None:
    """Nothing is broken by anything the verbs do."""
    assert [] == broken(lived.begin, audit.CHECKS)


def test_each_broken_invariant_is_named(lived: Store) -> None:
    """A row of each kind is broken; its invariant is named, and those that follow from the same number."""
    live = redemption.c.released_at.is_(None)
    plantings: dict[str, sa.Executable] = {
        "promotion-within-its-limit": sa.update(promotion_table).values(used=-1),
        "promotion-counts-its-uses": sa.update(redemption).where(live).values(released_at=START),
        "code-within-its-limit": sa.update(coupon).values(limit_total=0),
        "code-counts-its-uses": sa.update(coupon).values(used=coupon.c.used + 1),
        "customer-within-the-limit": sa.update(per_customer).values(cap=0),
        "customer-counts-the-uses": sa.update(per_customer).values(used=per_customer.c.used + 1),
        "use-names-its-promotion": sa.delete(promotion_table),
        "use-names-its-code": sa.update(redemption).values(coupon="GONE"),
        "one-use-of-an-order": again(redemption),
        "code-opens-a-promotion": sa.update(coupon).values(promotion_id="prm_gone"),
        "promotion-window-is-half-open": sa.update(promotion_table).values(starts_at=START, ends_at=START),
    }
    assert {check.invariant for check in audit.CHECKS} == set(plantings)
    for invariant, planting in plantings.items():
        assert invariant in broken_by(lived.begin, audit.CHECKS, ALL, planting), invariant
    assert [] == broken(lived.begin, audit.CHECKS)


def test_more_uses_than_the_limit_are_found_even_if_nobody_counted_them(lived: Store) -> None:
    """The rows decide, not the counter."""
    planting = sa.update(promotion_table).where(promotion_table.c.limit_total.is_not(None)).values(limit_total=1)
    assert "promotion-within-its-limit" in broken_by(lived.begin, audit.CHECKS, ALL, planting)
