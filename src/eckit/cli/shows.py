"""What commands print about quotes, orders, imports and audits."""

from collections.abc import Sequence
from typing import Final

from eckit.catalog.model import ImportReport
from eckit.cli.opening import OPERATOR
from eckit.cli.printing import grid, say
from eckit.kernel.auditing import Violation
from eckit.kernel.money import format_minor
from eckit.kernel.texts import say as text_of
from eckit.order.model import Amendment, Order, OrderView, Placement
from eckit.pricing import rules as pricing_rules
from eckit.pricing.model import Charge, ChargeKind, Quote
from eckit.shop import Shop

_SHOWN: Final = 50


def _t(key: str, locale: str, **facts: object) -> str:
    return text_of(f"cli.{key}", locale, **facts)


def _word(kind: str, code: str, locale: str) -> str:
    """A state, a reason or the like in words; one of somebody else's stays as it is."""
    key = f"cli.{kind}.{code}"
    said = text_of(key, locale)
    return code if said == key else said


# -- quotes and orders ------------------------------------------------------------------------------------------------


def show_quote(quote: Quote, locale: str) -> None:
    """Lines, charges, total, what stands in the way, and the explanation."""
    currency = quote.currency
    rows = [
        (line.sku, line.title.get(locale), line.steps, format_minor(line.goods_minor, currency, locale))
        for line in quote.lines
    ]
    grid("", [_t(name, locale) for name in ("sku", "title", "quantity", "amount")], rows, numbers=(2, 3))
    _charges(quote.charges, (), currency, locale)
    say(f"{_t('total', locale)}: {format_minor(quote.total_minor, currency, locale)}", "bold")
    skus = {f"line:{line.id}": line.sku for line in quote.lines}
    for item in quote.open:
        about = f" ({skus.get(item.path, item.path)})" if item.path.startswith("line:") else ""
        say(f"{_t('missing', locale)}: {text_of(f'open.{item.code}', locale)}{about}", "yellow")
    for objection in quote.objections:
        say(f"• {objection.text(locale)}", "red")
    for failure in quote.failures:
        say(_t("no_answer", locale, plugin=failure.plugin, hook=failure.hook, reason=failure.reason), "yellow")
    _explained(quote, currency, locale)


def _charges(charges: Sequence[Charge], amendments: Sequence[Amendment], currency: str, locale: str) -> None:
    """What makes the total of the goods: other charges, those contained in others in brackets, and later changes."""
    rows = [
        (charge.label.get(locale), _amount(charge.amount_minor, currency, locale, included=charge.included))
        for charge in charges
        if charge.kind != ChargeKind.GOODS
    ]
    rows += [
        (_word("amendment", one.kind, locale), _amount(one.amount_minor, currency, locale))
        for one in amendments
        if one.amount_minor
    ]
    if rows:
        grid("", [_t("charge", locale), _t("amount", locale)], rows, numbers=(1,))


def _amount(minor: int, currency: str, locale: str, *, included: bool = False) -> str:
    shown = format_minor(minor, currency, locale)
    return f"({shown})" if included else shown


def _explained(priced: Quote | Placement, currency: str, locale: str) -> None:
    rows = [
        (line.text, _amount(line.amount_minor, currency, locale, included=line.included))
        for line in pricing_rules.explain(priced, locale, currency=currency)
    ]
    grid(_t("explained", locale), [_t("why", locale), _t("amount", locale)], rows, numbers=(1,))


def find_order(shop: Shop, order: str) -> OrderView:
    """An order by id or number, with its placement."""
    with shop.read(OPERATOR) as work:
        return work.order.get(order)


def state_of(order: Order, locale: str) -> str:
    """State and reason in words."""
    state = _word("state", order.state.value, locale)
    return f"{state} ({_word('reason', order.reason, locale)})" if order.reason else state


def show_order(shop: Shop, order: str, locale: str) -> None:
    """State, lines, charges, changes, payments and parcels of an order; what is printed adds up to its total."""
    view = find_order(shop, order)
    placed, currency = view.order, view.order.currency
    say(f"{_t('order', locale)} {placed.number}  {state_of(placed, locale)}  {placed.id}", "bold")
    rows = [
        (
            line.sku,
            line.title.get(locale),
            line.steps,
            line.shipped_steps,
            line.canceled_steps,
            format_minor(line.goods_minor, currency, locale),
        )
        for line in placed.lines
    ]
    names = ("sku", "title", "quantity", "shipped", "canceled", "amount")
    grid("", [_t(name, locale) for name in names], rows, numbers=(2, 3, 4, 5))
    accepted = [one for one in placed.amendments if one.state == "accepted"]
    _charges(view.placement.charges, accepted, currency, locale)
    say(f"{_t('total', locale)}: {format_minor(placed.current_total_minor, currency, locale)}", "bold")
    _show_fulfillment(shop, placed, locale)


def _show_fulfillment(shop: Shop, placed: Order, locale: str) -> None:
    """Money that moved, and parcels."""
    with shop.read(OPERATOR) as work:
        payments = work.payment.for_order(placed.id)
        shipments = work.shipping.shipments(placed.id)
    moved = [
        (
            _word("movement", movement.kind, locale),
            format_minor(movement.amount_minor, movement.currency, locale),
            movement.at.isoformat(" ", "seconds"),
        )
        for payment in payments
        for movement in payment.movements
    ]
    if moved:
        grid(_t("money", locale), [_t("kind", locale), _t("amount", locale), _t("at", locale)], moved, numbers=(1,))
    if shipments:
        goods = [
            (one.id, _word("shipment", one.state.value, locale), sum(line.steps for line in one.lines))
            for one in shipments
        ]
        grid(_t("goods", locale), ("", _t("state", locale), _t("quantity", locale)), goods, numbers=(2,))


def explain_order(shop: Shop, order: str, locale: str) -> None:
    """Every amount of an order, from its sealed record."""
    view = find_order(shop, order)
    say(f"{_t('order', locale)} {view.order.number}", "bold")
    _explained(view.placement, view.order.currency, locale)
    say(f"{_t('total', locale)}: {format_minor(view.order.total_minor, view.order.currency, locale)}", "bold")


# -- imports ----------------------------------------------------------------------------------------------------------


def show_import(report: ImportReport, locale: str) -> None:
    """What an import did, which rows it refused and why, and what it noted about others."""
    refused = len({problem.line for problem in report.problems})
    counts = {"rows": report.rows, "products": report.products, "variants": report.variants, "refused": refused}
    say(_t("imported", locale, **counts))
    for problem in report.problems[:_SHOWN]:
        say(f"• {problem.sentence(locale)}", "red")
    for note in report.notes[:_SHOWN]:
        say(f"• {note.sentence(locale)}", "yellow")
    more = len(report.problems[_SHOWN:]) + len(report.notes[_SHOWN:])
    if more:
        say(_t("more", locale, count=more))


# -- audit ------------------------------------------------------------------------------------------------------------


def audit(shop: Shop) -> Sequence[Violation]:
    """Run the audit and print what it found."""
    found = shop.audit(OPERATOR)
    if found:
        rows = [(one.invariant, one.table, one.row, one.detail) for one in found]
        grid("", ("invariant", "table", "row", "detail"), rows)
    say(f"audit: {len(found)} violations", "bold red" if found else "bold green")
    return found
