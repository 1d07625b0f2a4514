"""The last stage: from the sheet to the Quote, and what is asked of a Quote before it becomes an order."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from eckit.kernel.errors import ObjectedError, Objection
from eckit.kernel.ids import MethodCode
from eckit.pricing.errors import NotReadyError, QuoteChangedError
from eckit.pricing.model import Due, MethodOffer, Quote, QuoteBasis, QuoteGroup, QuoteLine, QuoteRef
from eckit.pricing.rules.digest import digest
from eckit.pricing.rules.sheet import LineRow, Sheet
from eckit.pricing.rules.sums import add_up
from eckit.promotion.model import CodeAnswer


def dues(total_minor: int, method: MethodCode | None) -> tuple[Due, ...]:
    """What is asked for and when: everything at once; nothing when nothing is left to pay."""
    if not total_minor:
        return ()
    return (Due(seq=1, amount_minor=total_minor, method=method),)


def finish(
    sheet: Sheet,
    *,
    groups: Sequence[QuoteGroup] = (),
    codes: Sequence[CodeAnswer] = (),
    methods: Sequence[MethodOffer] = (),
    objections: Sequence[Objection] = (),
    failures: Sequence[Any] = (),
    stamps: Mapping[str, int] | None = None,
) -> Quote:
    """The quote of a sheet, with its digest; it adds up.

    :raises DoesNotAddUpError: a rule is wrong.
    """
    terms = sheet.terms
    _open_items(sheet, methods)
    total = sheet.total
    quote = Quote(
        cart_id=terms.cart_id,
        cart_version=terms.cart_version,
        basis=QuoteBasis.RULES,
        channel_id=terms.channel.id,
        market_id=terms.market.id,
        customer_id=terms.customer_id,
        buyer=terms.buyer,
        locale=terms.locale,
        currency=sheet.currency,
        prices_include_tax=sheet.includes_tax,
        rounding=terms.market.rounding,
        series=terms.channel.number_series,
        priced_at=terms.at,
        valid_until=terms.at + terms.market.freeze,
        lines=tuple([_line(sheet, row) for row in sheet.lines]),
        groups=tuple(groups),
        charges=tuple(sheet.charges),
        shares=tuple(sheet.shares),
        trace=tuple(sheet.trace),
        rates=tuple([sheet.rates[base] for base in sorted(sheet.rates)]),
        codes=tuple(codes),
        methods=tuple(methods),
        method=terms.method,
        open=tuple(sheet.open),
        objections=tuple(objections),
        failures=tuple(failures),
        total_minor=total,
        dues=dues(total, terms.method),
        stamps=dict(stamps or {}),
    )
    return with_digest(quote)


def _line(sheet: Sheet, row: LineRow) -> QuoteLine:
    variant = row.offer.variant
    return QuoteLine(
        id=row.id,
        group_id=row.group_id,
        seller_id=sheet.terms.channel.seller_id,
        variant_id=variant.id,
        sku=variant.sku,
        title=row.offer.product.title,
        option=variant.option,
        choices=row.wanted.choices,
        steps=row.steps,
        unit=variant.unit,
        list_minor=row.list_minor,
        unit_minor=row.unit_minor,
        goods_minor=row.goods,
        total_minor=row.left,
        tax_class=variant.tax_class,
        supply=variant.supply,
        kind=variant.kind,
        weight_grams=variant.measures.weight_grams,
        hs_code=variant.hs_code,
        origin=variant.origin,
        cost_minor=variant.cost_minor,
        cost_currency=variant.cost_currency,
    )


def _open_items(sheet: Sheet, methods: Sequence[MethodOffer]) -> None:
    if not sheet.lines:
        sheet.missing("lines", "lines")
    if sheet.terms.buyer is None:
        sheet.missing("buyer", "buyer")
    if sheet.total:
        offered = {offer.method for offer in methods if offer.offered}
        if sheet.terms.method is None or sheet.terms.method not in offered:
            sheet.missing("payment", "method")


def require_same(quote: Quote, agreed: QuoteRef) -> None:
    """Insist that it costs what was confirmed.

    :raises QuoteChangedError: carries the new quote.
    """
    if quote.digest != agreed.digest:
        raise QuoteChangedError(quote=quote)


def require_ready(quote: Quote) -> None:
    """Insist that nothing is missing and nobody objects.

    :raises NotReadyError: carries the open items.
    :raises ObjectedError: carries the objections.
    """
    if quote.open:
        raise NotReadyError(open=quote.open)
    if quote.objections:
        raise ObjectedError(objections=quote.objections)


def with_digest(quote: Quote) -> Quote:
    """A quote that was put together elsewhere (agreed before, or a channel's), checked and with its digest.

    :raises DoesNotAddUpError: its figures do not make their sums.
    """
    add_up(quote)
    return attrs.evolve(quote, digest=digest(quote))
