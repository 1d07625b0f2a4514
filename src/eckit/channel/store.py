"""Tables of channel; few rows, each one document, read together."""

import datetime as dt
import typing
from decimal import Decimal
from typing import Any, TypeVar

import attrs
import cattrs
import sqlalchemy as sa

from eckit.channel.model import Channel, ExternalRef, LegalEntity, Market, Seller, Setup
from eckit.kernel.ids import ChannelId
from eckit.kernel.minting import mint
from eckit.kernel.money import Rounding
from eckit.kernel.refs import Ref
from eckit.kernel.stamps import upsert
from eckit.kernel.tables import Json, at, core_table, ident
from eckit.kernel.work import Work

T = TypeVar("T", Channel, Market, Seller, LegalEntity)

setup = core_table(
    "setup",
    ident("id", primary_key=True),
    ident("kind"),
    ident("code"),
    sa.Column("body", Json, nullable=False),
    at("changed_at"),
    sa.UniqueConstraint("kind", "code"),
    sa.CheckConstraint("kind in ('channel', 'market', 'seller', 'legal_entity')", name="kind"),
)

external_ref = core_table(
    "external_ref",
    ident("id", primary_key=True),
    ident("channel_id"),
    ident("kind"),
    sa.Column("external_id", sa.String(200), nullable=False),
    sa.Column("raw", sa.String(200), nullable=False),
    sa.Column("owner", sa.String(120), nullable=False),
    sa.Column("is_primary", sa.Boolean, nullable=False),
    at("since"),
    at("until", nullable=True),
    sa.UniqueConstraint("channel_id", "kind", "external_id"),
    sa.Index("ix_eckit_external_ref_owner", "owner"),
)

KINDS: dict[type, str] = {Channel: "channel", Market: "market", Seller: "seller", LegalEntity: "legal_entity"}
_CLASSES: dict[str, type] = {kind: cls for cls, kind in KINDS.items()}

_codec = cattrs.Converter(forbid_extra_keys=False)
_codec.register_unstructure_hook(dt.datetime, lambda at: at.isoformat())
_codec.register_structure_hook(dt.datetime, lambda text, _: dt.datetime.fromisoformat(text))
_codec.register_unstructure_hook(dt.timedelta, lambda span: int(span.total_seconds()))
_codec.register_structure_hook(dt.timedelta, lambda seconds, _: dt.timedelta(seconds=seconds))
_codec.register_unstructure_hook(Decimal, str)
_codec.register_structure_hook(Decimal, lambda text, _: Decimal(text))
_codec.register_unstructure_hook_func(lambda kind: _origin(kind) is frozenset, sorted)
_codec.register_unstructure_hook(Rounding, lambda mode: mode.value)


def _origin(kind: Any) -> Any:
    return typing.get_origin(kind)


def code_of(thing: Channel | Market | Seller | LegalEntity) -> str:
    """What is unique among its kind: its code; of a legal entity, which has none, its id."""
    return thing.id if isinstance(thing, LegalEntity) else thing.code


def put(work: Work, thing: Channel | Market | Seller | LegalEntity) -> bool:
    """Insert or replace one; False if another of its kind has the code."""
    values = {
        "id": thing.id,
        "kind": KINDS[type(thing)],
        "code": code_of(thing),
        "body": _codec.unstructure(thing),
        "changed_at": work.now,
    }
    other = sa.select(setup.c.id).where(
        setup.c.kind == values["kind"], setup.c.code == values["code"], setup.c.id != thing.id
    )
    if work.execute(other).first() is not None:
        return False
    insert = upsert(work.connection, setup).values(values)
    work.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))
    return True


def read(kind: str, body: Any) -> Any:
    """A channel, market, seller or legal entity from its document."""
    return _codec.structure(body, _CLASSES[kind])


def load(work: Work) -> Setup:
    """All of it, in one statement."""
    found: dict[str, dict[Any, Any]] = {kind: {} for kind in KINDS.values()}
    for row in work.execute(sa.select(setup.c.id, setup.c.kind, setup.c.body).order_by(setup.c.id)):
        found[row.kind][row.id] = read(row.kind, row.body)
    return Setup(
        channels=found["channel"],
        markets=found["market"],
        sellers=found["seller"],
        legal_entities=found["legal_entity"],
    )


def add_ref(work: Work, ref: ExternalRef) -> Ref | None:
    """Insert it; if the external id is taken, the owner it belongs to."""
    values = attrs.asdict(ref, recurse=False)
    values.pop("primary")
    values |= {"id": mint("external_ref"), "owner": str(ref.owner), "is_primary": ref.primary}
    insert = upsert(work.connection, external_ref).values(values)
    taken = insert.on_conflict_do_nothing(index_elements=["channel_id", "kind", "external_id"])
    if work.execute(taken.returning(external_ref.c.id)).one_or_none() is not None:
        return None
    return find_ref(work, ref.channel_id, ref.kind, ref.external_id)


def find_ref(work: Work, channel_id: ChannelId, kind: str, external_id: str) -> Ref | None:
    """The owner of an external id."""
    owner = work.execute(
        sa.select(external_ref.c.owner).where(
            external_ref.c.channel_id == channel_id,
            external_ref.c.kind == kind,
            external_ref.c.external_id == external_id,
        )
    ).scalar_one_or_none()
    return None if owner is None else Ref.parse(owner)
