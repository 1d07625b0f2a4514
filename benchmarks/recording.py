"""Floor B: the very statements and parameters that eckit sent, recorded and sent again by the bare driver."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eckit.shop import Shop

from benchmarks.databases import driver

BEGIN, EXECUTE, COMMIT, ROLLBACK = "begin", "execute", "commit", "rollback"
Step = tuple[Any, ...]


@contextmanager
def recorded(shop: "Shop", steps: list[Step]) -> Iterator[None]:
    """Everything this shop sends within the block."""

    import sqlalchemy as sa

    def begin(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        steps.append((BEGIN, options.get("isolation_level"), bool(options.get("postgresql_readonly"))))

    def execute(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        # many rows in one statement are announced as many executions, but sent as one with all their parameters
        steps.append((EXECUTE, statement, parameters, isinstance(parameters, list)))

    listeners = [
        ("begin", begin),
        ("before_cursor_execute", execute),
        ("commit", lambda _: steps.append((COMMIT,))),
        ("rollback", lambda _: steps.append((ROLLBACK,))),
    ]
    for name, listener in listeners:
        sa.event.listen(shop.database.engine, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners:
            sa.event.remove(shop.database.engine, name, listener)


class Replay:
    """Sends recorded steps by the bare driver, and fetches what they return."""

    def __init__(self, url: str) -> None:
        self._connection: Any = driver(url)
        self._sqlite = url.startswith("sqlite")

    def send(self, steps: Sequence[Step]) -> None:
        """One order's steps."""
        connection = self._connection
        for step in steps:
            if step[0] == EXECUTE:
                cursor = connection.cursor()
                (cursor.executemany if step[3] else cursor.execute)(step[1], step[2])
                if cursor.description:
                    cursor.fetchall()
                cursor.close()
            elif step[0] == BEGIN:
                if not self._sqlite:
                    self._isolate(step[1], step[2])
            elif step[0] == COMMIT:
                connection.commit()
            else:
                connection.rollback()

    def _isolate(self, level: str | None, read_only: bool) -> None:
        import psycopg

        wanted = None if level is None else psycopg.IsolationLevel[level.replace(" ", "_")]
        if self._connection.isolation_level != wanted:
            self._connection.isolation_level = wanted
        if self._connection.read_only != read_only:
            self._connection.read_only = read_only

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()
