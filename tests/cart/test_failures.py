"""Failures known from other shops' carts, on both databases."""

import asyncio
import threading
from functools import partial

import pytest

from eckit.cart import Cart, CartAbandonedError, CartChangedError, CartState, service as cart
from eckit.kernel.actors import Actor
from eckit.kernel.errors import NotAllowedError, NotFoundError
from eckit.kernel.idempotency import Key, KeyReusedError
from eckit.kernel.ids import CartId, CustomerId, PartyId
from eckit.kernel.minting import mint
from eckit.kernel.retry import again_if_moved
from tests.cart.conftest import CHANNEL, MARKET, Carts, new_variant
from tests.cart.support import raised, together


def merge(carts: Carts, actor: Actor, source: Cart, into: Cart) -> Cart:
    @again_if_moved
    def merging(begin: object) -> Cart:
        with carts.begin.write(actor) as work:
            return cart.merge(work, source.id, into.id)

    return merging(carts.begin)


def test_sign_in_does_not_take_over_another_customers_cart(carts: Carts) -> None:
    """CRT-01: with customer 1's cart in the session, customer 2 signs in: both carts stay as they were."""
    (first, one), (second, two) = carts.buyer(), carts.buyer()
    first, second = carts.add(one, first, 2), carts.add(two, second, 3)
    two_with_session = Actor.buyer(CustomerId(two.id), first.token)
    for verb in (
        lambda work: cart.merge(work, first.id, second.id),
        lambda work: cart.merge(work, second.id, first.id),
        lambda work: cart.adopt(work, first.id),
        lambda work: cart.get(work, first.id),
        lambda work: cart.add(work, first.id, new_variant()),
    ):
        with pytest.raises(NotFoundError), carts.begin.write(two_with_session) as work:
            verb(work)
    assert (first, second) == (carts.get(one, first), carts.get(two, second))


def test_guests_cart_becomes_the_buyers_and_the_old_token_opens_nothing(carts: Carts) -> None:
    """Whoever planted the token in a browser does not read what its owner puts in later."""
    it, guest = carts.guest()
    it = carts.add(guest, it, 2)
    buyer = Actor.buyer(CustomerId(mint("customer")), it.token)
    with carts.begin.write(buyer) as work:
        adopted = cart.adopt(work, it.id)
        assert adopted == cart.adopt(work, it.id)
    assert (buyer.customer_id, it.lines) == (adopted.customer_id, adopted.lines)
    assert it.token != adopted.token
    with pytest.raises(NotFoundError):
        carts.get(guest, it)
    assert adopted == carts.get(Actor.buyer(CustomerId(buyer.id)), it)
    with pytest.raises(NotAllowedError), carts.begin.write(Actor.guest(adopted.token)) as work:
        cart.adopt(work, it.id)


def test_cart_merged_with_itself_stays_as_it_is(carts: Carts) -> None:
    """CRT-03: persistent and session cart are the same row: quantities are not doubled, however often one signs in."""
    it, actor = carts.buyer()
    it = carts.add(actor, it, 2)
    for _ in range(2):
        assert it == merge(carts, actor, it, it)
    assert it == carts.get(actor, it)


def test_merging_again_and_at_once_adds_nothing(carts: Carts) -> None:
    """CRT-03: twice in a row, four times at one moment, after signing out and in: the steps of both carts, once."""
    variant = new_variant()
    (guests, guest), (mine, buyer) = carts.guest(), carts.buyer()
    carts.add(guest, guests, 2, variant)
    carts.add(buyer, mine, 3, variant)
    both = Actor.buyer(CustomerId(buyer.id), guests.token)
    results = together(*(lambda: merge(carts, both, guests, mine) for _ in range(4)))
    assert [] == raised(results)
    assert [[5]] * 4 == [[line.steps for line in result.lines] for result in results if isinstance(result, Cart)]
    now = carts.get(buyer, mine)
    assert now == merge(carts, both, guests, mine)
    with pytest.raises(CartAbandonedError) as refused:
        carts.get(guest, guests)
    assert mine.id == refused.value.merged_into


def test_two_merges_across_do_not_wait_for_each_other(carts: Carts) -> None:
    """Rows are locked in one order: one is merged, the other answered, neither is a deadlock."""
    for _ in range(5):
        (one, _), (other, _) = carts.guest(), carts.guest()
        both = Actor.guest(one.token, other.token)
        carts.add(both, one, 2)
        calls = (partial(merge, carts, both, *pair) for pair in ((one, other), (other, one)))
        results = together(*calls)
        [refused] = raised(results)
        assert isinstance(refused, CartAbandonedError)


def test_repeated_clicks_with_one_key_add_once(carts: Carts) -> None:
    """CRT-07: ten at once with the same key are one; a new click has a new key."""
    it, actor = carts.guest()
    variant = new_variant()
    results = together(*(lambda: carts.add(actor, it, 1, variant, key="click-1") for _ in range(10)))
    assert [] == raised(results)
    assert [1] == [line.steps for line in carts.get(actor, it).lines]
    carts.add(actor, it, 1, variant, key=Key(scope="add_to_cart", value="click-2"))
    carts.add(actor, it, 1, variant, key="click-2")
    assert [2] == [line.steps for line in carts.get(actor, it).lines]


def test_key_for_something_else_is_noticed(carts: Carts) -> None:
    """One key, two requests: the second is refused instead of silently left out."""
    it, actor = carts.guest()
    variant = new_variant()
    carts.add(actor, it, 1, variant, key="k")
    for steps, other in ((2, variant), (1, new_variant())):
        with pytest.raises(KeyReusedError):
            carts.add(actor, it, steps, other, key="k")
    assert [1] == [line.steps for line in carts.get(actor, it).lines]


def test_repeated_clicks_without_a_key_add_up_on_one_line(carts: Carts) -> None:
    """CRT-07: ten at once are ten on one line: none lost, no second line. Setting is absolute."""
    it, actor = carts.guest()
    variant = new_variant()
    assert [] == raised(together(*(lambda: carts.add(actor, it, 1, variant) for _ in range(10))))
    now = carts.get(actor, it)
    assert [10] == [line.steps for line in now.lines]
    assert it.version + 10 == now.version

    def set_three() -> Cart:
        with carts.begin.write(actor) as work:
            return cart.set_steps(work, it.id, now.lines[0].id, 3)

    assert [] == raised(together(*(set_three for _ in range(5))))
    assert [3] == [line.steps for line in carts.get(actor, it).lines]


def test_cart_emptied_in_another_tab_is_noticed(carts: Carts) -> None:
    """CRT-08: every step may say which version it saw; what it wanted to change is gone: a typed answer."""
    it, actor = carts.guest()
    seen = carts.add(actor, it)
    with carts.begin.write(actor) as work:
        cart.set_lines(work, it.id, [(seen.lines[0].variant_id, 0)])
    for verb, error in (
        (lambda work: cart.set_method(work, it.id, None, expect_version=seen.version), CartChangedError),
        (lambda work: cart.set_steps(work, it.id, seen.lines[0].id, 2), NotFoundError),
    ):
        with pytest.raises(error), carts.begin.write(actor) as work:
            verb(work)
    assert CartState.OPEN is carts.get(actor, it).state


def test_parallel_edits_of_different_things_both_survive(carts: Carts) -> None:
    """CRT-09: two threads, each with its own field and its own keys, over and over: all are there."""
    it, actor = carts.guest()
    parties = [PartyId(mint("party")) for _ in range(2)]

    def edit(mine: str) -> None:
        for number in range(10):
            with carts.begin.write(actor) as work:
                cart.set_refs(work, it.id, {f"{mine}{number}": "x"})
            with carts.begin.write(actor) as work:
                if mine == "a":
                    cart.set_buyer(work, it.id, parties[number % 2])
                else:
                    cart.set_destination(work, it.id, parties[number % 2])

    assert [None, None] == together(lambda: edit("a"), lambda: edit("b"))
    now = carts.get(actor, it)
    assert {f"{mine}{number}" for mine in "ab" for number in range(10)} == set(now.client_refs)
    assert (parties[1], parties[1]) == (now.buyer, now.groups[0].destination)


def test_overlapping_edits_conflict_when_asked_to(carts: Carts) -> None:
    """CRT-09: of two that saw the same version one wins, the other is told; nothing is overwritten unseen."""
    it, actor = carts.guest()

    def edit(value: str) -> Cart:
        with carts.begin.write(actor) as work:
            return cart.set_refs(work, it.id, {"same": value}, expect_version=it.version)

    results = together(lambda: edit("a"), lambda: edit("b"))
    [refused] = raised(results)
    assert isinstance(refused, CartChangedError)
    [written] = [result for result in results if isinstance(result, Cart)]
    assert written == carts.get(actor, it)


def test_draft_made_by_staff_does_not_reach_the_shoppers_checkout(carts: Carts) -> None:
    """CRT-10: carts are found by their own id and token, never by customer: the shopper stays in the own cart."""
    it, shopper = carts.buyer()
    it = carts.add(shopper, it, 1)
    with carts.begin.write(Actor.staff("s", "cart.write")) as work:
        draft = cart.create(work, channel=CHANNEL, market=MARKET, customer=CustomerId(shopper.id))
        cart.add(work, draft.id, new_variant(), 99)
    assert it == carts.get(shopper, it)
    finders = [name for name in dir(cart.Desk) if "customer" in name or name.startswith(("find", "current", "list"))]
    assert [] == finders


def test_parallel_operations_do_not_share_an_actor(carts: Carts) -> None:
    """CRT-12: fifty interleaved operations of two actors in threads and tasks of one process: each on its own cart."""
    pairs = [carts.guest(), carts.buyer()]
    variants = [new_variant(), new_variant()]
    seen: list[tuple[int, CartId, str]] = []
    lock = threading.Lock()

    def operate(who: int) -> None:
        it, actor = pairs[who]
        with carts.begin.write(actor) as work:
            changed = cart.add(work, it.id, variants[who])
            with lock:
                seen.append((who, changed.id, str(work.actor)))
        assert {variants[who]} == {line.variant_id for line in carts.get(actor, it).lines}
        with pytest.raises(NotFoundError):
            carts.get(actor, pairs[1 - who][0])

    async def interleaved() -> None:
        await asyncio.gather(*(asyncio.to_thread(operate, number % 2) for number in range(50)))

    asyncio.run(interleaved())
    assert {(who, it.id, str(actor)) for who, (it, actor) in enumerate(pairs)} == set(seen)
    for who, (it, actor) in enumerate(pairs):
        assert [25] == [line.steps for line in carts.get(actor, it).lines], who
