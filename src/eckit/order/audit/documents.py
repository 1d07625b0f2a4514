"""Checks that read sealed records: they are what was sealed, they add up, and the rows beside them say the same."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs
import sqlalchemy as sa

from eckit.kernel.auditing import Check, Violation
from eckit.order import rules
from eckit.order.audit.queries import ADDS_UP
from eckit.order.audit.records import Record, records
from eckit.order.model import Order, OrderState
from eckit.order.store import rows, tables
from eckit.pricing.errors import DoesNotAddUpError
from eckit.pricing.rules import add_up

_PERSONAL: Final = frozenset({"name", "kana", "email", "phone", "phones", "address", "postal_code", "city", "birthday"})
_SHOWN: Final = frozenset({"choices", "title", "option_label", "label", "stamps", "inputs"})
_MAIL: Final = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
# Rows of an order change in these; everything else of it is as it was placed.
_CHANGING: Final = (
    "token",
    "state",
    "reason",
    "confirmed_at",
    "version",
    "current_total_minor",
    "lines",
    "recorded_at",
)


def _seal(record: Record) -> Iterator[str]:
    if not record.is_intact:
        yield "the record is not the one that was sealed: its digest is another"
    if record.body is None:
        yield "the record cannot be read"


def _sums(record: Record) -> Iterator[str]:
    body = record.body
    if body is None:
        return
    try:
        add_up(rules.quote_of(body))
    except DoesNotAddUpError as error:
        yield f"{error.what}: {error.found} instead of {error.expected}"


def _personal(record: Record) -> Iterator[str]:
    yield from _personal_in(record.body or {}, "")


def _personal_in(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in _PERSONAL:
                yield f"{path}{key} has no place in a record"
            elif key not in _SHOWN:
                yield from _personal_in(inner, f"{path}{key}.")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _personal_in(inner, f"{path}{index}.")
    elif isinstance(value, str) and _MAIL.search(value):
        yield f"{path.rstrip('.')} looks like a mail address"


def _rows(record: Record) -> Iterator[str]:
    """The rows say what the record says, except where amendments and shipments changed them."""
    body = record.body
    if body is None or not record.is_intact:
        return
    placed, now = rules.as_placed(body), record.order
    for field in attrs.fields(Order):
        if field.name not in {*_CHANGING, "amendments", "blocks"}:
            was, found = getattr(placed, field.name), getattr(now, field.name)
            if was != found:
                yield f"order.{field.name} is {found}, was placed as {was}"
    if [_bare(line) for line in placed.lines] != [_bare(line) for line in now.lines]:
        yield "the lines are not those that were placed"
    expected = rows.charge_rows(placed, rules.quote_of(body).charges)
    if expected != [dict(row._mapping) for row in record.charges]:
        yield "the charges are not those that were placed"


def _bare(line: Any) -> Any:
    return attrs.evolve(line, canceled_steps=0, shipped_steps=0, returned_steps=0)


def _fold(record: Record) -> Iterator[str]:
    """What the order is now is its placement folded with its amendments."""
    body = record.body
    if body is None or not record.is_intact:
        return
    folded, now = rules.fold(rules.as_placed(body), record.amendments), record.order
    if folded.current_total_minor != now.current_total_minor:
        yield f"current total {now.current_total_minor}, {folded.current_total_minor} by its amendments"
    for was, line in zip(folded.lines, now.lines, strict=False):
        if (was.canceled_steps, was.returned_steps) != (line.canceled_steps, line.returned_steps):
            yield (
                f"line {line.id}: {line.canceled_steps} canceled, {line.returned_steps} returned; its amendments say "
                f"{was.canceled_steps} and {was.returned_steps}"
            )
    if (folded.state is OrderState.CANCELED) != (now.state is OrderState.CANCELED) or folded.reason != now.reason:
        yield f"{now.state.value} ({now.reason}), {folded.state.value} ({folded.reason}) by its amendments"


def _links(record: Record) -> Iterator[str]:
    """Each amendment names the one before, the first the placement, and is what it was when it was made."""
    previous = record.row.digest
    for seq, amendment in enumerate(record.amendments, 1):
        if amendment.seq != seq:
            yield f"amendment {seq} is missing"
        if amendment.previous_digest != previous or amendment.digest != rules.link_digest(amendment):
            yield f"amendment {amendment.seq} is not the one that was made"
        previous = amendment.digest


def _check(invariant: str, clause: str, table: sa.Table, find: Callable[[Record], Iterator[str]]) -> Check:
    def run(connection: sa.Connection) -> Iterator[Violation]:
        for record in records(connection):
            for detail in find(record):
                yield Violation(invariant=invariant, table=table.name, row=record.row.id, detail=detail)

    return Check(invariant=invariant, clause=clause, table=table.name, run=run)


_ONLY_AMENDED: Final = "a placed order differs from its placement record only by amendment rows"

CHECKS: Final[tuple[Check, ...]] = (
    _check("placement-is-sealed", _ONLY_AMENDED, tables.placement, _seal),
    _check(
        "placement-adds-up",
        f"{ADDS_UP}; Σ payments asked for = dues = total − credit applied; shares sum to the whole",
        tables.placement,
        _sums,
    ),
    _check("placement-names-nobody", "personal data is outside the record", tables.placement, _personal),
    _check("rows-are-as-placed", _ONLY_AMENDED, tables.order, _rows),
    _check("order-is-placement-and-amendments", _ONLY_AMENDED, tables.order, _fold),
    _check("amendments-are-linked", _ONLY_AMENDED, tables.amendment, _links),
)
