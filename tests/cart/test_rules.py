"""What becomes of a cart, as rules: examples and properties without a database."""

import datetime as dt
from collections import Counter

import attrs
import pytest
from hypothesis import given, settings, strategies as st

from eckit.cart import CannotMergeError, Cart, CartAbandonedError, CartGroup, CartLine, CartState, Touch, rules
from eckit.kernel.errors import InvalidInputError, NotFoundError
from eckit.kernel.ids import CartId, ChannelId, CustomerId, GroupId, LineId, MarketId, PartyId, VariantId
from eckit.kernel.minting import mint
from eckit.kernel.states import reachable

AT = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
CHANNEL, MARKET = ChannelId(mint("channel")), MarketId(mint("market"))
VARIANTS = [VariantId(mint("variant")) for _ in range(4)]


def new_cart(**facts: object) -> Cart:
    defaults: dict[str, object] = {
        "id": CartId(mint("cart")),
        "version": 1,
        "state": CartState.OPEN,
        "channel_id": CHANNEL,
        "market_id": MARKET,
        "locale": "ja",
        "token": "t" * 43,
        "groups": (CartGroup(id=GroupId(mint("group"))),),
        "expires_at": AT,
    }
    return Cart(**defaults | facts)


def new_line() -> LineId:
    return LineId(mint("line"))


def added(cart: Cart, variant: VariantId, steps: int, **choices: str) -> Cart:
    return rules.add(cart, variant, steps, group_id=cart.groups[0].id, choices=choices, new_id=new_line)


def steps_of(*carts: Cart) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for cart in carts:
        for line in cart.lines:
            counts[line.variant_id, str(sorted(line.choices.items()))] += line.steps
    return counts


@st.composite
def filled(draw: st.DrawFn) -> Cart:
    """Carts with a few variants, with and without an engraving, in up to three groups, some with a destination."""
    groups = tuple(
        CartGroup(id=GroupId(mint("group")), destination=draw(st.sampled_from([None, PartyId(mint("party"))])))
        for _ in range(draw(st.integers(1, 3)))
    )
    cart = new_cart(groups=groups, codes=tuple(draw(st.sets(st.sampled_from(["TEA", "MAY", "CLUB"])))))
    for _ in range(draw(st.integers(0, 6))):
        cart = rules.add(
            cart,
            draw(st.sampled_from(VARIANTS)),
            draw(st.integers(1, 5)),
            group_id=draw(st.sampled_from(groups)).id,
            choices=draw(st.sampled_from([{}, {"engraving": "A"}])),
            new_id=new_line,
        )
    return cart


@settings(max_examples=100)
@given(filled(), filled())
def test_merging_twice_is_merging_once(source: Cart, into: Cart) -> None:
    """The source is over and points to the target; asking again changes neither."""
    over, merged = rules.merge(source, into)
    assert (CartState.ABANDONED, into.id) == (over.state, over.merged_into)
    assert (over, merged) == rules.merge(over, merged)


@given(filled())
def test_cart_merged_with_itself_is_itself(cart: Cart) -> None:
    """merge(x, x) = x: quantities are not doubled by signing in."""
    assert (cart, cart) == rules.merge(cart, cart)


@settings(max_examples=100)
@given(filled(), filled())
def test_merge_neither_loses_nor_invents_steps(source: Cart, into: Cart) -> None:
    """Of every variant with its choices there are as many steps as in both; line ids stay single; groups exist."""
    _, merged = rules.merge(source, into)
    assert steps_of(source, into) == steps_of(merged)
    assert len(merged.lines) == len({line.id for line in merged.lines})
    assert {line.group_id for line in merged.lines} <= {group.id for group in merged.groups}
    assert set(source.codes) | set(into.codes) == set(merged.codes)


@settings(max_examples=100)
@given(filled(), st.data())
def test_splitting_a_line_keeps_its_steps(cart: Cart, data: st.DataObject) -> None:
    """Steps go to another group; none is lost, and the line that stays keeps its id."""
    if not cart.lines:
        return
    line = data.draw(st.sampled_from(cart.lines))
    group = data.draw(st.sampled_from(cart.groups)).id
    steps = data.draw(st.integers(1, line.steps))
    split = rules.split_line(cart, line.id, steps, group, new_id=new_line())
    assert steps_of(cart) == steps_of(split)
    if steps < line.steps:
        assert split.line(line.id) is not None
    if group != line.group_id:
        before = sum(other.steps for other in cart.lines if other.group_id == group)
        assert before + steps == sum(other.steps for other in split.lines if other.group_id == group)


def test_merge_refuses_what_belongs_to_somebody() -> None:
    """Only anonymous carts are merged, and only within a channel and market."""
    into = new_cart()
    for reason, source in (
        ("has-customer", new_cart(customer_id=CustomerId(mint("customer")))),
        ("other-channel", new_cart(channel_id=ChannelId(mint("channel")))),
        ("other-market", new_cart(market_id=MarketId(mint("market")))),
    ):
        with pytest.raises(CannotMergeError) as refused:
            rules.merge(source, into)
        assert reason == refused.value.reason
    with pytest.raises(CartAbandonedError):
        rules.merge(new_cart(state=CartState.ABANDONED, merged_into=CartId(mint("cart"))), into)


def test_guests_destination_is_taken_over_by_a_cart_that_goes_nowhere_yet() -> None:
    """Signing in with an address entered: the cart goes there, with no empty group left over."""
    there = PartyId(mint("party"))
    source = added(new_cart(groups=(CartGroup(id=GroupId(mint("group")), destination=there),)), VARIANTS[0], 2)
    into = new_cart()
    _, merged = rules.merge(source, into)
    assert [there] == [group.destination for group in merged.groups]
    assert [merged.groups[0].id] == [line.group_id for line in merged.lines]
    assert source.lines[0].id == merged.lines[0].id


def test_same_thing_goes_on_one_line() -> None:
    """Same variant and choices: one line. Other choices, a note, something that hangs on it: another."""
    cart = added(added(new_cart(), VARIANTS[0], 1), VARIANTS[0], 2)
    assert [3] == [line.steps for line in cart.lines]
    cart = added(cart, VARIANTS[0], 1, engraving="A")
    assert [3, 1] == [line.steps for line in cart.lines]
    noted = attrs.evolve(cart, lines=(attrs.evolve(cart.lines[0], note="gift"), cart.lines[1]))
    assert [3, 1, 1] == [line.steps for line in added(noted, VARIANTS[0], 1).lines]
    child = CartLine(
        id=new_line(), variant_id=VARIANTS[1], steps=1, group_id=cart.groups[0].id, parent_id=cart.lines[0].id
    )
    kit = attrs.evolve(cart, lines=(*cart.lines, child))
    assert [3, 1, 1, 1] == [line.steps for line in added(kit, VARIANTS[0], 1).lines]


def test_removing_a_line_removes_what_hangs_on_it() -> None:
    """A kit's parts go with it."""
    cart = added(new_cart(), VARIANTS[0], 1)
    child = CartLine(
        id=new_line(), variant_id=VARIANTS[1], steps=1, group_id=cart.groups[0].id, parent_id=cart.lines[0].id
    )
    cart = attrs.evolve(cart, lines=(*cart.lines, child))
    assert () == rules.set_steps(cart, cart.lines[0].id, 0).lines


def test_set_is_absolute_and_leaves_the_rest() -> None:
    """Named variants get exactly so many steps; 0 removes; lines with choices and others stay."""
    cart = added(added(added(new_cart(), VARIANTS[0], 5), VARIANTS[1], 5), VARIANTS[0], 1, engraving="A")
    changed = rules.set_many(cart, [(VARIANTS[0], 2), (VARIANTS[1], 0), (VARIANTS[2], 7)], new_id=new_line)
    kinds = [(line.variant_id, line.steps, bool(line.choices)) for line in changed.lines]
    assert [(VARIANTS[0], 2, False), (VARIANTS[0], 1, True), (VARIANTS[2], 7, False)] == kinds
    assert cart.lines[0].id == changed.lines[0].id
    with pytest.raises(InvalidInputError) as refused:
        rules.set_many(cart, [(VARIANTS[0], 1), (VARIANTS[0], 2)], new_id=new_line)
    assert ("named-twice", "lines[1]") == (refused.value.problems[0].code, refused.value.problems[0].path)


@pytest.mark.parametrize("value", [0, -1, 10**6 + 1, 1.0, "1", True, None])
def test_quantity_is_a_whole_number_in_range(value: object) -> None:
    """Anything else is refused with the field's path; nothing is rounded or read into it."""
    with pytest.raises(InvalidInputError) as refused:
        rules.quantity(value, "lines[3].steps")
    [problem] = refused.value.problems
    assert ("wrong-quantity", "lines[3].steps") == (problem.code, problem.path)


def test_quantity_may_not_grow_beyond_the_limit_by_adding() -> None:
    """The limit is the line's, not the request's."""
    cart = added(new_cart(), VARIANTS[0], rules.MAX_STEPS)
    with pytest.raises(InvalidInputError):
        added(cart, VARIANTS[0], 1)


def test_group_must_be_named_where_there_are_several() -> None:
    """With one group none has to be named; a group of another cart is not found."""
    cart = new_cart()
    assert cart.groups[0] == rules.group_of(cart, None)
    two = rules.add_group(cart, CartGroup(id=GroupId(mint("group"))))
    with pytest.raises(InvalidInputError, match="which one is meant"):
        rules.group_of(two, None)
    with pytest.raises(NotFoundError):
        rules.group_of(two, GroupId(mint("group")))


def test_group_with_lines_stays() -> None:
    """Only an empty group can be removed, and not the last one."""
    cart = added(rules.add_group(new_cart(), CartGroup(id=GroupId(mint("group")))), VARIANTS[0], 1)
    with pytest.raises(InvalidInputError):
        rules.remove_group(cart, cart.groups[0].id)
    smaller = rules.remove_group(cart, cart.groups[1].id)
    assert 1 == len(smaller.groups)
    with pytest.raises(InvalidInputError):
        rules.remove_group(attrs.evolve(smaller, lines=()), smaller.groups[0].id)


def test_keys_are_remembered_for_two_days_and_never_forgotten_early() -> None:
    """Two hundred keys fit; one more is refused rather than one forgotten; after two days there is room again."""
    seen: dict[str, rules.Seen] = {}
    for number in range(rules.MAX_KEYS):
        seen = rules.remember(seen, f"{number}", "x", AT)
    with pytest.raises(InvalidInputError, match="200"):
        rules.remember(seen, "more", "x", AT + rules.KEEP_KEYS - dt.timedelta(seconds=1))
    assert {"more"} == set(rules.remember(seen, "more", "x", AT + rules.KEEP_KEYS))


def test_of_many_touches_the_first_and_the_latest_are_kept() -> None:
    """Where a buyer came from first is never pushed out."""
    touches = [Touch(at=AT + dt.timedelta(minutes=n), visit_id=f"v{n}") for n in range(50)]
    kept = rules.touched(reversed(touches))
    assert (rules.MAX_TOUCHES, touches[0], touches[-1]) == (len(kept), kept[0], kept[-1])


def test_every_state_can_be_reached() -> None:
    """The table of a cart's states has no state that nothing leads to."""
    assert frozenset(CartState) == reachable(rules.MOVES, CartState.OPEN)
