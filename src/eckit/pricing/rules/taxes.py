"""Tax on the sheet: what is asked, what is charged, and who bears which part."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import attrs

from eckit.pricing.model import Charge, ChargeKind, Share, TaxFacts
from eckit.pricing.rules.sheet import ExtraRow, LineRow, Sheet
from eckit.tax.model import Taxable, TaxLine, TaxRequest
from eckit.tax.rules import TaxAmount, compute


@attrs.frozen(kw_only=True)
class TaxAnswer:
    """What one engine said to its part of the request: one line per item, in order."""

    engine: str
    plugin: str
    request: TaxRequest
    lines: tuple[TaxLine, ...]


TaxAsk: TypeAlias = Callable[[TaxRequest], Sequence[TaxAnswer]]
"""Asks the engines: each item of the request goes to exactly one of them."""


class Taxer:
    """Computes the tax of a sheet, as often as its fees change; the engines' rates are asked once."""

    def __init__(self, sheet: Sheet, ask: TaxAsk) -> None:
        self._sheet = sheet
        self._ask = ask
        self._answers: Sequence[TaxAnswer] | None = None
        self._asked_of: tuple[int, ...] = ()

    def added(self) -> int:
        """The tax that comes on top of the sheet as it is; 0 where prices include it."""
        if self._sheet.includes_tax:
            return 0
        return sum(amount.amount_minor for _, amount in self._amounts())

    def charge(self) -> None:
        """Charge the tax: one charge for each code and rate, with the share of every line and charge it is on."""
        sheet = self._sheet
        targets: dict[str, str] = {row.id: row.target for row in sheet.lines}
        targets |= {row.id: f"charge:{row.id}" for row in (*sheet.shipping, *sheet.fees)}
        for answer, amount in self._amounts():
            if amount.base_minor or amount.amount_minor:
                _charge(sheet, answer, amount, targets)

    def _amounts(self) -> Iterable[tuple[TaxAnswer, TaxAmount]]:
        policy = self._sheet.terms.market.rounding
        for answer in self._current():
            for amount in compute(answer.request, answer.lines, policy):
                yield answer, amount

    def _current(self) -> Sequence[TaxAnswer]:
        """The engines' answers for the sheet as it is. Rates hold whatever the fees; amounts are asked again."""
        fees = tuple(row.left for row in self._sheet.fees)
        if self._answers is not None and (fees == self._asked_of or self._gave_rates_only()):
            if fees != self._asked_of:
                self._answers, self._asked_of = _refilled(self._answers, self._sheet), fees
            return self._answers
        request = request_of(self._sheet)
        self._answers, self._asked_of = (self._ask(request) if request.items else ()), fees
        return self._answers

    def _gave_rates_only(self) -> bool:
        return all(line.amount is None for answer in self._answers or () for line in answer.lines)


def request_of(sheet: Sheet) -> TaxRequest:
    """All that is to be taxed, after every reduction."""
    extras = (*sheet.shipping, *sheet.fees)
    return TaxRequest(
        currency=sheet.currency,
        prices_include_tax=sheet.includes_tax,
        seller_country=sheet.terms.legal_entity.country,
        at=sheet.terms.at,
        items=(*map(_goods, sheet.lines), *map(_extra, extras)),
    )


def _goods(row: LineRow) -> Taxable:
    variant = row.offer.variant
    return Taxable(
        key=row.id,
        tax_class=variant.tax_class,
        amount_minor=row.left,
        # What is sold by measure has no single unit that tax could be rounded for.
        quantity_steps=1 if variant.unit.scale else row.steps,
        place=row.place,
    )


def _extra(row: ExtraRow) -> Taxable:
    return Taxable(key=row.id, tax_class=row.tax_class, amount_minor=row.left, quantity_steps=1, place=row.place)


def _refilled(answers: Sequence[TaxAnswer], sheet: Sheet) -> list[TaxAnswer]:
    """The same rates for the amounts as they are now; a fee that is gone is left out."""
    items = {item.key: item for item in request_of(sheet).items}
    refilled = []
    for answer in answers:
        lines = tuple(line for line in answer.lines if line.key in items)
        request = attrs.evolve(answer.request, items=tuple(items[line.key] for line in lines))
        refilled.append(attrs.evolve(answer, request=request, lines=lines))
    return refilled


def _charge(sheet: Sheet, answer: TaxAnswer, amount: TaxAmount, targets: Mapping[str, str]) -> None:
    charge_id = sheet.next_id()
    facts = TaxFacts(
        code=amount.code,
        rate=amount.rate,
        base_minor=amount.base_minor,
        jurisdiction=amount.jurisdiction,
        scheme=amount.scheme,
        engine=answer.engine,
        registration=_registration(sheet, amount.jurisdiction),
    )
    sheet.charges.append(
        Charge(
            id=charge_id,
            target="order",
            kind=ChargeKind.TAX,
            code=amount.code,
            label=amount.label,
            amount_minor=amount.amount_minor,
            included=sheet.includes_tax,
            earned_by="state",
            remitted_by=sheet.terms.channel.tax_remitter,
            tax=facts,
            plugin=answer.plugin,
            plugin_version=sheet.terms.versions.get(answer.plugin, ""),
            rule=amount.code,
        )
    )
    sheet.shares += [Share(charge_id, targets[key], part) for key, part in amount.shares if part]
    if not sheet.includes_tax:
        sheet.added_tax += amount.amount_minor
    inputs = {
        "charge": charge_id,
        "rate": format(amount.rate, "f"),
        "base": str(amount.base_minor),
        "engine": answer.engine,
    }
    sheet.note("tax", "order", amount.code, amount.amount_minor, inputs, plugin=answer.plugin, rounding=amount.rounding)


def _registration(sheet: Sheet, jurisdiction: str) -> str:
    """The number the seller is registered under there, if exactly one of its own country's is valid."""
    entity, terms = sheet.terms.legal_entity, sheet.terms
    if (jurisdiction or entity.country)[:2].upper() != entity.country:
        return ""
    valid = [known.number for known in entity.registrations if known.window.covers(terms.at)]
    return valid[0] if len(valid) == 1 else ""
