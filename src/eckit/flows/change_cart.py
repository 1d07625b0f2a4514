"""A cart is started in a channel and filled by SKU: what cannot be bought does not get in."""

from collections.abc import Mapping, Sequence

from eckit.cart import rules as cart_rules, service as cart
from eckit.cart.model import Cart
from eckit.catalog import service as catalog
from eckit.catalog.model import Variant
from eckit.catalog.rules import checking
from eckit.catalog.service.access import sees_all
from eckit.channel import service as channels
from eckit.kernel.actors import Actor
from eckit.kernel.errors import InvalidInputError, NotFoundError, Problem
from eckit.kernel.idempotency import Key
from eckit.kernel.ids import CartId, CustomerId, GroupId, Sku, VariantId, expect_id
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin, Work


@again_if_moved
def start_cart(
    begin: Begin,
    actor: Actor,
    channel: str,
    *,
    market: str | None = None,
    locale: str | None = None,
    customer: CustomerId | None = None,
) -> Cart:
    """A new cart of a channel, for the actor or for ``customer`` (``cart.write``).

    :param channel: the channel's code or id.
    :param market: code or id of one of its markets; without it the first.
    :raises NotFoundError: no such channel or market.
    :raises InvalidInputError: a market the channel does not sell in.
    """
    with begin.write(actor) as work:
        setup = channels.setup(work)
        sold_in = setup.channel(channel)
        if sold_in is None:
            raise NotFoundError(kind="channel", id=channel)
        chosen = None if market is None else setup.market(market)
        if market is not None and chosen is None:
            raise NotFoundError(kind="market", id=market)
        return cart.create(work, channel=sold_in, market=chosen, locale=locale, customer=customer)


@again_if_moved
def add_to_cart(
    begin: Begin,
    actor: Actor,
    cart_id: CartId,
    sku: str,
    steps: int = 1,
    *,
    key: str | Key | None = None,
    group: GroupId | None = None,
    choices: Mapping[str, str] | None = None,
    expect_version: int | None = None,
) -> Cart:
    """Add steps of what has this SKU: on the line of the same thing if there is one. Five statements.

    :param key: the caller's key for this request: with it, asking again adds nothing.
    :raises InvalidInputError: ``unknown-sku``: nothing that can be bought has it; ``not-a-multiple``; a quantity that
        is none; a limit of the cart.
    :raises NotFoundError: no such cart or group for this actor.
    :raises AlreadyPlacedError: an order was made of it.
    """
    expect_id("cart", cart_id)
    cart_rules.quantity(steps, "steps")
    with begin.write(actor) as work:
        [variant_id] = _buyable(work, [(sku, steps)], ["sku"])
        return cart.add(
            work,
            cart_id,
            variant_id,
            steps,
            key=key,
            group=group,
            choices=choices,
            expect_version=expect_version,
        )


@again_if_moved
def set_cart_lines(
    begin: Begin,
    actor: Actor,
    cart_id: CartId,
    lines: Sequence[tuple[str, int]],
    *,
    expect_version: int | None = None,
) -> Cart:
    """Set the steps of many SKUs at once, absolutely; 0 takes one out, also if it can no longer be bought.

    Concerns the plain lines of the first group; SKUs not named, lines with choices and other groups stay.

    :param lines: pairs of SKU and steps, each SKU once, at most 200.
    :raises InvalidInputError: with every pair that is wrong: ``lines[2]``.
    """
    expect_id("cart", cart_id)
    wanted = [
        (sku, cart_rules.quantity(steps, f"lines[{index}].steps", least=0))
        for index, (sku, steps) in enumerate(cart_rules.pairs(lines))
    ]
    with begin.write(actor) as work:
        ids = _buyable(work, wanted, [f"lines[{index}]" for index in range(len(wanted))])
        pairs = [(variant_id, steps) for variant_id, (_, steps) in zip(ids, wanted, strict=True)]
        return cart.set_lines(work, cart_id, pairs, expect_version=expect_version)


def _buyable(work: Work, wanted: Sequence[tuple[str, int]], paths: Sequence[str]) -> list[VariantId]:
    """The variant of each SKU: of a published product, active, in steps it is sold in.

    :raises InvalidInputError: with every SKU of which so many cannot be had.
    """
    skus = [checking.sku(sku, path) for (sku, _), path in zip(wanted, paths, strict=True)]
    known = _variants(work, skus)
    leaving = [sku for sku, (_, steps) in zip(skus, wanted, strict=True) if not steps and sku not in known]
    gone = catalog.variant_ids(work, leaving) if leaving else {}
    problems, found = [], []
    for sku, (_, steps), path in zip(skus, wanted, paths, strict=True):
        variant = known.get(sku)
        if variant is not None and steps % variant.unit.increment:
            problems.append(Problem(code="not-a-multiple", path=path, value=steps, limit=variant.unit.increment))
        elif variant is not None or sku in gone:
            found.append(gone[sku] if variant is None else variant.id)
        else:
            problems.append(Problem(code="unknown-sku", path=path, value=sku))
    if problems:
        raise InvalidInputError(problems=tuple(problems))
    return found


def _variants(work: Work, skus: Sequence[Sku]) -> Mapping[Sku, Variant]:
    """What can be bought of these. Staff are shown what is not published, too, so they are asked for offers besides."""
    found = catalog.variants_by_sku(work, skus)
    if not sees_all(work) or not found:
        return found
    offers = catalog.offers(work, [variant.id for variant in found.values()])
    return {sku: variant for sku, variant in found.items() if variant.id in offers}
