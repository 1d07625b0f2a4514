"""What a buyer confirmed, as one short text."""

import hashlib
import json
from json.encoder import encode_basestring as _text
from typing import Final

from eckit.catalog.model import SaleUnit
from eckit.pricing.model import Charge, Due, Quote, QuoteGroup, QuoteLine

_PIECES: Final = SaleUnit()


def digest(quote: Quote) -> str:
    """SHA-256 over lines, charges, groups (where they go, how), dues and basis, as 64 hexadecimal digits.

    Not over texts, instants, ids of charges or versions of plugins: the same price at another moment is the same price.
    """
    # JSON in one order and without spaces, written here: a general encoder takes as long as the rest of the pricing.
    basis = _list(quote.basis.value, quote.currency, quote.prices_include_tax, quote.rounding.name)
    lines = ",".join([_line(line) for line in quote.lines])
    charges = ",".join([_charge(charge) for charge in quote.charges])
    groups = ",".join([_group(group) for group in quote.groups])
    dues = ",".join([_due(due) for due in quote.dues])
    document = f"[{basis},[{lines}],[{charges}],[{groups}],[{dues}]]"
    return hashlib.sha256(document.encode()).hexdigest()


def _line(line: QuoteLine) -> str:
    more = ""
    if line.unit is not _PIECES and line.unit != _PIECES:
        more += f",{_list('unit', line.unit.code, line.unit.scale)}"
    if line.choices:
        more += f",{_list('choices', sorted(line.choices.items()))}"
    # Ids are letters, digits and an underscore; everything else is escaped.
    return (
        f'["{line.id}","{line.group_id}","{line.seller_id}","{line.variant_id}",{line.steps},'
        f"{line.unit_minor},{line.goods_minor},{line.total_minor},{_text(line.tax_class)}{more}]"
    )


def _charge(charge: Charge) -> str:
    """What every charge has, then by name what this one has besides."""
    more = ""
    if charge.tax_class is not None:
        more += f',["class",{_text(charge.tax_class)}]'
    if charge.earned_by is not None:
        more += f',["earned",{_text(charge.earned_by)}]'
    if charge.funded_by is not None:
        more += f",{_list('funded', charge.funded_by, charge.promotion_id, charge.coupon)}"
    tax = charge.tax
    if tax is not None:
        rate = format(tax.rate.normalize(), "f")
        more += f",{_list('tax', tax.code, rate, tax.base_minor, tax.jurisdiction, tax.scheme, charge.remitted_by)}"
    included = ",true" if charge.included else ""
    return f"[{_text(charge.kind)},{_text(charge.target)},{_text(charge.code)},{charge.amount_minor}{included}{more}]"


def _group(group: QuoteGroup) -> str:
    place = group.tax_place
    where = None if place is None else [place.country, place.region, place.postal_prefix]
    return _list(group.id, group.mode, group.option, where)


def _due(due: Due) -> str:
    return _list(due.seq, due.amount_minor, due.when, due.payer, due.method)


def _list(*values: object) -> str:
    return json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
