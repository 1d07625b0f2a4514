"""Fixtures of the kernel's tests."""

from collections.abc import Iterator

import pytest

from eckit.kernel.database import Database
from eckit.kernel.work import Begin
from tests.kernel.shop import begin_on, database_at


@pytest.fixture
def opened(migrated_url: str) -> Iterator[Database]:
    """A database with the core's tables, closed at the end."""
    found = database_at(migrated_url)
    yield found
    found.close()


@pytest.fixture
def begin(opened: Database) -> Begin:
    """How Works begin, with no plugin at all."""
    return begin_on(opened)
