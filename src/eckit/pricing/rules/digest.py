"""What a buyer confirmed, as one short text."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from eckit.customer.model import TaxPlace
from eckit.pricing.model import Charge, Due, Quote, QuoteGroup, QuoteLine


def digest(quote: Quote) -> str:
    """SHA-256 over lines, charges, groups (where they go, how), dues and basis, as 64 hexadecimal digits.

    Not over texts, instants, ids of charges or versions of plugins: the same price at another moment is the same price.
    """
    document = [
        quote.basis.value,
        quote.currency,
        quote.prices_include_tax,
        quote.rounding.name,
        [_line(line) for line in quote.lines],
        [_charge(charge) for charge in quote.charges],
        [_group(group) for group in quote.groups],
        [_due(due) for due in quote.dues],
    ]
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _line(line: QuoteLine) -> Sequence[Any]:
    return (
        line.id,
        line.group_id,
        line.seller_id,
        line.variant_id,
        line.steps,
        line.unit.code,
        line.unit.scale,
        line.unit_minor,
        line.goods_minor,
        line.total_minor,
        line.tax_class,
        sorted(line.choices.items()) if line.choices else 0,
    )


def _charge(charge: Charge) -> Sequence[Any]:
    tax = charge.tax
    return (
        charge.target,
        charge.kind.value,
        charge.code,
        charge.amount_minor,
        charge.tax_class,
        charge.included,
        charge.funded_by,
        charge.earned_by,
        charge.remitted_by,
        charge.promotion_id,
        charge.coupon,
        tax and (tax.code, format(tax.rate.normalize(), "f"), tax.base_minor, tax.jurisdiction, tax.scheme),
    )


def _group(group: QuoteGroup) -> Sequence[Any]:
    return group.id, group.mode, group.option, group.tax_place and _place(group.tax_place)


def _place(place: TaxPlace) -> Sequence[Any]:
    return place.country, place.region, place.postal_prefix


def _due(due: Due) -> Sequence[Any]:
    return due.seq, due.amount_minor, due.when, due.payer, due.method
