"""A statement is compiled once in a run of tests, not once per test.

SQLAlchemy keeps compiled statements per dialect object, so per engine; every test has an engine of its own, and all
engines of a driver compile alike.
"""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.util import LRUCache


class SharedCache(LRUCache[Any, Any]):
    """Compiled statements of all engines of one driver; the dialect object, first in each key, is left out of it."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key[1:], value)


_caches: Final[dict[tuple[str, str], SharedCache]] = {}


def share() -> None:
    """From now on all engines of this process share what they compile."""
    sa.event.listen(sa.Engine, "engine_connect", _share)


def pytest_configure() -> None:
    share()


def pytest_unconfigure() -> None:
    sa.event.remove(sa.Engine, "engine_connect", _share)


def _share(connection: sa.Connection) -> None:
    dialect = connection.dialect
    engine: Any = connection.engine
    shared = _caches.setdefault((dialect.name, dialect.driver), SharedCache(3000))
    engine._compiled_cache = shared  # there is no public door to it
