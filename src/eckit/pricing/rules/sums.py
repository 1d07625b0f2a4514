"""The check that a quote adds up, whoever made it: our rules, an agreement, or a channel."""

from collections import defaultdict

from eckit.pricing.errors import DoesNotAddUpError
from eckit.pricing.model import Basis, Kind, Quote


def add_up(quote: Quote) -> None:
    """Insist that the parts of a quote make its whole.

    The total is the sum of the charges that are not contained in another; the shares of a charge make the charge; the
    dues make the total; each line is its goods and reductions; nothing is below zero. Of our own and of agreed prices
    also: net amounts and tax by rate make the total.

    :raises DoesNotAddUpError: names the sum, what it should be and what it is.
    """
    charges = quote.charges
    _same("total", quote.total_minor, sum([c.amount_minor for c in charges if not c.included]))
    _same("dues", quote.total_minor, sum([due.amount_minor for due in quote.dues]))
    _not_negative("total", quote.total_minor)
    _shares_make_charges(quote)
    _lines_are_their_charges(quote)
    taxes = [charge for charge in charges if charge.kind is Kind.TAX and charge.tax is not None]
    if taxes and quote.basis is not Basis.EXTERNAL:
        by_rate = sum(c.tax.base_minor + (0 if c.included else c.amount_minor) for c in taxes if c.tax)
        _same("net and tax by rate", quote.total_minor, by_rate)


def _shares_make_charges(quote: Quote) -> None:
    shared: defaultdict[str, int] = defaultdict(int)
    for share in quote.shares:
        shared[share.charge_id] += share.amount_minor
    for charge in quote.charges:
        if charge.id in shared:
            _same(f"shares of {charge.code}", charge.amount_minor, shared.pop(charge.id))
    for charge_id, amount in shared.items():
        _same(f"shares of an unknown charge {charge_id}", 0, amount)


def _lines_are_their_charges(quote: Quote) -> None:
    lines: dict[str, int] = {f"line:{line.id}": 0 for line in quote.lines}
    taxes = set()
    for charge in quote.charges:
        if charge.kind is Kind.TAX:
            taxes.add(charge.id)
        elif charge.target in lines:
            lines[charge.target] += charge.amount_minor
    for share in quote.shares:
        if share.charge_id not in taxes and share.target in lines:
            lines[share.target] += share.amount_minor
    for line in quote.lines:
        _same(f"line {line.id}", line.total_minor, lines[f"line:{line.id}"])
        _not_negative(f"line {line.id}", line.total_minor)


def _same(what: str, expected: int, found: int) -> None:
    if expected != found:
        raise DoesNotAddUpError(what=what, expected=expected, found=found)


def _not_negative(what: str, amount: int) -> None:
    if amount < 0:
        raise DoesNotAddUpError(what=f"{what} is below zero", expected=0, found=amount)
