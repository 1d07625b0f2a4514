"""What commands print about orders, quotes, imports, audits and plugins."""

import sys
from collections.abc import Sequence
from typing import Any

import attrs

from eckit.catalog.model import ImportReport
from eckit.cli.opening import OPERATOR
from eckit.cli.printing import console, grid, say
from eckit.kernel.auditing import Violation
from eckit.kernel.money import format_minor
from eckit.kernel.plugins import Plugins
from eckit.kernel.secrets import Secret
from eckit.kernel.texts import say as text_of
from eckit.order.model import OrderView
from eckit.pricing import rules as pricing_rules
from eckit.pricing.model import ChargeKind, Quote
from eckit.shop import Shop


def _t(key: str, locale: str, **facts: object) -> str:
    return text_of(f"cli.{key}", locale, **facts)


# -- quotes and orders ------------------------------------------------------------------------------------------------


def show_quote(quote: Quote, locale: str) -> None:
    """Lines, charges, total, what is missing, and the explanation."""
    rows = [
        (line.sku, line.title.get(locale), line.steps, format_minor(line.total_minor, quote.currency, locale))
        for line in quote.lines
    ]
    grid("", [_t(name, locale) for name in ("sku", "title", "quantity", "amount")], rows, numbers=(2, 3))
    say(f"{_t('total', locale)}: {format_minor(quote.total_minor, quote.currency, locale)}", "bold")
    for item in quote.open:
        say(f"{_t('missing', locale)}: {item.code} {item.path}", "yellow")
    _explained(quote, quote.currency, locale)


def _explained(priced: object, currency: str, locale: str) -> None:
    lines = pricing_rules.explain(priced, locale, currency=currency)  # type: ignore[arg-type]
    rows = [
        (line.text, f"({shown})" if line.included else shown)
        for line in lines
        for shown in (format_minor(line.amount_minor, currency, locale),)
    ]
    grid(_t("explained", locale), [_t("why", locale), _t("amount", locale)], rows, numbers=(1,))


def find_order(shop: Shop, order: str) -> OrderView:
    """An order by id or number, with its placement."""
    with shop.read(OPERATOR) as work:
        return work.order.get(order)


def show_order(shop: Shop, order: str, locale: str) -> None:
    """State, lines, charges, payments and parcels of an order."""
    view = find_order(shop, order)
    placed = view.order
    currency = placed.currency
    say(f"{_t('order', locale)} {placed.number}  {placed.state.value}  {placed.id}", "bold")
    rows = [
        (
            line.sku,
            line.title.get(locale),
            line.steps,
            line.shipped_steps,
            line.canceled_steps,
            format_minor(line.total_minor, currency, locale),
        )
        for line in placed.lines
    ]
    names = ("sku", "title", "quantity", "shipped", "canceled", "amount")
    grid("", [_t(name, locale) for name in names], rows, numbers=(2, 3, 4, 5))
    charges = [
        (charge.label.get(locale), format_minor(charge.amount_minor, currency, locale))
        for charge in view.placement.charges
        if charge.kind is not ChargeKind.GOODS
    ]
    grid("", [_t("charge", locale), _t("amount", locale)], charges, numbers=(1,))
    say(f"{_t('total', locale)}: {format_minor(placed.current_total_minor, currency, locale)}", "bold")
    with shop.read(OPERATOR) as work:
        payments = work.payment.for_order(placed.id)
        shipments = work.shipping.shipments(placed.id)
    moved = [
        (
            movement.kind,
            format_minor(movement.amount_minor, movement.currency, locale),
            movement.at.isoformat(" ", "seconds"),
        )
        for payment in payments
        for movement in payment.movements
    ]
    if moved:
        grid(_t("money", locale), [_t("kind", locale), _t("amount", locale), _t("at", locale)], moved, numbers=(1,))
    if shipments:
        goods = [(one.id, one.state.value, sum(line.steps for line in one.lines)) for one in shipments]
        grid(_t("goods", locale), ("", _t("state", locale), _t("quantity", locale)), goods, numbers=(2,))


def explain_order(shop: Shop, order: str, locale: str) -> None:
    """Every amount of an order, from its sealed record."""
    view = find_order(shop, order)
    say(f"{_t('order', locale)} {view.order.number}", "bold")
    _explained(view.placement, view.order.currency, locale)
    say(f"{_t('total', locale)}: {format_minor(view.order.total_minor, view.order.currency, locale)}", "bold")


# -- imports ----------------------------------------------------------------------------------------------------------


def show_import(report: ImportReport, locale: str) -> None:
    """What an import did, and which rows it refused."""
    say(
        _t(
            "imported",
            locale,
            rows=report.rows,
            products=report.products,
            variants=report.variants,
            refused=len({problem.line for problem in report.problems}),
        )
    )
    show_rows(report, locale)


def show_rows(report: ImportReport, locale: str) -> None:
    """Refused rows: line, column, value, reason."""
    if report.problems:
        rows = [(one.line, one.path, one.value, one.text or one.code) for one in report.problems[:50]]
        grid("", [_t(name, locale) for name in ("line", "column", "value", "why")], rows, numbers=(0,))


# -- audit ------------------------------------------------------------------------------------------------------------


def audit(shop: Shop) -> Sequence[Violation]:
    """Run the audit and print what it found."""
    found = shop.audit(OPERATOR)
    if found:
        rows = [(one.invariant, one.table, one.row, one.detail) for one in found]
        grid("", ("invariant", "table", "row", "detail"), rows)
    say(f"audit: {len(found)} violations", "bold red" if found else "bold green")
    return found


# -- plugins ----------------------------------------------------------------------------------------------------------


def show_plugins(plugins: Plugins, locale: str) -> None:
    """Version, interface, what each registers, its rank, its settings with secrets masked, and problems."""
    rows = []
    for info in plugins.infos.values():
        registered = [
            entry.code
            for kind in sorted(plugins.registered)
            for entry in plugins.things(kind)
            if entry.plugin == info.name
        ]
        rows.append(
            (
                info.name,
                info.version,
                " ".join(f"{family} {version}" for family, version in sorted(info.interface.items())),
                " ".join(registered),
                " ".join(hook for hook in info.hooks if not hook.startswith("register_")),
                _settings(info.settings),
            )
        )
    names = ("plugin", "version", "interface", "registers", "hooks", "settings")
    grid("", [_t(name, locale) for name in names], rows)
    ranked = [
        (hook, " > ".join(one.plugin for one in plugins.implementations(hook)))
        for hook in sorted(plugins.specs)
        if hook.startswith("choose_") and plugins.implementations(hook)
    ]
    grid(_t("order_of_choice", locale), (_t("hook", locale), _t("plugins", locale)), ranked)
    for name in plugins.disabled:
        say(f"{name}: {_t('left_out', locale)}", "yellow")
    for problem in plugins.problems:
        say(f"• {problem.text(locale)}", "red")
    if not plugins.problems:
        say(_t("nothing_wrong", locale), "green")
    sys.stdout.flush()
    console.file.flush()


def _settings(settings: object) -> str:
    """Settings by name; what is or holds a secret is masked by its own repr."""
    kind: Any = type(settings)
    if not attrs.has(kind):
        return ""
    names = [field.name for field in attrs.fields(kind)]
    pairs = ((name, getattr(settings, name)) for name in names)
    return " ".join(f"{name}={value!r}" if isinstance(value, Secret) else f"{name}={value}" for name, value in pairs)
