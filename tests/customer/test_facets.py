"""What plugins keep on a customer: typed with the customer, and gone with it where it is personal."""

from typing import Any

import attrs
import pytest

from eckit.customer import Customer, service as customer
from eckit.kernel import facets, idempotency
from eckit.kernel.actors import Actor
from eckit.kernel.errors import InvalidInputError, NotAllowedError, NotFoundError
from eckit.kernel.facets import PRICING, FacetSpec
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.idempotency import Key
from eckit.kernel.ids import CustomerId
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.testing.begin import make_begin
from tests.customer.conftest import STAFF, People, a_party


@attrs.frozen(kw_only=True)
class Skin:
    """What somebody's skin is like."""

    kind: str


@attrs.frozen(kw_only=True)
class Grade:
    """How good a customer somebody is; says nothing about who it is."""

    stars: int


class Care:
    """Keeps both: one is personal."""

    name = "care"
    version = "1.0.0"
    eckit_interface = {"catalog": 1}  # noqa: RUF012

    @hookimpl
    def register_facets(self) -> tuple[FacetSpec, ...]:
        read = frozenset({"customer", PRICING})
        return (
            FacetSpec(kind=Skin, namespace="care.skin", on="customer", needed_for=read, personal=True),
            FacetSpec(kind=Grade, namespace="care.grade", on="customer", needed_for=read),
        )


@pytest.fixture
def cared(people: People) -> People:
    """The same shop with the plugin."""
    return attrs.evolve(people, begin=make_begin(people.url, plugins=[people.schemes, Care()], clock=people.clock))


def keep(cared: People, *kept: Any) -> Customer:
    made = cared.register()
    with cared.begin.write(STAFF) as work:
        for facet in kept:
            customer.save_facet(work, made.id, facet)
    return made


def test_facets_come_with_the_customer(cared: People) -> None:
    """Typed; the latest of a class counts; a price that rests on them is found anew."""
    made = keep(cared, Skin(kind="dry"), Grade(stars=1), Grade(stars=2))

    with cared.begin.read(Actor.buyer(made.id)) as work:
        found = customer.customer(work, made.id)
        assert (Skin(kind="dry"), Grade(stars=2), None) == (found.facet(Skin), found.facet(Grade), found.facet(int))
        before = work.stamps([f"customer:{made.id}"])
    with cared.begin.write(STAFF) as work:
        customer.save_facet(work, made.id, Grade(stars=3))
    with cared.begin.write(STAFF) as work:
        assert before != work.stamps([f"customer:{made.id}"])
        customer.save_customer(work, attrs.evolve(found, locale="ja"))
        assert Grade(stars=3) == customer.customer(work, made.id).facet(Grade)


def test_only_registered_facets_of_customers_there_are_are_saved(cared: People) -> None:
    """By staff who may change customers; everything else is refused and stores nothing."""
    made = keep(cared)
    with cared.begin.write(STAFF) as work:
        with pytest.raises(InvalidInputError):
            customer.save_facet(work, made.id, object())
        with pytest.raises(NotFoundError):
            customer.save_facet(work, CustomerId(mint("customer")), Grade(stars=1))
    with pytest.raises(NotAllowedError), cared.begin.write(Actor.buyer(made.id)) as work:
        customer.save_facet(work, made.id, Grade(stars=9))
    with cared.begin.read(STAFF) as work:
        assert [] == facets.export(work, [Ref("customer", made.id)])


def test_erasure_takes_personal_facets_of_the_customer_and_its_parties(people: People, cared: People) -> None:
    """Also when the plugin is gone; what is not personal stays, and an erased customer gets no new ones."""
    made, other = keep(cared, Skin(kind="dry"), Grade(stars=2)), cared.register(email="jo@example.de")
    party = a_party()
    with cared.begin.write(Actor.buyer(made.id)) as work:
        customer.add_party(work, party)
        work.execute(
            facets.facet.insert().values(
                id=mint("facet"),
                owner_kind="party",
                owner_id=party.id,
                namespace="older.note",
                version=1,
                personal=True,
                body={"says": "rings twice"},
            )
        )
    with cared.begin.write(STAFF) as work:
        customer.save_facet(work, other.id, Skin(kind="oily"))
    with people.begin.write(STAFF) as work:
        customer.erase(work, made.id)

    with cared.begin.read(STAFF) as work:
        left = facets.export(work, [Ref("customer", made.id), Ref("party", party.id)])
        assert ["care.grade"] == [one["namespace"] for one in left]
        assert Skin(kind="oily") == customer.customer(work, other.id).facet(Skin)
    with pytest.raises(NotFoundError), cared.begin.write(STAFF) as work:
        customer.save_facet(work, made.id, Skin(kind="dry"))


def test_erasure_forgets_what_was_answered_to_the_customer(people: People) -> None:
    """Replies kept under its idempotency keys may tell about it; those of others stay, and so does its own erasing."""
    made, other = people.register(), people.register(email="jo@example.de")
    key, erasing = Key(scope="write", value="k1"), Key(scope="write", value="k2")
    for one in (made, other):
        with people.begin.write(Actor.buyer(one.id), key) as work:
            work.reply = {"name": "佐藤"}
    with people.begin.write(Actor.buyer(made.id), erasing) as work:
        customer.erase(work, made.id)
        work.reply = {"erased": True}

    with people.begin.read(STAFF) as work:
        found = [
            idempotency.find(work.connection, which, Actor.buyer(one.id).identity, work.now)
            for one, which in ((made, key), (made, erasing), (other, key))
        ]
    assert [None, {"erased": True}, {"name": "佐藤"}] == [one and one.body for one in found]
