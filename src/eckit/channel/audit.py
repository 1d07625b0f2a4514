"""The invariants of channels, as queries over few rows."""

from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa

from eckit.channel import rules, store
from eckit.channel.model import Channel, LegalEntity, Market, Seller, Setup
from eckit.channel.store import external_ref, setup
from eckit.kernel.auditing import Check, Violation, query
from eckit.kernel.errors import EckitError
from eckit.kernel.refs import Ref

_SOUND: Final = "setup-is-sound"
_OWNER: Final = "link-has-its-owner"


def _sound(connection: sa.Connection) -> Iterator[Violation]:
    """Every channel, market, seller and entity reads, and is what could be saved now."""
    things: dict[str, Any] = {}
    kinds: dict[str, dict[Any, Any]] = {kind: {} for kind in store.KINDS.values()}
    for row in connection.execute(sa.select(setup.c.id, setup.c.kind, setup.c.code, setup.c.body)):
        try:
            thing = store.read(row.kind, row.body)
        except Exception as error:  # noqa: BLE001 -- whatever reading a document raises, it cannot be read
            yield _violation(row.id, f"cannot be read: {type(error).__name__}")
            continue
        if (thing.id, store.code_of(thing)) != (row.id, row.code):
            yield _violation(row.id, "is stored under another id or code")
        things[row.id] = kinds[row.kind][row.id] = thing
    whole = Setup(
        channels=kinds["channel"],
        markets=kinds["market"],
        sellers=kinds["seller"],
        legal_entities=kinds["legal_entity"],
    )
    for key, thing in sorted(things.items()):
        for problem in _problems(thing, whole):
            yield _violation(key, f"{problem.path}: {problem.code}")


def _problems(thing: Channel | Market | Seller | LegalEntity, whole: Setup) -> Iterator[Any]:
    match thing:
        case Channel():
            return rules.channel_problems(thing, whole)
        case Market():
            return rules.market_problems(thing)
        case Seller():
            return rules.seller_problems(thing, whole)
        case _:
            return rules.entity_problems(thing)


def _violation(row: str, detail: str) -> Violation:
    return Violation(invariant=_SOUND, table=setup.name, row=row, detail=detail)


def _owners(connection: sa.Connection) -> Iterator[Violation]:
    for row in connection.execute(sa.select(external_ref.c.id, external_ref.c.owner)):
        try:
            Ref.parse(row.owner)
        except EckitError:
            yield Violation(invariant=_OWNER, table=external_ref.name, row=row.id, detail=row.owner)


CHECKS: Final[tuple[Check, ...]] = (
    Check(
        invariant=_SOUND,
        clause="histories contain only declared transitions",
        table=setup.name,
        run=_sound,
    ),
    Check(invariant=_OWNER, clause="no actor reaches another's data", table=external_ref.name, run=_owners),
    query(
        "one-owner-of-an-external-id",
        "no actor reaches another's data",
        external_ref.name,
        sa.select(sa.func.min(external_ref.c.id), external_ref.c.kind, sa.func.count())
        .group_by(external_ref.c.channel_id, external_ref.c.kind, external_ref.c.external_id)
        .having(sa.func.count() > 1),
    ),
    query(
        "link-window-is-half-open",
        "validity windows are half-open instants from the shop's zone",
        external_ref.name,
        sa.select(external_ref.c.id, external_ref.c.since, external_ref.c.until).where(
            external_ref.c.until <= external_ref.c.since
        ),
    ),
)
"""Every invariant that the tables of channel can violate."""
