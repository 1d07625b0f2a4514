"""Verbs of the cart, on both databases."""

import datetime as dt

import attrs
import pytest
import sqlalchemy as sa

from eckit.cart import (
    AlreadyPlacedError,
    Cart,
    CartAbandonedError,
    CartChangedError,
    CartEmptyError,
    CartState,
    Touch,
    rules,
    service as cart,
)
from eckit.cart.store import cart as table
from eckit.channel.model import Channel
from eckit.customer.model import Address, Party, TaxPlace
from eckit.kernel import history, outbox
from eckit.kernel.actors import Actor, Scope
from eckit.kernel.database import ConstraintError
from eckit.kernel.errors import EckitError, InvalidInputError, MovedError, NotAllowedError, NotFoundError
from eckit.kernel.ids import (
    ChannelId,
    CustomerId,
    GroupId,
    LegalEntityId,
    LineId,
    MarketId,
    MethodCode,
    OptionCode,
    OrderId,
    PartyId,
    SellerId,
)
from eckit.kernel.minting import mint
from tests.cart.conftest import CHANNEL, MARKET, Carts, new_variant
from tests.cart.support import raised, together


def test_everything_in_a_cart_is_kept(carts: Carts) -> None:
    """What was put in is read back as it was."""
    it, actor = carts.guest()
    carts.add(actor, it, 3, engraving_of := new_variant(), choices={"engraving": "初夏"})
    recipient, buyer = PartyId(mint("party")), PartyId(mint("party"))
    touch = Touch(at=carts.clock.now(), visit_id="v1", source="mail", position="first")
    with carts.begin.write(actor) as work:
        cart.add(work, it.id, new_variant())
        two = cart.add_group(work, it.id)
        second = two.groups[1].id
        cart.set_destination(work, it.id, recipient, TaxPlace(country="JP", region="東京都"), group=second)
        cart.set_option(work, it.id, OptionCode("tablerate.standard"), group=second)
        cart.set_wanted(work, it.id, date=dt.date(2026, 4, 9), slot="14-16", group=second)
        cart.split_line(work, it.id, two.lines[0].id, 1, second)
        cart.set_buyer(work, it.id, buyer)
        cart.set_method(work, it.id, MethodCode("sandbox.card"))
        cart.add_code(work, it.id, "ｍａｙ-１０")
        cart.set_refs(work, it.id, {"session": "s-1"})
        written = cart.note_touch(work, it.id, touch)
    now = carts.get(actor, it)
    assert written == now
    assert [(engraving_of, 2), (now.lines[1].variant_id, 1), (engraving_of, 1)] == [
        (line.variant_id, line.steps) for line in now.lines
    ]
    assert {"engraving": "初夏"} == now.lines[2].choices
    assert (recipient, "tablerate.standard", "14-16") == (
        now.groups[1].destination,
        now.groups[1].option,
        now.groups[1].wanted_slot,
    )
    assert ("MAY-10",) == now.codes
    assert (buyer, "sandbox.card", {"session": "s-1"}, (touch,)) == (
        now.buyer,
        now.method,
        now.client_refs,
        now.touches,
    )


def test_every_change_raises_the_version_and_is_told_once(carts: Carts) -> None:
    """One deed and one event per change, in the order of the versions; what changes nothing writes nothing."""
    it, actor = carts.guest()
    variant = new_variant()
    carts.add(actor, it, 2, variant)
    with carts.begin.write(actor) as work:
        same = cart.set_lines(work, it.id, [(variant, 2)])
    assert 2 == same.version
    carts.add(actor, it, 1, variant)
    with carts.begin.read(actor) as work:
        verbs = work.connection.execute(sa.select(history.history.c.verb).order_by(history.history.c.id)).scalars()
        events = work.connection.execute(sa.select(outbox.outbox.c.payload).order_by(outbox.outbox.c.seq)).scalars()
        assert ["cart.create", "cart.add", "cart.add"] == list(verbs)
        assert [1, 2, 3] == [payload["cart_version"] for payload in events]


def test_change_of_another_version_is_refused(carts: Carts) -> None:
    """A caller that says what it saw is told when that is over; nothing is changed."""
    it, actor = carts.guest()
    now = carts.add(actor, it)
    with pytest.raises(CartChangedError) as refused, carts.begin.write(actor) as work:
        cart.add_code(work, it.id, "MAY", expect_version=it.version)
    assert now.version == refused.value.version
    assert now == carts.get(actor, it)


def test_new_cart_takes_market_and_language_from_its_channel(carts: Carts) -> None:
    """The channel's fact is enough; a market it does not sell in is refused."""
    channel = Channel(
        id=CHANNEL,
        code="web",
        kind="own",
        name="Web",
        legal_entity_id=LegalEntityId(mint("legal_entity")),
        seller_id=SellerId(mint("seller")),
        market_ids=(MARKET,),
        locales=("ja", "en"),
    )
    with carts.begin.write(Actor.guest()) as work:
        made = cart.create(work, channel=channel)
        with pytest.raises(InvalidInputError):
            cart.create(work, channel=channel, market=MarketId(mint("market")))
        with pytest.raises(InvalidInputError):
            cart.create(work, channel=CHANNEL)
    assert (MARKET, "ja", None) == (made.market_id, made.locale, made.customer_id)
    assert len(made.token) >= 43


def test_cart_for_somebody_else_needs_the_permission(carts: Carts) -> None:
    """A buyer cannot make another's cart; staff with the permission can."""
    customer = CustomerId(mint("customer"))
    for actor in (Actor.buyer(CustomerId(mint("customer"))), Actor.guest(), Actor.staff("s", "cart.read")):
        with pytest.raises(NotAllowedError), carts.begin.write(actor) as work:
            cart.create(work, channel=CHANNEL, market=MARKET, customer=customer)
    with carts.begin.write(Actor.staff("s", "cart.write")) as work:
        made = cart.create(work, channel=CHANNEL, market=MARKET, customer=customer)
    assert customer == made.customer_id


def test_destination_of_a_party_brings_its_tax_place(carts: Carts) -> None:
    """With the party's fact the place is read from the address; another destination forgets the old place."""
    it, actor = carts.guest()
    party = Party(
        id=PartyId(mint("party")), name="山田", address=Address(country="JP", region="京都府", postal_code="600-8216")
    )
    with carts.begin.write(actor) as work:
        [group] = cart.set_destination(work, it.id, party).groups
        assert TaxPlace(country="JP", region="京都府", postal_prefix="600") == group.tax_place
        assert group.tax_place == cart.set_destination(work, it.id, party.id).groups[0].tax_place
        assert None is cart.set_destination(work, it.id, PartyId(mint("party"))).groups[0].tax_place
        assert None is cart.set_destination(work, it.id, None).groups[0].destination


def test_the_place_is_that_of_the_address_in_its_normal_form(carts: Carts) -> None:
    """The fact as a form gave it: rates and fares are found under ``JP``, however the buyer wrote it."""
    it, actor = carts.guest()
    typed = Address(country=" jp", region="京都府", postal_code="６００-8216")
    party = Party(id=PartyId(mint("party")), name="山田", address=typed)
    with carts.begin.write(actor) as work:
        [group] = cart.set_destination(work, it.id, party).groups
        assert TaxPlace(country="JP", region="京都府", postal_prefix="600") == group.tax_place
        for none in (attrs.evolve(party, address=Address(country="XX")), party.id):
            with pytest.raises(InvalidInputError):
                cart.set_destination(work, it.id, none, TaxPlace(country="ZZ"))


def test_foreign_cart_is_answered_like_one_that_is_not_there(carts: Carts) -> None:
    """Whoever may not know of a cart cannot tell it from none, whatever they ask."""
    (theirs, _), (mine, me) = carts.buyer(), carts.guest()
    missing = attrs.evolve(theirs, id=mint("cart"))
    verbs = {
        "get": lambda work, it: cart.get(work, it.id),
        "placed": lambda work, it: cart.placed(work, it.id),
        "add": lambda work, it: cart.add(work, it.id, new_variant()),
        "set_lines": lambda work, it: cart.set_lines(work, it.id, [(new_variant(), 1)]),
        "set_steps": lambda work, it: cart.set_steps(work, it.id, LineId(mint("line")), 1),
        "split_line": lambda work, it: cart.split_line(work, it.id, LineId(mint("line")), 1, GroupId(mint("group"))),
        "add_group": lambda work, it: cart.add_group(work, it.id),
        "remove_group": lambda work, it: cart.remove_group(work, it.id, theirs.groups[0].id),
        "set_destination": lambda work, it: cart.set_destination(work, it.id, PartyId(mint("party"))),
        "set_option": lambda work, it: cart.set_option(work, it.id, None),
        "set_wanted": lambda work, it: cart.set_wanted(work, it.id, date=None),
        "set_method": lambda work, it: cart.set_method(work, it.id, None),
        "set_buyer": lambda work, it: cart.set_buyer(work, it.id, None),
        "add_code": lambda work, it: cart.add_code(work, it.id, "MAY"),
        "remove_code": lambda work, it: cart.remove_code(work, it.id, "MAY"),
        "set_refs": lambda work, it: cart.set_refs(work, it.id, {}),
        "note_touch": lambda work, it: cart.note_touch(work, it.id, Touch(at=work.now, visit_id="v")),
        "merge from": lambda work, it: cart.merge(work, it.id, mine.id),
        "merge into": lambda work, it: cart.merge(work, mine.id, it.id),
        "adopt": lambda work, it: cart.adopt(work, it.id),
    }
    others = (
        me,
        Actor.guest(),
        Actor.guest("", " "),
        Actor.buyer(CustomerId(mint("customer")), mine.token),
        Actor.staff("s"),
        Actor.staff("s", "cart.read", "cart.write", scope=Scope(channels=frozenset({ChannelId(mint("channel"))}))),
    )
    for actor in others:
        for name, verb in verbs.items():
            answers = []
            for it in (theirs, missing):
                with pytest.raises(EckitError) as refused, carts.begin.write(actor) as work:
                    verb(work, it)
                answers.append((type(refused.value), refused.value.text().replace(it.id, "…")))
            assert answers[0] == answers[1], name
            if name != "adopt":
                assert NotFoundError is answers[0][0], name


def test_staff_acts_by_permission_in_its_channels(carts: Carts) -> None:
    """Reading and writing are two permissions, both within the channels of the scope."""
    it, _ = carts.buyer()
    here = Scope(channels=frozenset({CHANNEL}))
    with carts.begin.read(Actor.staff("s", "cart.read", scope=here)) as work:
        assert it == cart.get(work, it.id)
    with pytest.raises(NotFoundError), carts.begin.write(Actor.staff("s", "cart.read")) as work:
        cart.add(work, it.id, new_variant())
    with carts.begin.write(Actor.staff("s", "cart.write", scope=here)) as work:
        assert 2 == cart.add(work, it.id, new_variant()).version


def test_id_of_another_kind_is_refused(carts: Carts) -> None:
    """An id carries its kind, and it is checked before anything is asked."""
    wrong = ["", " ", "x", "crt_", "crt_tooshort", "CRT_01h", mint("order"), "crt_" + "0" * 10**5, None, 7, b"crt_"]
    for given in wrong:
        with pytest.raises(InvalidInputError) as refused, carts.begin.read(Actor.system()) as work:
            cart.get(work, given)  # type: ignore[arg-type]
        [problem] = refused.value.problems
        assert ("wrong-id", "cart_id") == (problem.code, problem.path)
        assert len(problem.value) <= 80


def test_expired_carts_are_abandoned_and_open_ones_are_not(carts: Carts) -> None:
    """A month without a change ends a cart; a change gives it another month."""
    (old, old_actor), (kept, kept_actor) = carts.guest(), carts.guest()
    carts.clock.advance(dt.timedelta(days=20))
    carts.add(kept_actor, kept)
    carts.clock.advance(dt.timedelta(days=10))
    with carts.begin.write(Actor.system("expire")) as work:
        assert (old.id,) == cart.expire(work)
        assert () == cart.expire(work)
    with pytest.raises(CartAbandonedError):
        carts.get(old_actor, old)
    assert CartState.OPEN is carts.get(kept_actor, kept).state
    with pytest.raises(NotAllowedError), carts.begin.write(kept_actor) as work:
        cart.expire(work)


# -- an order is made of it ------------------------------------------------------------------------------------------


def take(carts: Carts, actor: Actor, it: Cart, order: OrderId | None = None) -> OrderId:
    order_id = order or OrderId(mint("order"))
    with carts.begin.write(actor) as work:
        cart.take(work, it.id, it.version, order_id)
    return order_id


def test_token_of_a_placed_cart_is_a_pointer_and_nothing_else(carts: Carts) -> None:
    """After placement, and after the order's cancellation: the order's id, and no way to read or change the cart."""
    it, actor = carts.guest()
    with carts.begin.write(actor) as work:
        cart.set_buyer(work, it.id, PartyId(mint("party")))
    it = carts.add(actor, it)
    order_id = take(carts, actor, it)
    other, _ = carts.guest()
    both = Actor.guest(it.token, other.token)
    for verb in (
        lambda work: cart.get(work, it.id),
        lambda work: cart.add(work, it.id, new_variant()),
        lambda work: cart.set_refs(work, it.id, {"a": "b"}),
        lambda work: cart.merge(work, it.id, other.id),
        lambda work: cart.merge(work, other.id, it.id),
    ):
        with pytest.raises(AlreadyPlacedError) as refused, carts.begin.write(both) as work:
            verb(work)
        assert {"order_id": order_id} == refused.value.facts()
    with carts.begin.read(actor) as work:
        assert order_id == cart.placed(work, it.id)
    with pytest.raises(NotFoundError), carts.begin.read(Actor.guest(other.token)) as work:
        cart.placed(work, it.id)


def test_cart_is_taken_by_one_of_many(carts: Carts) -> None:
    """Two tabs, eight clicks: one order; the others start again, and then see which."""
    it, actor = carts.guest()
    it = carts.add(actor, it)
    orders = [OrderId(mint("order")) for _ in range(8)]
    results = together(*(lambda order=order: take(carts, actor, it, order) for order in orders))
    [winner] = [result for result in results if isinstance(result, str)]
    losers = raised(results)
    assert [MovedError] * 7 == [type(error) for error in losers]
    with carts.begin.read(actor) as work:
        assert winner == cart.placed(work, it.id)


def test_cart_of_another_version_or_without_lines_is_not_taken(carts: Carts) -> None:
    """Emptied, changed or over in another tab: a typed answer each, and no order of nothing."""
    it, actor = carts.guest()
    with pytest.raises(CartEmptyError):
        take(carts, actor, it)
    full = carts.add(actor, it)
    with pytest.raises(MovedError):
        take(carts, actor, it)
    with carts.begin.write(actor) as work:
        emptied = cart.set_steps(work, it.id, full.lines[0].id, 0)
    with pytest.raises(MovedError):
        take(carts, actor, full)
    with pytest.raises(CartEmptyError):
        take(carts, actor, emptied)
    other, _ = carts.guest()
    with carts.begin.write(Actor.guest(it.token, other.token)) as work:
        cart.merge(work, it.id, other.id)
    with pytest.raises(MovedError):
        take(carts, actor, emptied)
    with pytest.raises(CartAbandonedError) as refused:
        carts.get(actor, it)
    assert other.id == refused.value.merged_into
    with pytest.raises(NotFoundError):
        take(carts, Actor.system(), attrs.evolve(it, id=mint("cart")))
    assert CartState.OPEN is carts.get(Actor.guest(other.token), other).state


def test_taking_a_foreign_cart_changes_nothing(carts: Carts) -> None:
    """The scope counts for flows too: the transaction ends without a trace."""
    it, actor = carts.guest()
    it = carts.add(actor, it)
    with pytest.raises(NotFoundError):
        take(carts, Actor.guest("something"), it)
    assert it == carts.get(actor, it)


def test_reopened_cart_has_the_next_version(carts: Carts) -> None:
    """Its order came to nothing: it goes on where it was, once; another order's end does not open it."""
    it, actor = carts.guest()
    it = carts.add(actor, it)
    order_id = take(carts, actor, it)
    system = Actor.system("lapse")
    with carts.begin.write(system) as work:
        assert None is cart.reopen(work, it.id, OrderId(mint("order")))
        assert it.version + 1 == cart.reopen(work, it.id, order_id)
        assert None is cart.reopen(work, it.id, order_id)
        assert None is cart.reopen(work, None)
        assert None is cart.reopen(work, mint("cart"))  # type: ignore[arg-type]
    again = carts.get(actor, it)
    assert (CartState.OPEN, it.version + 1, it.lines) == (again.state, again.version, again.lines)
    take(carts, actor, again)


def test_database_itself_refuses_an_empty_token(carts: Carts) -> None:
    """Whatever a program does, no row can be opened by an empty token."""
    it, actor = carts.guest()
    with pytest.raises(ConstraintError), carts.begin.write(actor) as work:
        work.execute(sa.update(table).where(table.c.id == it.id).values(token=""))


def test_token_that_was_made_twice_is_made_anew(carts: Carts, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that repeats itself does not give two people one cart."""
    first, _ = carts.guest()
    tokens = iter([first.token, "b" * 43])
    monkeypatch.setattr("eckit.cart.service.carts.mint_token", lambda: next(tokens))
    second, _ = carts.guest()
    assert "b" * 43 == second.token


# -- limits ----------------------------------------------------------------------------------------------------------


def test_lines_of_a_cart_are_limited(carts: Carts) -> None:
    """200 lines fit; one more is a typed refusal, as is a request with a hundred thousand."""
    it, actor = carts.guest()
    with carts.begin.write(actor) as work:
        full = cart.set_lines(work, it.id, [(new_variant(), 1) for _ in range(200)])
    assert 200 == len(full.lines)
    for lines in ([(new_variant(), 1)], [(new_variant(), 1)] * 10**5):
        with pytest.raises(InvalidInputError, match="limit of 200"), carts.begin.write(actor) as work:
            cart.set_lines(work, it.id, lines)
    with pytest.raises(InvalidInputError, match="limit of 200"):
        carts.add(actor, it)


def test_what_is_no_list_of_pairs_is_refused(carts: Carts) -> None:
    """A typed answer to whatever a client sends."""
    it, actor = carts.guest()
    for pairs in (None, "ab", 7, [None], ["ab"], [("x",)], [("x", 1, 2)], {"a": 1}):
        with pytest.raises(InvalidInputError), carts.begin.write(actor) as work:
            cart.set_lines(work, it.id, pairs)  # type: ignore[arg-type]


def test_codes_groups_and_entries_are_limited(carts: Carts) -> None:
    """20 codes, 50 groups, 20 references of 200 characters; each refusal names the field and changes nothing."""
    it, actor = carts.guest()
    with carts.begin.write(actor) as work:
        for number in range(rules.MAX_CODES):
            cart.add_code(work, it.id, f"CODE-{number}")
        for _ in range(rules.MAX_GROUPS - 1):
            cart.add_group(work, it.id)
        before = cart.set_refs(work, it.id, {f"k{n}": "v" for n in range(rules.MAX_ENTRIES)})
    too_much = {
        "codes": lambda work: cart.add_code(work, it.id, "ONE-MORE"),
        "groups": lambda work: cart.add_group(work, it.id),
        "client_refs": lambda work: cart.set_refs(work, it.id, {"one": "more"}),
        "client_refs[k0]": lambda work: cart.set_refs(work, it.id, {"k0": "v" * 5_000_000}),
        "choices": lambda work: cart.add(work, it.id, new_variant(), choices={f"k{n}": "v" for n in range(21)}),
        "choices[k]": lambda work: cart.add(work, it.id, new_variant(), choices={"k": "v" * 201}),
        "code": lambda work: cart.add_code(work, it.id, "X" * 1_000),
    }
    for path, verb in too_much.items():
        with pytest.raises(InvalidInputError) as refused, carts.begin.write(actor) as work:
            verb(work)
        assert [path] == [problem.path for problem in refused.value.problems]
    assert before == carts.get(actor, it)


def test_choices_are_small_texts(carts: Carts) -> None:
    """Nothing but texts: a number that looks like a price is not one."""
    it, actor = carts.guest()
    for choices in ({"price": 1}, {"a": None}, {1: "a"}, {"": "a"}, {"a": "b\x00"}, ["a"], "a"):
        with pytest.raises(InvalidInputError):
            carts.add(actor, it, choices=choices)


def test_client_cannot_bring_prices_or_flags_along(carts: Carts) -> None:
    """A line knows no price, tax, weight or name; what a request carries of them has no place to go."""
    it, actor = carts.guest()
    for forged in (
        {"price": 1},
        {"discount": 99},
        {"tax": 0},
        {"is_digital": True},
        {"weight": 0},
        {"name": "<script>"},
    ):
        with pytest.raises(TypeError):
            carts.add(actor, it, **forged)
    fields = {field.name for field in attrs.fields(type(carts.add(actor, it).lines[0]))}
    assert {"id", "variant_id", "steps", "group_id", "choices", "note", "parent_id"} == fields
