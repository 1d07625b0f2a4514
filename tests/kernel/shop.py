"""What the kernel's own tests share: a small event, a plugin's table, and Works without a shop."""

import datetime as dt
from typing import Any, ClassVar

import attrs
import pytest
import sqlalchemy as sa

from eckit.kernel.actors import Actor
from eckit.kernel.clock import FixedClock
from eckit.kernel.composing import compose_plugins
from eckit.kernel.database import Database, DatabaseSettings
from eckit.kernel.events import Event
from eckit.kernel.hookspecs import HookSpec
from eckit.kernel.ids import ShopId
from eckit.kernel.refs import Ref
from eckit.kernel.tables import plugin_metadata
from eckit.kernel.work import Begin

SHOP = ShopId("shp_01h455vb4pex5vsknk084sn02q")
SYSTEM = Actor.system()
NOON = dt.datetime(2026, 4, 1, 3, 0, tzinfo=dt.UTC)

only_postgres = pytest.mark.parametrize("database", ["postgres"], indirect=True)
only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@attrs.frozen(kw_only=True)
class NoteWritten(Event):
    """Something the tests announce."""

    name: ClassVar[str] = "note.written"
    id: str
    steps: int = 1

    @property
    def subject(self) -> Ref:
        """The note."""
        return Ref("note", self.id)


notes = plugin_metadata()
note = sa.Table("notes_note", notes, sa.Column("id", sa.String(40), primary_key=True), sa.Column("text", sa.Text))
secret_note = sa.Table("notes_secret", notes, sa.Column("id", sa.String(40), primary_key=True))


def plugin(name: str, *, interface: dict[str, int] | None = None, **members: Any) -> Any:
    """A plugin object with these functions, each marked already."""
    attributes = {"name": name, "version": "1", "eckit_interface": interface or {"host": 1}}
    return type(name.title(), (), {**attributes, **{key: staticmethod(value) for key, value in members.items()}})()


def begin_on(
    database: Database,
    *,
    specs: list[HookSpec] | None = None,
    plugins: tuple[Any, ...] = (),
    clock: FixedClock | None = None,
) -> Begin:
    """How Works begin on a database, with only the hooks and plugins given."""
    return Begin(
        transactions=database,
        plugins=compose_plugins(specs or [], plugins),
        clock=clock or FixedClock(NOON),
        shop_id=SHOP,
    )


def database_at(url: str, **settings: Any) -> Database:
    """A database with settings of the test's own."""
    return Database(DatabaseSettings(url=url, **settings))
