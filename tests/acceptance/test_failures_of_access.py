"""Known failures of access: what is somebody else's is not there, and a cart's token ends with its order."""

import inspect
import typing
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, Final, NoReturn

import pytest
from moneyed import Money

from eckit import (
    Actor,
    AlreadyPlacedError,
    Consent,
    EckitError,
    NotAllowedError,
    NotFoundError,
    Order,
    OrderState,
    QuoteRef,
    Ref,
    Scope,
    Touch,
    Tracking,
    mint,
)
from eckit.kernel import ids
from eckit.shop import CAPABILITIES, Shop
from tests.acceptance.scene import Scene
from tests.acceptance.trial import STAFF, START, Trial, person

Call = Callable[[Any, Any], object]

AGREED: Final = QuoteRef(digest="0" * 64, priced_at=START)
YEN: Final = Money(1, "JPY")


def _consent(party: str) -> Consent:
    owner = Ref("party", party)
    return Consent(owner=owner, purpose="news", granted=True, asserted_by="guest", text_version="1", at=START)


def _arrived(parcel: str) -> Tracking:
    return Tracking(parcel_id=parcel, key="1", status="delivered", at=START)


CARTS: Final[dict[str, Call]] = {
    "cart.get": lambda work, it: work.cart.get(it.cart),
    "cart.placed": lambda work, it: work.cart.placed(it.cart),
    "cart.add": lambda work, it: work.cart.add(it.cart, it.open_variant),
    "cart.set_lines": lambda work, it: work.cart.set_lines(it.cart, [(it.open_variant, 1)]),
    "cart.set_steps": lambda work, it: work.cart.set_steps(it.cart, it.line, 0),
    "cart.split_line": lambda work, it: work.cart.split_line(it.cart, it.line, 1, it.group),
    "cart.add_group": lambda work, it: work.cart.add_group(it.cart),
    "cart.remove_group": lambda work, it: work.cart.remove_group(it.cart, it.group),
    "cart.set_destination": lambda work, it: work.cart.set_destination(it.cart, it.party),
    "cart.set_option": lambda work, it: work.cart.set_option(it.cart, "flat.standard", group=it.group),
    "cart.set_wanted": lambda work, it: work.cart.set_wanted(it.cart, date=None),
    "cart.set_method": lambda work, it: work.cart.set_method(it.cart, "sandbox.card"),
    "cart.set_buyer": lambda work, it: work.cart.set_buyer(it.cart, it.party),
    "cart.add_code": lambda work, it: work.cart.add_code(it.cart, "HELLO"),
    "cart.remove_code": lambda work, it: work.cart.remove_code(it.cart, "HELLO"),
    "cart.set_sender": lambda work, it: work.cart.set_sender(it.cart, it.party),
    "cart.set_refs": lambda work, it: work.cart.set_refs(it.cart, {"mine": "1"}),
    "cart.note_touch": lambda work, it: work.cart.note_touch(it.cart, Touch(visit_id="v1", at=START)),
    "cart.merge": lambda work, it: work.cart.merge(it.cart, it.cart),
    "cart.adopt": lambda work, it: work.cart.adopt(it.cart),
    "cart.create": lambda work, it: work.cart.create(channel=it.channel, market=it.market, customer=it.customer),
    "start_cart": lambda shop, it: shop.start_cart(it.actor, "web", customer=it.customer),
    "add_to_cart": lambda shop, it: shop.add_to_cart(it.actor, it.cart, "TEA-50"),
    "set_cart_lines": lambda shop, it: shop.set_cart_lines(it.actor, it.cart, [("TEA-50", 1)]),
    "price_cart": lambda shop, it: shop.price_cart(it.actor, it.cart),
    "place_order": lambda shop, it: shop.place_order(it.actor, it.cart, agreed=AGREED),
}

ORDERS: Final[dict[str, Call]] = {
    "order.get": lambda work, it: work.order.get(it.order),
    "order.list_orders": lambda work, it: work.order.list_orders(customer=it.customer),
    "order.export_orders": lambda work, it: list(work.order.export_orders(channel=it.channel)),
    "order.save_facet": lambda work, it: work.order.save_facet(it.order, "x"),
    "order.links": lambda work, it: work.order.links(it.order),
    "order.link": lambda work, it: work.order.link(it.order, it.shipped, "exchange"),
    "order.place_block": lambda work, it: work.order.place_block(it.order, "review"),
    "order.lift_block": lambda work, it: work.order.lift_block(it.block),
    "order.close": lambda work, it: work.order.close(it.order),
    "payment.find": lambda work, it: work.payment.find(it.payment),
    "payment.for_order": lambda work, it: work.payment.for_order(it.order),
    "payment.close_task": lambda work, it: work.payment.close_task(it.payment, "late_money", reason="x"),
    "shipping.shipments": lambda work, it: work.shipping.shipments(it.order),
    "shipping.set_number": lambda work, it: work.shipping.set_number(it.parcel, "1"),
    "shipping.track": lambda work, it: work.shipping.track(_arrived(it.parcel)),
    "cancel_order": lambda shop, it: shop.cancel_order(it.actor, it.order),
    "take_payment": lambda shop, it: shop.take_payment(it.actor, it.order),
    "resume_payment": lambda shop, it: shop.resume_payment(it.actor, it.order, {}),
    "find_payment": lambda shop, it: shop.find_payment(it.actor, it.order),
    "capture_payment": lambda shop, it: shop.capture_payment(it.actor, it.payment),
    "void_payment": lambda shop, it: shop.void_payment(it.actor, it.payment),
    "refund_payment": lambda shop, it: shop.refund_payment(it.actor, it.payment, YEN, key="1", reason="x"),
    "resolve_payment": lambda shop, it: shop.resolve_payment(
        it.actor, it.payment, it.operation, happened=True, reason="x"
    ),
    "ship_order": lambda shop, it: shop.ship_order(it.actor, it.order, number="1"),
    "record_delivery": lambda shop, it: shop.record_delivery(it.actor, it.shipped, parcel_id=it.parcel),
}

PEOPLE: Final[dict[str, Call]] = {
    "customer.party": lambda work, it: work.customer.party(it.party),
    "customer.parties": lambda work, it: work.customer.parties([it.party]),
    "customer.customer": lambda work, it: work.customer.customer(it.customer),
    "customer.consent": lambda work, it: work.customer.consent(_consent(it.party)),
    "customer.consents": lambda work, it: work.customer.consents(Ref("party", it.party)),
    "customer.save_facet": lambda work, it: work.customer.save_facet(it.customer, "x"),
    "erase_customer": lambda shop, it: shop.erase_customer(it.actor, it.customer),
}

GOODS: Final[dict[str, Call]] = {
    "catalog.publish": lambda work, it: work.catalog.publish(it.product),
    "catalog.unpublish": lambda work, it: work.catalog.unpublish(it.product),
    "catalog.archive": lambda work, it: work.catalog.archive(it.product),
    "catalog.restore": lambda work, it: work.catalog.restore(it.product),
    "catalog.save_facet": lambda work, it: work.catalog.save_facet(it.product, "x"),
    "catalog.move_category": lambda work, it: work.catalog.move_category(it.category, None),
    "catalog.set_prices": lambda work, it: work.catalog.set_prices(it.price_list, []),
    "catalog.remove_prices": lambda work, it: work.catalog.remove_prices(it.price_list, []),
    "catalog.prices_of": lambda work, it: work.catalog.prices_of(it.price_list, [it.variant]),
    "catalog.import_products": lambda work, it: work.catalog.import_products([], list_id=it.price_list),
    "catalog.export_products": lambda work, it: list(work.catalog.export_products(list_id=it.price_list)),
    "catalog.product": lambda work, it: work.catalog.product(it.product),
    "catalog.variants": lambda work, it: work.catalog.variants(it.product),
    "catalog.offers": lambda work, it: work.catalog.offers([it.variant]),
    "promotion.get": lambda work, it: work.promotion.get(it.promotion),
    "promotion.uses": lambda work, it: work.promotion.uses(it.promotion),
    "stock.receive": lambda work, it: work.stock.receive(it.variant, 1, at="main"),
    "stock.receive_many": lambda work, it: work.stock.receive_many({it.variant: 1}, at="main", cause=Ref("x", "1")),
    "stock.count": lambda work, it: work.stock.count(it.variant, 1, at="main"),
    "stock.note_sold": lambda work, it: work.stock.note_sold(it.variant, 1, at="main", cause=Ref("x", "1")),
    "stock.allow_backorder": lambda work, it: work.stock.allow_backorder(it.variant, 1, at="main"),
    "stock.hold": lambda work, it: work.stock.hold(Ref("order", it.order), [], until=None),
    "stock.release": lambda work, it: work.stock.release(Ref("order", it.order)),
    "stock.held": lambda work, it: work.stock.held(Ref("order", it.order)),
    "stock.allocations": lambda work, it: work.stock.allocations(Ref("order", it.order)),
    "stock.ship": lambda work, it: work.stock.ship(Ref("order", it.order), [(it.line, 1)], cause=Ref("x", "1")),
    "stock.levels": lambda work, it: work.stock.levels(it.variant),
}

ON_SHOW: Final = frozenset({"catalog.list_products", "catalog.search", "channel.find_linked", "stock.availability"})
"""Verbs about what everybody may see: published goods in a channel, and whether there are any."""

CALLS: Final = CARTS | ORDERS | PEOPLE | GOODS

HOSTS_OWN: Final = frozenset({"read", "write", "join", "explain", "close", "check"})
"""What a shop has besides flows."""


def _public() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public verb that is asked by an actor."""
    for capability in CAPABILITIES:
        for verb, function in vars(getattr(capability, "Desk", object)).items():
            if inspect.isfunction(function) and not verb.startswith("_"):
                yield f"{capability.__name__.split('.')[1]}.{verb}", function
    for flow, function in vars(Shop).items():
        if inspect.isfunction(function) and flow not in HOSTS_OWN and "actor" in inspect.signature(function).parameters:
            yield flow, function


def _takes_an_id(function: Callable[..., Any]) -> bool:
    hints = typing.get_type_hints(inspect.unwrap(function))
    del hints["return"]
    named = {"variant", "id_or_number"} & set(hints)
    return bool(named) or any(_mentions_an_id(hint) for hint in hints.values())


def _mentions_an_id(hint: Any) -> bool:
    if hint in (Ref, Consent, Tracking):
        return True
    if isinstance(hint, typing.NewType):
        return hint.__module__ == ids.__name__ and hint.__name__.endswith("Id")
    return any(_mentions_an_id(part) for part in typing.get_args(hint))


def test_every_verb_that_takes_an_id_is_tried() -> None:
    """ACC-01: a new public verb must be tried with strangers too, or be about what everybody may see."""
    taking = {name for name, function in _public() if _takes_an_id(function)}

    assert set() == taking - set(CALLS) - ON_SHOW
    assert set() == set(CALLS) & ON_SHOW
    assert set() == (set(CALLS) | ON_SHOW) - {name for name, _ in _public()}


@pytest.fixture
def scene(trial: Trial) -> Scene:
    """A shop in which everything has been used once."""
    return Scene.of(trial)


def _theirs(scene: Scene) -> dict[str, str]:
    """The ids of somebody's own things, by what they are."""
    trial = scene.trial
    owner = Actor.buyer(scene.customer)
    with trial.shop.write(owner) as work:
        party = work.customer.add_party(person()).id
    hidden = trial.goods("HIDDEN", 100, 3)
    with trial.shop.write(STAFF) as work:
        product = work.catalog.unpublish(work.catalog.variant_by_sku("HIDDEN").product_id)
        [parcel_order] = {one.id for one in work.order.list_orders().items} - {scene.order.id}
        price_list = work.catalog.price_lists()[0].id
    return {
        "cart": scene.cart.id,
        "line": scene.line,
        "group": scene.cart.groups[0].id,
        "order": scene.order.id,
        "shipped": parcel_order,
        "block": scene.block,
        "payment": scene.payment,
        "operation": scene.operation,
        "parcel": scene.parcel,
        "party": party,
        "customer": scene.customer,
        "category": scene.category,
        "promotion": scene.promotion,
        "product": product.id,
        "variant": hidden,
        "price_list": price_list,
    }


class _UndoneError(Exception):
    """What was done is taken back."""


def _undo(told: str) -> NoReturn:
    raise _UndoneError(told)


def _answer(scene: Scene, actor: Actor, name: str, things: dict[str, str]) -> str:
    """What somebody is told, with no id in it."""
    open_to_all = {"channel": scene.cart.channel_id, "market": scene.cart.market_id, "open_variant": scene.variant}
    it = SimpleNamespace(**things, **open_to_all, actor=actor)
    shop = scene.trial.shop
    try:
        if "." not in name:
            told = repr(CALLS[name](shop, it))
        else:
            with shop.write(actor) as work:
                told = repr(CALLS[name](work, it))
                _undo(told)
    except _UndoneError as undone:
        told = f"done: {undone}"
    except EckitError as error:
        told = f"{error.code} {error.facts()} {error.text('ja')}"
    for kind, one in things.items():
        told = told.replace(one, f"<{kind}>")
    return told


STRANGERS: Final = {
    "a guest": Actor.guest("z" * 43),
    "another buyer": Actor.buyer(mint("customer"), "z" * 43),
    "staff without a right": Actor.staff("eve"),
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
def test_what_is_somebody_elses_is_answered_as_what_is_not(scene: Scene, stranger: Actor) -> None:
    """ACC-01: every verb that takes an id: the same answer, word for word, for a foreign one and for one of nothing."""
    theirs = _theirs(scene)
    nothing = {kind: mint(one_kind) for kind, one_kind in zip(theirs, _kinds(theirs.values()), strict=True)}

    told = {name: (_answer(scene, stranger, name, theirs), _answer(scene, stranger, name, nothing)) for name in CALLS}

    assert {} == {name: pair for name, pair in told.items() if pair[0] != pair[1]}
    assert set() == {name for name, pair in told.items() if _is_done(pair[0])} - {"order.list_orders", "catalog.offers"}
    assert [] == scene.trial.audit()


def _is_done(words: str) -> bool:
    return words.startswith("done")


def _kinds(some: typing.Iterable[str]) -> Iterator[str]:
    for one in some:
        yield str(ids.kind_of(one))


def test_staff_of_another_channel_finds_nothing(scene: Scene) -> None:
    """ACC-01: every right, but for another channel only: its carts, orders, payments and parcels are not there."""
    rights = ("cart", "order", "payment", "shipping", "customer")
    permissions = [
        f"{area}.{what}" for area in rights for what in ("read", "write", "take", "capture", "void", "refund")
    ]
    mia = Actor.staff("mia", *permissions, "payment.resolve", scope=Scope(channels=frozenset({mint("channel")})))
    theirs = _theirs(scene)

    told = {name: _answer(scene, mia, name, theirs) for name in (*CARTS, *ORDERS)}

    assert {"order.list_orders", "order.export_orders"} == {name for name, words in told.items() if _is_done(words)}
    assert all(scene.order.number not in words for words in told.values())


def test_a_carts_token_opens_nothing_after_placement(trial: Trial) -> None:
    """ACC-05: read, changed, merged, priced by its token, the cart gives the order's id, and nothing of its buyer."""
    trial.goods("TEA-50", 648, 5)
    ready = trial.cart(("TEA-50", 1))
    _, order = ready.placed()
    other = trial.cart(("TEA-50", 1))
    both = Actor.guest(ready.cart.token, other.cart.token)

    for refused in (
        lambda work: work.cart.get(ready.cart.id),
        lambda work: work.cart.add(ready.cart.id, trial_variant(work), 1),
        lambda work: work.cart.set_buyer(ready.cart.id, None),
        lambda work: work.cart.merge(ready.cart.id, other.cart.id),
        lambda work: work.cart.merge(other.cart.id, ready.cart.id),
        lambda _: trial.shop.price_cart(both, ready.cart.id),
    ):
        with pytest.raises(AlreadyPlacedError) as caught, trial.shop.write(both) as work:
            refused(work)
        assert {"order_id": order.id} == caught.value.facts()
        assert not {"見本", "渋谷", "hanako"} & set(caught.value.text("ja").split())
    with trial.shop.read(both) as work:
        assert order.id == work.cart.placed(ready.cart.id)
    with pytest.raises(NotFoundError), trial.shop.read(both) as work:
        work.order.get(order.id)


def trial_variant(work: Any) -> str:
    """The id of the one thing on sale."""
    return str(work.catalog.variant_by_sku("TEA-50").id)


@pytest.mark.parametrize("paid", [False, True], ids=["waiting", "paid"])
def test_a_carts_token_opens_no_canceled_order(trial: Trial, paid: bool) -> None:
    """ACC-05: placing again by the cart's token opens an order while it waits, and never afterwards."""
    trial.goods("TEA-50", 648, 5)
    ready = trial.cart(("TEA-50", 1))
    buyer, order = ready.placed()

    def again() -> Order:
        return trial.shop.place_order(Actor.guest(ready.cart.token), ready.cart.id, agreed=ready.quote.ref)

    assert order.token == again().token
    if paid:
        trial.pay(buyer, order)
        assert (order.id, "") == (again().id, again().token)
    trial.shop.cancel_order(buyer, order.id)

    assert (order.id, "") == (again().id, again().token)
    with pytest.raises(NotFoundError), trial.shop.read(ready.buyer) as work:
        work.order.get(order.id)


def test_facts_of_the_shops_own_are_taken_from_nobody(trial: Trial) -> None:
    """ACC-09: state, total, number, customer, payment as keys of a client's notes: they stay notes."""
    trial.goods("TEA-50", 648, 5)
    ready = trial.cart(("TEA-50", 1))
    forged = {"state": "canceled", "total": "1", "number": "1", "paid": "true", "completed_at": "2020-01-01"}
    with trial.shop.write(ready.buyer) as work:
        work.cart.set_refs(ready.cart.id, forged | {"customer_id": mint("customer"), "_private": "x"})
        work.cart.set_lines(ready.cart.id, [(trial_variant(work), 1)])
    for unknown in ({"price": 1}, {"customer_id": mint("customer")}, {"state": "taken"}):
        with pytest.raises(TypeError), trial.shop.write(ready.buyer) as work:
            work.cart.add(ready.cart.id, trial_variant(work), 1, **unknown)
    with pytest.raises(NotAllowedError):
        trial.shop.start_cart(Actor.guest(), "web", customer=mint("customer"))

    quote = trial.shop.price_cart(ready.buyer, ready.cart.id)
    order = trial.shop.place_order(ready.buyer, ready.cart.id, agreed=quote.ref)

    assert (OrderState.PLACED, None, None, 1248) == (
        order.state,
        order.customer_id,
        order.confirmed_at,
        order.total_minor,
    )
    assert order.number != "1"
    with trial.shop.read(STAFF) as work:
        assert () == tuple(one.movements for one in work.payment.for_order(order.id) if one.movements)
