"""Facets: typed extra facts of plugins, read in one statement, readable when their plugin is gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from eckit.kernel import facets
from eckit.kernel.composing import compose_plugins
from eckit.kernel.database import Database
from eckit.kernel.errors import CompositionError, InvalidInputError
from eckit.kernel.facets import FacetSpec, facet
from eckit.kernel.hookspecs import declared, hookimpl, hookspec
from eckit.kernel.refs import Ref
from eckit.kernel.secrets import Secret
from eckit.kernel.work import Begin
from tests.kernel.shop import SYSTEM, begin_on, plugin

hooks = ModuleType("hooks")


def register_facets(settings: Any) -> tuple[FacetSpec, ...]:
    """Facets."""


hooks.register_facets = hookspec()(register_facets)  # type: ignore[attr-defined]
SPECS = declared(hooks, "catalog")

TEA, CUP, AOI = Ref("product", "prd_1"), Ref("product", "prd_2"), Ref("customer", "cus_1")


@attrs.frozen(kw_only=True)
class Dimensions:
    """How large a product is."""

    length_mm: int
    width_mm: int = 0


@attrs.frozen(kw_only=True)
class SkinType:
    """What somebody's skin is like."""

    text: str


DIMENSIONS = FacetSpec(
    kind=Dimensions, namespace="sizes", on="product", needed_for=frozenset({"catalog", facets.PRICING})
)
SKIN = FacetSpec(
    kind=SkinType,
    namespace="skin.type",
    on="customer",
    needed_for=frozenset({"customer", facets.PRICING}),
    personal=True,
)


def registering(name: str, *specs: FacetSpec) -> Any:
    return plugin(name, interface={"catalog": 1}, register_facets=hookimpl(lambda settings: specs))


def shop(opened: Database, *plugins: Any) -> Begin:
    begin = begin_on(opened)
    begin.plugins = compose_plugins(SPECS, plugins, collect=[facets.collect])
    return begin


@pytest.fixture
def begin(opened: Database) -> Begin:
    return shop(opened, registering("sizes", DIMENSIONS), registering("skin", SKIN))


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements executed."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(database.engine, "before_cursor_execute", note)


def test_facets_of_all_plugins_come_in_one_statement(begin: Begin, opened: Database) -> None:
    """Whatever the number of plugins and things; only what the operation needs."""
    with begin.write(SYSTEM) as work:
        facets.save(work, TEA, Dimensions(length_mm=50))
        facets.save(work, AOI, SkinType(text="乾燥肌"))
    with begin.read(SYSTEM) as work, counted(opened) as statements:
        found = facets.load(work, [TEA, CUP, AOI], "pricing")
    assert 1 == len([statement for statement in statements if "eckit_facet" in statement])
    assert {
        TEA: {Dimensions: Dimensions(length_mm=50)},
        CUP: {},
        AOI: {SkinType: SkinType(text="乾燥肌")},
    } == found
    with begin.read(SYSTEM) as work:
        assert {TEA: {Dimensions: Dimensions(length_mm=50)}, AOI: {}} == facets.load(work, [TEA, AOI], "catalog")


def test_what_nobody_registers_costs_no_statement(opened: Database, begin: Begin) -> None:
    """A shop without such plugins pays nothing for them."""
    with begin.read(SYSTEM) as work, counted(opened) as statements:
        assert {AOI: {}} == facets.load(work, [AOI], "catalog")
        assert {} == facets.load(work, [], "pricing")
        assert {Ref("cart", "crt_1"): {}} == facets.load(work, [Ref("cart", "crt_1")], "pricing")
    assert [] == [statement for statement in statements if "eckit_facet" in statement]


def test_a_facet_replaces_an_earlier_one_and_can_be_removed(begin: Begin) -> None:
    """One facet of a class on a thing; saving one that prices rest on raises its plugin's stamp."""
    seen = {0}
    for length in (50, 60):
        with begin.write(SYSTEM) as work:
            facets.save(work, TEA, Dimensions(length_mm=length))
        with begin.read(SYSTEM) as work:
            seen.add(work.stamps(["plugin:sizes"])["plugin:sizes"])
    assert 3 == len(seen)
    with begin.write(SYSTEM) as work:
        assert {TEA: {Dimensions: Dimensions(length_mm=60)}} == facets.load(work, [TEA], "pricing")
        assert facets.remove(work, TEA, Dimensions)
        assert not facets.remove(work, TEA, Dimensions)
        assert {TEA: {}} == facets.load(work, [TEA], "pricing")


def test_a_facet_of_a_plugin_that_is_gone_stays_and_is_left_out(begin: Begin, opened: Database) -> None:
    """PLG-10: reading never needs plugin code; when the plugin is back, its facts are there."""
    with begin.write(SYSTEM) as work:
        facets.save(work, TEA, Dimensions(length_mm=50))
        facets.save(work, AOI, SkinType(text="x"))
    without = shop(opened, registering("skin", SKIN))
    with without.read(SYSTEM) as work:
        found = facets.load(work, [TEA, AOI], "pricing")
        assert ({TEA: {}, AOI: {SkinType: SkinType(text="x")}}, ()) == (dict(found), found.failures)
    with begin.read(SYSTEM) as work:
        assert {TEA: {Dimensions: Dimensions(length_mm=50)}} == facets.load(work, [TEA], "pricing")


@pytest.mark.parametrize(
    ("version", "body"), [(2, {"length_mm": 50}), (1, {"length": 50}), (1, {"length_mm": "50"}), (1, [])]
)
def test_a_facet_that_cannot_be_read_is_left_out_with_a_record(begin: Begin, version: int, body: Any) -> None:
    """A later version wrote it, or its class changed: the others are read, and the failure names the plugin."""
    with begin.write(SYSTEM) as work:
        facets.save(work, TEA, Dimensions(length_mm=1))
        facets.save(work, CUP, Dimensions(length_mm=2))
        work.execute(sa.update(facet).where(facet.c.owner_id == TEA.id).values(version=version, body=body))
    with begin.read(SYSTEM) as work:
        found = facets.load(work, [TEA, CUP], "pricing")
    assert {TEA: {}, CUP: {Dimensions: Dimensions(length_mm=2)}} == found
    assert ["sizes"] == [record.plugin for record in found.failures]
    assert "prd_1" in found.failures[0].reason


def test_a_field_with_a_default_may_be_new(begin: Begin) -> None:
    """Within a version facts gain only fields with defaults: what was stored before is still read."""
    with begin.write(SYSTEM) as work:
        facets.save(work, TEA, Dimensions(length_mm=1, width_mm=7))
        work.execute(sa.update(facet).values(body={"length_mm": 1}))
        assert {TEA: {Dimensions: Dimensions(length_mm=1, width_mm=0)}} == facets.load(work, [TEA], "pricing")


def test_only_registered_facets_of_storable_facts_are_saved(begin: Begin, opened: Database) -> None:
    """An unknown class, one on another kind of thing, or one with a secret in it is refused and nothing is stored."""

    @attrs.frozen(kw_only=True)
    class Keeps:
        key: Secret

    with begin.write(SYSTEM) as work:
        for owner, value in ((TEA, SkinType(text="x")), (TEA, object()), (AOI, Dimensions(length_mm=1))):
            with pytest.raises(InvalidInputError) as refused:
                facets.save(work, owner, value)
            assert "unknown-facet" == refused.value.problems[0].code
        for wrong in (Dimensions(length_mm="50"), Dimensions(length_mm=True)):  # type: ignore[arg-type]
            with pytest.raises(InvalidInputError) as refused:
                facets.save(work, TEA, wrong)
            assert "not-storable" == refused.value.problems[0].code
    keeping = shop(
        opened,
        registering("keeps", FacetSpec(kind=Keeps, namespace="keeps", on="product", needed_for=frozenset({"catalog"}))),
    )
    with keeping.write(SYSTEM) as work, pytest.raises(InvalidInputError):
        facets.save(work, TEA, Keeps(key=Secret("sk_live_1")))
    with begin.read(SYSTEM) as work:
        assert [] == work.execute(sa.select(facet)).all()


def test_personal_facets_are_exported_and_erased_without_their_plugin(begin: Begin, opened: Database) -> None:
    """Erasure and export cover what plugins keep, those that are gone too."""
    with begin.write(SYSTEM) as work:
        facets.save(work, TEA, Dimensions(length_mm=50))
        facets.save(work, AOI, SkinType(text="x"))
    bare = shop(opened)
    with bare.write(SYSTEM) as work:
        assert [{"owner": "customer:cus_1", "namespace": "skin.type", "version": 1, "text": "x"}] == facets.export(
            work, [AOI]
        )
        assert 1 == facets.erase(work, [AOI, TEA])
        assert [] == facets.export(work, [AOI])
        assert 1 == len(facets.export(work, [TEA, AOI]))
        assert (0, []) == (facets.erase(work, []), facets.export(work, []))


@pytest.mark.parametrize(
    ("specs", "says"),
    [
        ((FacetSpec(kind=int, namespace="sizes", on="product"),), "no attrs class"),
        ((FacetSpec(kind=Dimensions, namespace="sizes", on="unicorn"),), "unicorn"),
        ((FacetSpec(kind=Dimensions, namespace="skin", on="product"),), "namespace"),
        ((DIMENSIONS, DIMENSIONS), "both claim"),
        ((attrs.evolve(DIMENSIONS, needed_for=frozenset()),), "nothing would read it"),
        ((attrs.evolve(DIMENSIONS, needed_for=frozenset({"catalog", "shipping"})),), "not read for shipping"),
        ((attrs.evolve(DIMENSIONS, on="cart"),), "cart are not read for catalog"),
        ((attrs.evolve(SKIN, namespace="sizes", on="product", needed_for=frozenset({"catalog"})),), "personal facts"),
    ],
)
def test_a_facet_that_cannot_work_is_refused_at_the_start(specs: tuple[FacetSpec, ...], says: str) -> None:
    """The problem names the plugin."""
    with pytest.raises(CompositionError, match=says):
        compose_plugins(SPECS, [registering("sizes", *specs)], collect=[facets.collect])


def test_two_plugins_may_not_share_a_class() -> None:
    """``product.facet(Dimensions)`` would be one of two."""
    mine = FacetSpec(kind=Dimensions, namespace="other", on="product", needed_for=frozenset({"catalog"}))
    with pytest.raises(CompositionError, match="Dimensions"):
        compose_plugins(SPECS, [registering("sizes", DIMENSIONS), registering("other", mine)], collect=[facets.collect])
