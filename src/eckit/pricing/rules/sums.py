"""The check that a quote adds up, whoever made it: our rules, an agreement, or a channel."""

from eckit.kernel.ids import ChargeId
from eckit.pricing.errors import DoesNotAddUpError
from eckit.pricing.model import ChargeKind, Quote, QuoteBasis


def add_up(quote: Quote) -> None:
    """Insist that the parts of a quote make its whole.

    The total is the sum of the charges that are not contained in another; the shares of a charge make the charge; the
    dues make the total; each line is its goods and reductions; nothing is below zero. Of our own and of agreed prices
    also: net amounts and tax by rate make the total.

    :raises DoesNotAddUpError: names the sum, what it should be and what it is.
    """
    total, by_rate, taxes = 0, 0, set()
    lines = {f"line:{line.id}": 0 for line in quote.lines}
    for charge in quote.charges:
        amount = charge.amount_minor
        if not charge.included:
            total += amount
        if charge.kind == ChargeKind.TAX:
            taxes.add(charge.id)
            if charge.tax is not None:
                by_rate += charge.tax.base_minor + (0 if charge.included else amount)
        elif charge.target in lines:
            lines[charge.target] += amount
    _same("total", quote.total_minor, total)
    _same("dues", total, sum(due.amount_minor for due in quote.dues))
    _not_negative("total", total)
    if taxes and quote.basis is not QuoteBasis.EXTERNAL:
        _same("net and tax by rate", total, by_rate)
    _share_out(quote, lines, taxes)
    for line in quote.lines:
        _same(f"line {line.id}", line.total_minor, lines[f"line:{line.id}"])
        _not_negative(f"line {line.id}", line.total_minor)


def _share_out(quote: Quote, lines: dict[str, int], taxes: set[ChargeId]) -> None:
    """Check that shares make their charges, and add those that are no tax to their lines."""
    shared: dict[ChargeId, int] = {}
    for share in quote.shares:
        charge_id, amount = share.charge_id, share.amount_minor
        shared[charge_id] = shared.get(charge_id, 0) + amount
        if charge_id not in taxes and share.target in lines:
            lines[share.target] += amount
    for charge in quote.charges if shared else ():
        if charge.id in shared:
            _same(f"shares of {charge.code}", charge.amount_minor, shared.pop(charge.id))
    for charge_id, amount in shared.items():
        _same(f"shares of an unknown charge {charge_id}", 0, amount)


def _same(what: str, expected: int, found: int) -> None:
    if expected != found:
        raise DoesNotAddUpError(what=what, expected=expected, found=found)


def _not_negative(what: str, amount: int) -> None:
    if amount < 0:
        raise DoesNotAddUpError(what=f"{what} is below zero", expected=0, found=amount)
