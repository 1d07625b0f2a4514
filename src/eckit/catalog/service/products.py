"""Verbs on products and variants."""

from collections.abc import Sequence
from typing import Any

import attrs

from eckit.catalog import hooks
from eckit.catalog.errors import HandleTakenError, NotPublishableError, ProductChangedError, SkuTakenError
from eckit.catalog.model import Product, ProductPublished, ProductState, Variant
from eckit.catalog.rules import checking, states
from eckit.catalog.service.access import require_write
from eckit.catalog.store import products as store, tree
from eckit.kernel import facets
from eckit.kernel.errors import NotFoundError, invalid
from eckit.kernel.ids import ProductId, VariantId, expect_id
from eckit.kernel.refs import Ref
from eckit.kernel.work import Work

MAX_VARIANTS = 500


def save(work: Work, product: Product, variants: Sequence[Variant] = ()) -> Product:
    """Add a product, or write it over the one with its id; the same for the given variants, others stay as they are.

    Saved again unchanged, nothing happens, whatever the version. Facets are saved by :func:`save_facet`.

    :return: the product as stored, with its new version.
    :raises InvalidInputError: all problems of product and variants; a variant of another product.
    :raises ProductChangedError: product or variant are not of the version they were loaded with.
    :raises HandleTakenError, SkuTakenError: another product or variant has it.
    :raises NotFoundError: a category that does not exist.
    :raises NotInTransitionError: an archived product becomes a draft before it is published again.
    :raises NotPublishableError: it would be published by this, and rules or plugins object.
    """
    require_write(work)
    wanted, given = checking.product(product), _checked(product, variants)
    tree.share(work)
    before = store.find(work, wanted.id, lock=True)
    stored = {one.id: one for one in store.variants_of(work, wanted.id)} if before is not None else {}
    changed = [one for one in given if not _same(stored.get(one.id), one)]
    if _same(before, wanted) and not changed:
        return _with_facets(work, before or wanted)
    _require_versions(before, wanted, stored, changed)
    _require_free(work, wanted, given, stored)
    publishes = _publishes(work, before, wanted, {**stored, **{one.id: one for one in given}})
    saved = _write(work, before, wanted)
    _write_variants(work, stored, changed)
    _tell(work, "catalog.save", saved, publishes=publishes)
    return _with_facets(work, saved)


def publish(work: Work, product_id: ProductId) -> Product:
    """Let buyers see and buy a product; one that is published already stays so.

    :raises NotFoundError: there is none.
    :raises NotInTransitionError: it is archived; restore it first.
    :raises NotPublishableError: rules or plugins object; all objections are given.
    """
    return _move(work, product_id, states.E.PUBLISH, ProductState.PUBLISHED)


def unpublish(work: Work, product_id: ProductId) -> Product:
    """Make a published product a draft again: nobody can put it into a cart from now on.

    :raises NotFoundError: there is none.
    """
    return _move(work, product_id, states.E.UNPUBLISH, ProductState.DRAFT)


def archive(work: Work, product_id: ProductId) -> Product:
    """Stop selling a product for good; it stays for the orders that have it.

    :raises NotFoundError: there is none.
    """
    return _move(work, product_id, states.E.ARCHIVE, ProductState.ARCHIVED)


def restore(work: Work, product_id: ProductId) -> Product:
    """Make an archived product a draft again.

    :raises NotFoundError: there is none.
    """
    return _move(work, product_id, states.E.RESTORE, ProductState.DRAFT)


def save_facet(work: Work, owner: ProductId | VariantId, facet: Any) -> None:
    """Store a plugin's extra facts on a product or variant, in place of earlier ones of the same class.

    :raises NotFoundError: there is no such product or variant.
    :raises InvalidInputError: no plugin registers this class on it; it cannot be stored.
    """
    require_write(work)
    kind = "variant" if str(owner).startswith("var_") else "product"
    id = expect_id(kind, owner, path="owner")
    there = store.variants_by_id(work, [VariantId(id)]) if kind == "variant" else store.find(work, id)
    if not there:
        raise NotFoundError(kind=kind, id=id)
    facets.save(work, Ref(kind, id), facet)
    work.bump("catalog")


# --- how -------------------------------------------------------------------------------------------------------------


def _checked(product: Product, variants: Sequence[Variant]) -> list[Variant]:
    if len(variants) > MAX_VARIANTS:
        raise invalid("too-many", "variants", len(variants), limit=MAX_VARIANTS)
    given = [checking.variant(one, f"variants[{index}]") for index, one in enumerate(variants)]
    for index, one in enumerate(given):
        if one.product_id != product.id:
            raise invalid("variant-of-other-product", f"variants[{index}].product_id", one.product_id, limit=product.id)
    for field in ("id", "sku"):
        if len({getattr(one, field) for one in given}) < len(given):
            raise invalid("variant-twice", "variants", field)
    return given


def _same(before: Any, after: Any) -> bool:
    """Whether saving would change nothing; versions count for nothing."""
    return before is not None and attrs.evolve(after, version=before.version) == before


def _require_versions(
    before: Product | None, wanted: Product, stored: dict[VariantId, Variant], changed: list[Variant]
) -> None:
    pairs: list[tuple[Any, Any]] = [(before, wanted), *((stored.get(one.id), one) for one in changed)]
    for old, new in pairs:
        if old is not None and not _same(old, new) and old.version != new.version:
            raise ProductChangedError(what=str(new.id), id=new.id, version=new.version, found=old.version)


def _require_free(work: Work, wanted: Product, given: list[Variant], stored: dict[VariantId, Variant]) -> None:
    if store.handle_is_taken(work, wanted.handle, wanted.id):
        raise HandleTakenError(handle=wanted.handle)
    if taken := store.taken_sku(work, given):
        raise SkuTakenError(sku=taken)
    elsewhere = store.variants_by_id(work, [one.id for one in given if one.id not in stored])
    for id, other in elsewhere.items():
        raise invalid("variant-of-other-product", "variants", id, limit=other.product_id)
    if wanted.category_ids:
        there = {category.id for category in tree.categories(work)}
        for category_id in wanted.category_ids:
            if category_id not in there:
                raise NotFoundError(kind="category", id=category_id)


def _publishes(work: Work, before: Product | None, wanted: Product, variants: dict[VariantId, Variant]) -> bool:
    """Whether buyers see the product from now on; refused where somebody objects."""
    start = before or attrs.evolve(wanted, state=ProductState.DRAFT.value)
    states.moved(start, ProductState(wanted.state))
    if wanted.state != ProductState.PUBLISHED or start.state == ProductState.PUBLISHED:
        return False
    require_publishable(work, _with_facets(work, wanted), tuple(variants.values()))
    return True


def require_publishable(work: Work, product: Product, variants: tuple[Variant, ...]) -> None:
    """Ask the core's rules and all plugins.

    :raises NotPublishableError: with all objections.
    """
    objections = states.objections(product, variants) + hooks.ask_publishable(work.plugins, product, variants)
    if objections:
        raise NotPublishableError(id=product.id, objections=objections)


def _move(work: Work, product_id: ProductId, event: states.E, state: ProductState) -> Product:
    """Do something to a product that brings it to a state; nothing where it is there already."""
    require_write(work)
    before = store.find(work, expect_id("product", product_id), lock=True)
    if before is None:
        raise NotFoundError(kind="product", id=product_id)
    if before.state == state:
        return _with_facets(work, before)
    after = states.done(before, event)
    if state is ProductState.PUBLISHED:
        require_publishable(work, _with_facets(work, after), store.variants_of(work, before.id))
    saved = _write(work, before, after)
    _tell(work, f"catalog.{event.value}", saved, publishes=state is ProductState.PUBLISHED)
    return _with_facets(work, saved)


def _write(work: Work, before: Product | None, wanted: Product) -> Product:
    if before is None:
        saved = attrs.evolve(wanted, version=1)
        store.add(work, saved)
    elif _same(before, wanted):
        return before
    else:
        saved = attrs.evolve(wanted, version=before.version + 1)
        if not store.change(work, saved, before.version):
            raise ProductChangedError(what=wanted.id, id=wanted.id, version=wanted.version, found=before.version + 1)
    if saved.category_ids != (before.category_ids if before else ()):
        tree.put_into(work, saved.id, saved.category_ids)
    return saved


def _write_variants(work: Work, stored: dict[VariantId, Variant], changed: list[Variant]) -> None:
    store.add_variants(work, [attrs.evolve(one, version=1) for one in changed if one.id not in stored])
    for one in changed:
        if one.id in stored:
            saved = attrs.evolve(one, version=one.version + 1)
            if not store.change_variant(work, saved, one.version):
                raise ProductChangedError(what=one.id, id=one.id, version=one.version, found=saved.version)


def _tell(work: Work, verb: str, product: Product, *, publishes: bool) -> None:
    work.bump("catalog")
    work.did(verb, Ref("product", product.id))
    if publishes:
        work.announce(ProductPublished(product_id=product.id))


def _with_facets(work: Work, product: Product) -> Product:
    ref = Ref("product", product.id)
    return attrs.evolve(product, facets=facets.load(work, [ref], "catalog")[ref])
