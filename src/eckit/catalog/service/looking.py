"""Verbs that read. Buyers see what is published; whoever may read or write the catalog sees all of it."""

import unicodedata
from collections.abc import Collection, Sequence
from typing import Final

import attrs

from eckit.catalog import hooks
from eckit.catalog.model import Listed, Offer, Page, Product, ProductState, Search, Variant
from eckit.catalog.rules import checking, slugs
from eckit.catalog.service.access import sees_all
from eckit.catalog.service.prices import required_list
from eckit.catalog.store import listing, offers as offer_store, products as store, tree
from eckit.kernel import facets
from eckit.kernel.errors import NotAllowedError, NotFoundError, PluginError, invalid
from eckit.kernel.ids import ChannelId, PriceListId, ProductId, Sku, VariantId, expect_id
from eckit.kernel.own import Own
from eckit.kernel.refs import Ref
from eckit.kernel.text import clean
from eckit.kernel.work import Work

MAX_PAGE: Final = 200
MAX_IDS: Final = 1_000


def product(work: Work, id_or_handle: str) -> Product:
    """A product by its id or handle, with the facets plugins keep on it for the catalog.

    :raises NotFoundError: there is none, or the actor may not see it.
    """
    found = store.find(work, _name(id_or_handle))
    if found is None or not (found.state == ProductState.PUBLISHED or sees_all(work)):
        raise NotFoundError(kind="product", id=str(id_or_handle))
    ref = Ref("product", found.id)
    return attrs.evolve(found, facets=facets.load(work, [ref], "catalog")[ref])


def variants(work: Work, product_id: ProductId) -> tuple[Variant, ...]:
    """The variants of a product by position; buyers get the active ones.

    :raises NotFoundError: there is no such product, or the actor may not see it.
    """
    product(work, expect_id("product", product_id))
    found = store.variants_of(work, product_id)
    return found if sees_all(work) else tuple(map(_for_buyers, (one for one in found if one.active)))


def variant_by_sku(work: Work, sku: str) -> Variant:
    """The variant of a SKU, in any width and with space around it.

    :raises NotFoundError: there is none, or the actor may not see it.
    """
    folded = checking.sku(sku)
    found = variants_by_sku(work, [folded])
    if folded not in found:
        raise NotFoundError(kind="variant", id=sku)
    return found[folded]


def variants_by_sku(work: Work, skus: Collection[str]) -> dict[Sku, Variant]:
    """The variants of those SKUs that there are and that the actor may see, by their SKU as stored.

    :raises InvalidInputError: a SKU that cannot be one; more than 1,000.
    """
    wanted = {checking.sku(sku, f"skus[{index}]") for index, sku in enumerate(_bounded(skus, "skus"))}
    found = store.by_sku(work, wanted) if wanted else {}
    if sees_all(work):
        return {sku: variant for sku, (variant, _) in found.items()}
    return {
        sku: _for_buyers(variant)
        for sku, (variant, state) in found.items()
        if variant.active and state == ProductState.PUBLISHED
    }


def variant_ids(work: Work, skus: Collection[str]) -> dict[Sku, VariantId]:
    """Ids of the variants of these SKUs, published or not, however many: for flows, not on the desk."""
    return store.ids_by_sku(work, sorted({checking.sku(sku) for sku in skus}))


def offers(work: Work, variant_ids: Collection[VariantId]) -> dict[VariantId, Offer]:
    """What pricing needs of those variants that can be bought: active, of a published product. Two statements for any
    number; a third where plugins keep facets that prices rest on.

    ``category_codes`` has the categories the product is in and all above them; ``prices`` has those of all lists and
    times, in the basis of each list.

    :raises InvalidInputError: not ids of variants; more than 1,000.
    """
    wanted = [
        VariantId(expect_id("variant", id, path=f"variant_ids[{index}]"))
        for index, id in enumerate(_bounded(variant_ids, "variant_ids"))
    ]
    found = offer_store.offers(work, wanted)
    refs = sorted({Ref("product", offer.product.id) for offer in found.values()}, key=str)
    loaded = facets.load(work, refs, facets.PRICING)
    if not any(loaded.values()):
        return found
    return {
        id: attrs.evolve(offer, product=attrs.evolve(offer.product, facets=loaded[Ref("product", offer.product.id)]))
        for id, offer in found.items()
    }


def list_products(
    work: Work,
    *,
    list_id: PriceListId | str,
    category: str | None = None,
    channel: ChannelId | None = None,
    after: str | None = None,
    limit: int = 24,
    newest_first: bool = False,
    state: str = ProductState.PUBLISHED.value,
) -> Page[Listed]:
    """A page of products in the order they were added, each with the lowest price its active variants have now.

    One statement, and as fast at the end of a large catalog as at its start; others only tell why nothing is found.

    :param list_id: id or code of the price list; its currency and tax basis are those of the prices.
    :param category: id or code; products of it and of all categories below it.
    :param channel: where the page is shown; refused if the list is for other channels.
    :param after: ``after`` of the page before.
    :param limit: 1 to 200.
    :param state: drafts and archived products need ``catalog.read``.
    :raises NotFoundError: no such list or category.
    :raises InvalidInputError: limit, ``after`` or state is not one; the list is not for the channel.
    """
    checking.whole(limit, "limit", 1, MAX_PAGE)
    last = None if after is None else ProductId(expect_id("product", after, path="after"))
    if state not in tuple(ProductState):
        raise invalid("unknown-state", "state", state, limit=", ".join(ProductState))
    if state != ProductState.PUBLISHED and not sees_all(work):
        raise NotAllowedError(permission="catalog.read")
    name = clean(list_id, path="list_id", max_length=slugs.MAX_HANDLE)
    in_category = None if category is None else clean(category, path="category", max_length=slugs.MAX_CODE)
    found = listing.page(
        work,
        list_name=name,
        category_name=in_category,
        state=state,
        after=last,
        limit=limit + 1,
        newest_first=newest_first,
    )
    _require_there(work, found, name, in_category, channel)
    shown = tuple(found[:limit])
    return Page(items=shown, after=shown[-1].product_id if len(found) > limit else None)


def search(
    work: Work, text: str, *, list_id: PriceListId | str, channel: ChannelId | None = None, limit: int = 24
) -> tuple[Listed, ...]:
    """Published products for what somebody typed, the best first: asked of the search that ``choose_search`` gives.

    Without any, those whose handle or title (in any language, width and case) contains the text or that have this SKU.

    :raises NotFoundError: no such list.
    :raises InvalidInputError: text or limit is not one.
    :raises PluginError: the search failed; names it.
    """
    checking.whole(limit, "limit", 1, MAX_PAGE)
    typed = clean(text, path="text", max_length=200).strip()
    name = clean(list_id, path="list_id", max_length=slugs.MAX_HANDLE)
    _require_there(work, (), name, None, channel)
    if not typed:
        return ()
    chosen = hooks.ask_search(work.plugins, channel)
    if chosen is None:
        sku = Sku(unicodedata.normalize("NFKC", typed))
        ids: Sequence[ProductId] = listing.said(work, slugs.search_words([typed]), sku, limit)
    else:
        ids = _asked(work, *chosen, typed, limit)
    return tuple(listing.listed(work, ids, list_name=name))


def _asked(work: Work, plugin: str, search: Search, typed: str, limit: int) -> tuple[ProductId, ...]:
    found: object = work.plugins.guarded(plugin, "search", search.find, Own(work, reading_only=True), typed, limit)
    if not isinstance(found, tuple) or not all(isinstance(id, str) for id in found):
        raise PluginError(plugin=plugin, hook="search", reason=f"answered {type(found).__name__}")
    return tuple(ProductId(id) for id in found[:limit])


# --- how -------------------------------------------------------------------------------------------------------------


def _bounded(things: Collection[str], path: str) -> Collection[str]:
    if len(things) > MAX_IDS:
        raise invalid("too-many", path, len(things), limit=MAX_IDS)
    return things


def _name(text: str) -> str:
    return clean(text, path="product", max_length=slugs.MAX_HANDLE)


def _for_buyers(variant: Variant) -> Variant:
    """Without what it costs the shop."""
    return attrs.evolve(variant, cost_minor=None, cost_currency=None)


def _require_there(
    work: Work, found: Sequence[Listed], list_name: str, category: str | None, channel: ChannelId | None
) -> None:
    """Whether list and category are there, where a page does not show it, and whether the list is for the channel."""
    if channel is not None or not any(one.currency for one in found):
        price_list = required_list(work, list_name)
        if channel is not None and price_list.channel_ids and channel not in price_list.channel_ids:
            raise invalid("list-not-for-channel", "list_id", price_list.code, limit=channel)
    if category is not None and not found and tree.find_category(work, category) is None:
        raise NotFoundError(kind="category", id=category)
