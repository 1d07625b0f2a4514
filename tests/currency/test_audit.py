"""The auditor finds kept rates that cannot be used."""

import pytest
import sqlalchemy as sa

from eckit.currency import audit, service as currency
from eckit.currency.store import rate
from eckit.kernel.work import Begin
from eckit.testing.begin import START
from tests.currency.test_service import STAFF, _rate, begin
from tests.planting import broken, broken_by

__all__ = ["begin"]


@pytest.mark.parametrize(
    "changes",
    [
        {"rate": "0"},
        {"rate": "1,5"},
        {"rate": "NaN"},
        {"spread": "-0.1"},
        {"quote": "EUR"},
        {"base": "???"},
        {"valid_until": START},
    ],
    ids=str,
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_rate_that_cannot_be_used_is_found(begin: Begin, changes: dict[str, object]) -> None:
    """Whatever is wrong with it; nothing is wrong with what was kept."""
    with begin.write(STAFF) as work:
        currency.keep(work, _rate())
    assert [] == broken(begin, audit.CHECKS)
    planting = sa.update(rate).values(**changes)
    assert {"kept-rate-is-usable"} == broken_by(begin, audit.CHECKS, [rate], planting)


def test_a_rate_of_nothing_is_found_on_both_databases(begin: Begin) -> None:
    """The query reads the same rows on both."""
    with begin.write(STAFF) as work:
        currency.keep(work, _rate())
    assert {"kept-rate-is-usable"} == broken_by(begin, audit.CHECKS, [rate], sa.update(rate).values(rate="-1"))
