"""Facets: a plugin's typed extra facts on a thing of the core, in one table of the core.

A plugin registers an attrs class with the kind of thing it is ``on`` and what it is ``needed_for``. What is stored for
things of that kind is read in one statement for all plugins. A facet whose plugin is gone stays in the table and is
left out; so is one that a later version wrote, with a failure record. What is stored for a customer or a party and is
declared personal goes when the customer is erased.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs
import sqlalchemy as sa

from eckit.kernel.errors import InvalidInputError, PluginError, invalid
from eckit.kernel.ids import PREFIXES
from eckit.kernel.minting import mint
from eckit.kernel.plugins import FailureRecord, Plugins
from eckit.kernel.refs import Ref
from eckit.kernel.stamps import upsert
from eckit.kernel.structuring import structure, unstructure
from eckit.kernel.tables import Json, core_table, ident
from eckit.kernel.work import Work

PRICING = "pricing"
"""``needed_for`` of facts that prices rest on: saving one raises the stamp of its plugin."""

READERS: Final[Mapping[str, frozenset[str]]] = {
    "catalog": frozenset({"product"}),
    "customer": frozenset({"customer"}),
    "order": frozenset({"order"}),
    PRICING: frozenset({"product", "variant", "customer"}),
}
"""Operation → the kinds of things whose facets it reads."""
_ERASABLE: Final = "customer"

facet = core_table(
    "facet",
    ident("id", primary_key=True),
    ident("owner_kind"),
    ident("owner_id"),
    ident("namespace"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("personal", sa.Boolean, nullable=False),
    sa.Column("body", Json, nullable=False),
    sa.UniqueConstraint("owner_kind", "owner_id", "namespace"),
)


@attrs.frozen(kw_only=True)
class FacetSpec:
    """A kind of extra facts, as a plugin registers it.

    :ivar kind: the attrs class; its fields are what :mod:`eckit.kernel.structuring` accepts.
    :ivar namespace: what it is stored under: the plugin's name, or that and a word (``gifts.message``).
    :ivar version: raised when fields change other than by gaining one with a default.
    :ivar on: the kind of thing it belongs to: ``product``, ``variant``, ``customer`` or ``order``.
    :ivar needed_for: the operations that read it, at least one: ``catalog`` (of products, with the product),
        ``customer`` and ``order`` (with the customer or order), ``pricing`` (of products, variants and the customer).
    :ivar personal: whether it holds personal data, which erasure removes; only on a customer, who can be erased.
    """

    kind: type
    namespace: str
    version: int = 1
    on: str
    needed_for: frozenset[str] = frozenset()
    personal: bool = False


Facets: TypeAlias = Mapping[type, Any]
"""The facets of one thing, by their class."""


class Loaded(dict[Ref, Facets]):
    """The facets of each owner asked for; ``failures`` tells what was stored and could not be read."""

    def __init__(self, found: Mapping[Ref, Facets], failures: tuple[FailureRecord, ...]) -> None:
        super().__init__(found)
        self.failures = failures


def collect(plugins: Plugins) -> None:
    """Collect what plugins give to ``register_facets``; called by the capability that declares the hook.

    :raises PluginError: two plugins claim one namespace or class on one kind of thing, or a spec is no good.
    """
    plugins.collect("register_facets", "facet", code=lambda spec: f"{spec.on}/{spec.namespace}")
    claimed: dict[tuple[str, type], str] = {}
    for registered in plugins.things("facet"):
        spec: FacetSpec = registered.thing
        wrong = _wrong_with(spec, registered.plugin)
        other = claimed.setdefault((spec.on, spec.kind), registered.plugin)
        if wrong is None and other != registered.plugin:
            wrong = f"{spec.kind.__name__} is registered by {other} too"
        if wrong is not None:
            raise PluginError(plugin=registered.plugin, hook="register_facets", reason=wrong)


def _wrong_with(spec: FacetSpec, plugin: str) -> str | None:
    if not attrs.has(spec.kind):
        return f"{spec.kind!r} is no attrs class"
    if spec.on not in PREFIXES:
        return f"there is no {spec.on} to register facets on"
    if spec.namespace.partition(".")[0] != plugin:
        return f"the namespace {spec.namespace} does not begin with the plugin's name"
    for operation in sorted(spec.needed_for):
        if spec.on not in READERS.get(operation, ()):
            return f"facets on a thing of the kind {spec.on} are not read for {operation}"
    if not spec.needed_for:
        return f"{spec.namespace} names no operation it is needed_for, so nothing would read it"
    if spec.personal and spec.on != _ERASABLE:
        return f"personal facts are kept on a {_ERASABLE}, whose erasure removes them, and not on a {spec.on}"
    return None


def load(work: Work, owners: Sequence[Ref], needed_for: str) -> Loaded:
    """The facets of these things that an operation needs, in one statement for all plugins; none if none is registered.

    :return: each owner, with its facets by class; empty for an owner that has none.
    """
    specs = {
        (spec.on, spec.namespace): spec for spec in _specs(work.plugins) if needed_for in spec.needed_for
    }  # fmt: skip
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for owner in owners:
        ids[owner.kind].add(owner.id)
    wanted = [_belongs(kind, ids[kind], specs) for kind in sorted({on for on, _ in specs} & set(ids))]
    found: dict[Ref, dict[type, Any]] = {owner: {} for owner in owners}
    failures: list[FailureRecord] = []
    if wanted:
        columns = (facet.c.owner_kind, facet.c.owner_id, facet.c.namespace, facet.c.version, facet.c.body)
        for row in work.execute(sa.select(*columns).where(sa.or_(*wanted))):
            spec = specs[row.owner_kind, row.namespace]
            value = _read(spec, row.version, row.body)
            if value is None:
                reason = f"{spec.namespace} of {row.owner_kind}:{row.owner_id}, version {row.version}, cannot be read"
                plugin = spec.namespace.partition(".")[0]
                failures.append(FailureRecord(plugin=plugin, hook="register_facets", reason=reason))
            else:
                found[Ref(row.owner_kind, row.owner_id)][spec.kind] = value
    return Loaded(found, tuple(failures))


def save(work: Work, owner: Ref, value: Any) -> None:
    """Store a facet of a thing, in place of an earlier one of its class. The caller checks that the actor may.

    :raises InvalidInputError: ``unknown-facet`` if no plugin registers this class on this kind of thing;
        ``not-storable`` if the facet cannot be written down and read again.
    """
    spec = next((spec for spec in _specs(work.plugins) if spec.on == owner.kind and spec.kind is type(value)), None)
    if spec is None:
        raise invalid("unknown-facet", "facet", type(value).__name__, limit=owner.kind)
    insert = upsert(work.connection, facet).values(
        id=mint("facet"),
        owner_kind=owner.kind,
        owner_id=owner.id,
        namespace=spec.namespace,
        version=spec.version,
        personal=spec.personal,
        body=_written(spec, value),
    )
    work.execute(
        insert.on_conflict_do_update(
            index_elements=["owner_kind", "owner_id", "namespace"],
            set_={name: insert.excluded[name] for name in ("version", "personal", "body")},
        )
    )
    work.did("facet.save", owner)
    _moved(work, [spec])


def remove(work: Work, owner: Ref, kind: type) -> bool:
    """Take a facet off a thing; whether there was one. The caller checks that the actor may."""
    specs = [spec for spec in _specs(work.plugins) if spec.on == owner.kind and spec.kind is kind]
    namespaces = [spec.namespace for spec in specs]
    gone = work.execute(sa.delete(facet).where(*_is(owner), facet.c.namespace.in_(namespaces))).rowcount
    if gone:
        work.did("facet.remove", owner)
        _moved(work, specs)
    return gone > 0


def export(work: Work, owners: Sequence[Ref]) -> list[dict[str, Any]]:
    """Everything stored on these things, of plugins that are gone too, as plain data: for a person's own data."""
    if not owners:
        return []
    rows = work.execute(sa.select(facet).where(sa.or_(*(sa.and_(*_is(owner)) for owner in owners))))
    return [
        {"owner": f"{row.owner_kind}:{row.owner_id}", "namespace": row.namespace, "version": row.version, **row.body}
        for row in rows
    ]


def erase(work: Work, owners: Sequence[Ref]) -> int:
    """Remove the facets of these things that hold personal data, of plugins that are gone too; how many."""
    if not owners:
        return 0
    of_these = sa.or_(*(sa.and_(*_is(owner)) for owner in owners))
    return work.execute(sa.delete(facet).where(facet.c.personal, of_these)).rowcount


def _specs(plugins: Plugins) -> Iterable[FacetSpec]:
    return (registered.thing for registered in plugins.things("facet"))


def _is(owner: Ref) -> tuple[sa.ColumnElement[bool], ...]:
    return facet.c.owner_kind == owner.kind, facet.c.owner_id == owner.id


def _belongs(kind: str, ids: set[str], specs: Iterable[tuple[str, str]]) -> sa.ColumnElement[bool]:
    namespaces = sorted(namespace for on, namespace in specs if on == kind)
    return sa.and_(facet.c.owner_kind == kind, facet.c.owner_id.in_(sorted(ids)), facet.c.namespace.in_(namespaces))


def _read(spec: FacetSpec, version: int, body: Any) -> Any:
    """The facet, or None if this version of its plugin cannot read it."""
    if version > spec.version:
        return None
    try:
        return structure(spec.kind, body)
    except InvalidInputError:
        return None


def _written(spec: FacetSpec, value: Any) -> Any:
    """The body; read again at once, so that nothing is stored that could not be."""
    try:
        body = unstructure(value)
        if structure(spec.kind, body) == value:
            return body
    except (InvalidInputError, TypeError) as error:
        raise invalid("not-storable", "facet", spec.kind.__name__) from error
    raise invalid("not-storable", "facet", spec.kind.__name__)


def _moved(work: Work, specs: Iterable[FacetSpec]) -> None:
    for spec in specs:
        if PRICING in spec.needed_for:
            work.bump(f"plugin:{spec.namespace.partition('.')[0]}")
