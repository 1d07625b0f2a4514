"""The auditor finds every broken invariant of customers, by name, and nothing where nothing is broken."""

import pytest
import sqlalchemy as sa

from eckit.customer import audit, service as customer
from eckit.customer.store import account, credential, customer as customer_table, party
from eckit.kernel.actors import Actor
from eckit.kernel.facets import facet
from eckit.kernel.minting import mint
from eckit.testing.begin import START
from tests.customer.conftest import STAFF, People, a_party
from tests.planting import again, broken, broken_by

ALL = (credential, account, party, customer_table)


@pytest.fixture
def lived(people: People) -> People:
    """Two customers with parties, one of them erased; a guest's party."""
    for email in ("aoi@example.jp", "jo@example.de"):
        made = people.register(email=email)
        with people.begin.write(Actor.buyer(made.id)) as work:
            customer.add_party(work, a_party())
    with people.begin.write(STAFF) as work:
        customer.erase(work, made.id)
    with people.begin.write(Actor.guest()) as work:
        customer.add_party(work, a_party())
    return people


def test_what_lived_is_sound(lived: People) -> None:
    """Nothing is broken by anything the verbs do."""
    assert [] == broken(lived.begin, audit.CHECKS)


def test_each_broken_invariant_is_named(lived: People) -> None:
    """A row of each kind is broken; its invariant is named, and those that follow from the same row."""
    erased, gone = party.c.erased_at.is_not(None), customer_table.c.erased_at.is_not(None)
    plantings: dict[str, sa.Executable] = {
        "erased-party-is-empty": sa.update(party).where(erased).values(phones=["03-1234-5678"]),
        "erased-customer-leaves-nothing": sa.update(customer_table).where(gone).values(groups=["vip"]),
        "account-key-is-normal": sa.update(account).values(email_key="Aoi@example.jp"),
        "one-account-of-a-mailbox": again(account, customer_id="cus_other"),
        "account-has-its-customer": sa.update(account).values(customer_id="cus_gone"),
        "credential-opens-an-account": sa.delete(account),
        "customer-has-its-party": sa.delete(party).where(~erased),
        "merged-into-a-customer": sa.update(customer_table).values(merged_into=customer_table.c.id),
    }
    assert {check.invariant for check in audit.CHECKS} == set(plantings)
    for invariant, planting in plantings.items():
        assert invariant in broken_by(lived.begin, audit.CHECKS, ALL, planting), invariant
    assert [] == broken(lived.begin, audit.CHECKS)


@pytest.mark.parametrize(
    "column", ["name", "kana", "company", "department", "email", "city", "lines", "tax_ids", "postal_code"]
)
def test_any_trace_of_an_erased_person_is_found(lived: People, column: str) -> None:
    """One column is enough; the detail shows nothing of it."""
    value = [["東京"]] if column in ("lines", "tax_ids") else "150-0002"
    planting = sa.update(party).where(party.c.erased_at.is_not(None)).values({column: value})
    assert "erased-party-is-empty" in broken_by(lived.begin, audit.CHECKS, ALL, planting)


def test_an_account_that_outlived_its_erasure_is_found(lived: People) -> None:
    """As are credentials and parties that were left behind."""
    planting = sa.update(customer_table).values(erased_at=START, party_id=None, groups=[])
    assert "erased-customer-leaves-nothing" in broken_by(lived.begin, audit.CHECKS, ALL, planting)


@pytest.mark.parametrize(
    ("kind", "invariant", "table"),
    [("customer", "erased-customer-leaves-nothing", customer_table), ("party", "erased-party-is-empty", party)],
)
def test_a_personal_facet_of_somebody_erased_is_found(
    lived: People, kind: str, invariant: str, table: sa.Table
) -> None:
    """Whichever plugin kept it; one that is not personal may stay, and so may one of somebody who is there."""
    for gone, personal, expected in ((True, True, True), (True, False, False), (False, True, False)):
        erased = table.c.erased_at.is_not(None) if gone else table.c.erased_at.is_(None)
        values = (mint("facet"), kind, sa.select(sa.func.min(table.c.id)).where(erased).scalar_subquery(), "care.skin")
        columns = (facet.c.id, facet.c.owner_kind, facet.c.owner_id, facet.c.namespace)
        planting = sa.insert(facet).values(
            {column.name: value for column, value in zip(columns, values, strict=True)}
            | {"version": 1, "personal": personal, "body": {}}
        )
        assert expected is (invariant in broken_by(lived.begin, audit.CHECKS, (*ALL, facet), planting))
