"""Many goods and many promotions at once, for tests of size."""

import json
from collections.abc import Sequence

import sqlalchemy as sa

from eckit import Price, Product, Promotion, RuleRef, Text, Variant, mint
from tests.acceptance.trial import STAFF, Trial


def stock_shelf(trial: Trial, count: int, price: int = 1000) -> list[str]:
    """So many goods, each with plenty in stock; their SKUs."""
    skus = [f"SKU-{number:05}" for number in range(count)]
    ids = [mint("variant") for _ in skus]
    with trial.shop.write(STAFF) as work:
        for sku, variant_id in zip(skus, ids, strict=True):
            product = Product(id=mint("product"), handle=sku.lower(), title=Text.of(sku, ja=sku), state="published")
            variant = Variant(id=variant_id, product_id=product.id, sku=sku, tax_class="standard")
            work.catalog.save(product, [variant])
        listed = next(one for one in work.catalog.price_lists() if one.code == "main")
        prices = [Price(variant_id=one, list_id=listed.id, amount_minor=price) for one in ids]
        for start in range(0, len(prices), 500):
            work.catalog.set_prices(listed.id, prices[start : start + 500])
        for one in ids:
            work.stock.receive(one, 10**6, at="main")
    return skus


def automatic(code: str, sku: str) -> Promotion:
    """10 % off one SKU, without a code."""
    return Promotion(
        id=mint("promotion"),
        code=code,
        title=Text.of(code),
        condition=RuleRef(code="sku", settings={"sku": sku}),
        action=RuleRef(code="percent_off", settings={"percent": "10"}),
    )


def promote(trial: Trial, count: int, skus: Sequence[str] = (), *, by_code: int = 0, prefix: str = "AUTO") -> None:
    """``count`` promotions of one SKU each, the first ones of ``skus``; the last ``by_code`` of them need a code.

    One is saved by its verb, the others are copies of its row.
    """
    if not count:
        return
    about = [*skus[:count], *(f"NO-{number}" for number in range(count - len(skus)))]
    wanted = [automatic(f"{prefix}-{number:05}", sku) for number, sku in enumerate(about)]
    first, *others = wanted
    _save(trial, first)
    coded = {one.id for one in wanted[count - by_code :]}
    with trial.shop.database.writing() as connection:
        row = connection.exec_driver_sql(f"select * from eckit_promotion where id = '{first.id}'").mappings().one()
        copies = [{**row, **_differing(one), "by_coupon": one.id in coded} for one in others]
        codes = [{"code": one.code, "promotion_id": one.id} for one in others if one.id in coded]
        if copies:
            names = ", ".join(f":{name}" for name in row)
            insert = f"insert into eckit_promotion ({', '.join(row)}) values ({names})"
            connection.execute(sa.text(insert), copies)
        if codes:
            insert = "insert into eckit_coupon (code, channel_id, promotion_id) values (:code, '', :promotion_id)"
            connection.execute(sa.text(insert), codes)
    _save(trial, first)  # raises the stamp, so that the copies are seen


def _differing(one: Promotion) -> dict[str, str]:
    condition = {"code": one.condition.code, "settings": dict(one.condition.settings)}
    return {"id": one.id, "code": one.code, "condition": json.dumps(condition)}


def _save(trial: Trial, one: Promotion) -> None:
    with trial.shop.write(STAFF) as work:
        work.promotion.save(one)
