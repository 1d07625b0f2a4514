"""A shop with goods and carts that are ready to be ordered, made quickly."""

import json
import random
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from eckit import Actor, mint
from eckit.kernel.minting import mint_token
from tests.acceptance.shelves import stock_shelf
from tests.acceptance.trial import STAFF, Trial, filled


def goods(trial: Trial, count: int) -> dict[str, str]:
    """So many goods with plenty in stock: SKU → variant id."""
    skus = stock_shelf(trial, count)
    with trial.shop.read(STAFF) as work:
        return {sku: work.catalog.variant_by_sku(sku).id for sku in skus}


def ready(trial: Trial, variants: dict[str, str], lines: int, count: int) -> list[tuple[str, str, Any]]:
    """So many carts of so many random lines: (cart id, token, the price that was shown)."""
    dice = random.Random(count)
    skus = sorted(variants)
    first = filled(trial.shop, [(sku, 1) for sku in skus[:lines]]).cart
    ids = {old: variants[old] for old in skus[:lines]}
    copies = []
    with trial.shop.database.writing() as connection:
        row = connection.exec_driver_sql(f"select * from eckit_cart where id = '{first.id}'").mappings().one()
        for _ in range(count):
            body = _renamed(row["body"], list(ids.values()), [variants[sku] for sku in dice.sample(skus, lines)])
            copies.append({**row, "id": mint("cart"), "token": mint_token(), "body": body})
        names = ", ".join(f":{name}" for name in row)
        connection.execute(sa.text(f"insert into eckit_cart ({', '.join(row)}) values ({names})"), copies)
    found = []
    for copy in copies:
        quote = trial.shop.price_cart(Actor.guest(copy["token"]), copy["id"])
        found.append((copy["id"], copy["token"], quote))
    return found


def _renamed(body: str, old: Sequence[str], new: Sequence[str]) -> str:
    """The same cart with other ids and other goods."""
    facts = json.loads(body)
    variants = dict(zip(old, new, strict=True))
    for group in facts["groups"]:
        fresh = mint("group")
        for line in facts["lines"]:
            if line["group_id"] == group["id"]:
                line["group_id"] = fresh
        group["id"] = fresh
    for line in facts["lines"]:
        line["id"], line["variant_id"] = mint("line"), variants[line["variant_id"]]
    return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
