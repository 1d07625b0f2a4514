"""The auditor finds every broken invariant of channels, by name, and nothing where nothing is broken."""

import pytest
import sqlalchemy as sa

from eckit.channel import ExternalRef, audit, service as channel
from eckit.channel.store import external_ref, setup
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.testing.begin import START
from tests.channel.conftest import STAFF, House
from tests.planting import again, broken, broken_by

ALL = (external_ref, setup)


@pytest.fixture
def lived(house: House) -> House:
    """A channel with an external reference."""
    with house.begin.write(STAFF) as work:
        web = channel.save_channel(work, house.channel())
        owner = Ref("order", mint("order"))
        link = ExternalRef(
            channel_id=web.id, kind="order", external_id="1", raw="1", owner=owner, primary=True, since=START
        )
        channel.link(work, link)
    return house


def test_what_lived_is_sound(lived: House) -> None:
    """Nothing is broken by anything the verbs do."""
    assert [] == broken(lived.begin, audit.CHECKS)


def test_each_broken_invariant_is_named(lived: House) -> None:
    """A row of each kind is broken; its invariant is named."""
    plantings: dict[str, sa.Executable] = {
        "setup-is-sound": sa.delete(setup).where(setup.c.kind == "market"),
        "link-has-its-owner": sa.update(external_ref).values(owner="order:7"),
        "one-owner-of-an-external-id": again(external_ref, id=mint("external_ref")),
        "link-window-is-half-open": sa.update(external_ref).values(until=START),
    }
    assert {check.invariant for check in audit.CHECKS} == set(plantings)
    for invariant, planting in plantings.items():
        assert invariant in broken_by(lived.begin, audit.CHECKS, ALL, planting), invariant
    assert [] == broken(lived.begin, audit.CHECKS)


@pytest.mark.parametrize(
    "changes",
    [{"body": {}}, {"body": ["?"]}, {"code": "other"}, {"id": mint("channel")}],
    ids=["empty", "list", "code", "id"],
)
def test_a_row_that_is_not_what_it_says_is_found(lived: House, changes: dict[str, object]) -> None:
    """A document that cannot be read, or that is stored under another id or code."""
    planting = sa.update(setup).where(setup.c.kind == "channel").values(**changes)
    assert {"setup-is-sound"} == broken_by(lived.begin, audit.CHECKS, ALL, planting)
