"""The catalog's tables.

``product_category`` holds, for each product, the categories it was put into (``direct``) and all above them, so that a
page of any category, and what a promotion on it covers, is one range of one index. Whoever changes the tree rewrites
these rows, one at a time (:func:`eckit.catalog.store.tree.lock`).

These rows and prices do not check that their product, category or variant is there: for an import that takes longer
than writing them, none of those is ever deleted, and the audit finds rows that lead nowhere.
"""

import datetime as dt
import functools
import json
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from eckit.catalog.rules.texts import made_of
from eckit.kernel.freezing import canonical
from eckit.kernel.tables import Json, at, core_table, currency, ident, minor
from eckit.kernel.text import Text

NO_START: Final = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
"""The start of a price's window that has none: it is part of the key, where databases count each NULL as another."""


class Translated(TypeDecorator[Text]):
    """A translatable text, stored as JSON; short ones are remembered, for pages show the same ones over and over."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Text | None, dialect: Dialect) -> str | None:
        """To the database."""
        return None if value is None else canonical(value.as_dict())

    def process_result_value(self, value: str | None, dialect: Dialect) -> Text | None:
        """From the database."""
        if value is None:
            return None
        return _remembered(value) if len(value) < _SHORT else _text(value)


_SHORT: Final = 500


def _text(stored: str) -> Text:
    return made_of(json.loads(stored).items())


_remembered: Final = functools.lru_cache(maxsize=8192)(_text)

category = core_table(
    "category",
    ident("id", primary_key=True),
    sa.Column("code", sa.String(200), nullable=False, unique=True),
    sa.Column("parent_id", sa.String(80), sa.ForeignKey("eckit.eckit_category.id"), nullable=True, index=True),
    sa.Column("title", Translated, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.CheckConstraint("parent_id <> id", name="parent"),
)

product = core_table(
    "product",
    ident("id", primary_key=True),
    ident("handle", unique=True),
    sa.Column("title", Translated, nullable=False),
    sa.Column("description", Translated, nullable=False),
    sa.Column("words", sa.Text, nullable=False),  # what a search without a plugin looks through
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    at("created_at"),
    sa.CheckConstraint("state in ('draft', 'published', 'archived')", name="state"),
    sa.CheckConstraint("version >= 1", name="version"),
    sa.Index("ix_eckit_product_page", "state", "id"),
)

product_category = core_table(
    "product_category",
    ident("category_id", primary_key=True),
    ident("product_id", primary_key=True),
    sa.Column("direct", sa.Boolean, nullable=False),
    sa.Index("ix_eckit_product_category_product", "product_id"),
    # a page of a category reads product ids in order from the primary key alone
)

variant = core_table(
    "variant",
    ident("id", primary_key=True),
    sa.Column("product_id", sa.String(80), sa.ForeignKey(product.c.id), nullable=False, index=True),
    ident("sku", unique=True),
    sa.Column("option", Translated, nullable=False),
    sa.Column("gtins", Json, nullable=False),
    sa.Column("unit_code", sa.String(3), nullable=False),
    sa.Column("unit_scale", sa.SmallInteger, nullable=False),
    sa.Column("unit_increment", sa.Integer, nullable=False),
    ident("kind"),
    sa.Column("length_mm", sa.Integer, nullable=True),
    sa.Column("width_mm", sa.Integer, nullable=True),
    sa.Column("height_mm", sa.Integer, nullable=True),
    sa.Column("weight_grams", sa.Integer, nullable=True),
    ident("tax_class"),
    sa.Column("hs_code", sa.String(12), nullable=True),
    sa.Column("origin", sa.String(2), nullable=True),
    minor("cost_minor", nullable=True),
    sa.Column("cost_currency", sa.String(3), nullable=True),
    ident("supply_kind"),
    sa.Column("supply_cap_steps", sa.Integer, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint("unit_scale between 0 and 6 and unit_increment >= 1", name="unit"),
    sa.CheckConstraint("cost_minor >= 0 and (cost_minor is null) = (cost_currency is null)", name="cost"),
    sa.CheckConstraint("supply_cap_steps >= 0", name="supply"),
    sa.CheckConstraint("version >= 1", name="version"),
)

price_list = core_table(
    "price_list",
    ident("id", primary_key=True),
    ident("code", unique=True),
    currency(),
    sa.Column("includes_tax", sa.Boolean, nullable=False),
    sa.Column("channel_ids", Json, nullable=False),
    sa.Column("customer_groups", Json, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    at("window_start", nullable=True),
    at("window_end", nullable=True),
    sa.UniqueConstraint("id", "currency"),
    sa.CheckConstraint("window_end > window_start", name="window"),
)

price = core_table(
    "price",
    ident("variant_id", primary_key=True),
    sa.Column("list_id", sa.String(80), primary_key=True),
    sa.Column("min_steps", sa.Integer, primary_key=True, autoincrement=False),
    at("window_start", primary_key=True),
    at("window_end", nullable=True),
    minor("amount_minor"),
    minor("original_minor", nullable=True),
    currency(),
    # so that a row cannot be in another currency than its list
    sa.ForeignKeyConstraint(["list_id", "currency"], [price_list.c.id, price_list.c.currency]),
    sa.CheckConstraint("amount_minor >= 0", name="amount"),
    sa.CheckConstraint("original_minor >= amount_minor", name="original"),
    sa.CheckConstraint("min_steps >= 1", name="min_steps"),
    sa.CheckConstraint("window_end > window_start", name="window"),
)
