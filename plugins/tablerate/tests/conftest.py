"""A shop's transactions with the plugin's tables, on both databases."""

from collections.abc import Callable

import pytest

import eckit_tablerate
from eckit.kernel.actors import Actor
from eckit.kernel.clock import FixedClock
from eckit.kernel.work import Begin
from eckit.testing.begin import START, make_begin
from eckit.testing.databases import install_schema
from eckit_tablerate import tables

STAFF = Actor.staff("ito", "tablerate.write")

Quoted = Callable[..., object]


@pytest.fixture
def clock() -> FixedClock:
    """Noon in Tokyo on 2026-04-01."""
    return FixedClock(START)


@pytest.fixture
def begin(database_url: str, clock: FixedClock) -> Begin:
    """Works of a shop with the plugin."""
    install_schema(database_url, extra=(tables.metadata,))
    return make_begin(database_url, plugins=[eckit_tablerate.plugin], clock=clock)
