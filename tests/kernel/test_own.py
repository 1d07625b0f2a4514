"""A plugin's own tables: in the same transaction as the core's, and no others."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from eckit.kernel.database import Database
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.outbox import outbox
from eckit.kernel.own import ForeignTableError, Own
from eckit.kernel.stamps import stamp
from eckit.kernel.tables import SCHEMA, plugin_metadata
from eckit.kernel.work import Begin, ReadOnlyError
from tests.kernel.shop import SYSTEM, NoteWritten, begin_on, note, notes, plugin

others = plugin_metadata()
other = sa.Table("other_thing", others, sa.Column("id", sa.String(40), primary_key=True))
light = sa.table("eckit_outbox", sa.column("id"), schema=SCHEMA)
an_id = sa.select(outbox.c.id).limit(1).scalar_subquery()


def tables(*given: sa.MetaData) -> Callable[[], tuple[sa.MetaData, ...]]:
    return hookimpl(lambda: given)


@pytest.fixture
def begin(opened: Database) -> Begin:
    with opened.writing() as connection:
        notes.create_all(connection)
        others.create_all(connection)
    with_tables = (plugin("notes", register_tables=tables(notes)), plugin("other", register_tables=tables(others)))
    return begin_on(opened, plugins=with_tables)


def test_a_plugins_row_and_the_cores_commit_together_or_not_at_all(begin: Begin) -> None:
    """DESIGN §5: one transaction for the plugin's table, the core's and the event."""

    def write(*, fail: bool) -> None:
        with begin.write(SYSTEM) as work:
            work.own.execute(sa.insert(note).values(id="a", text="x"))
            work.announce(NoteWritten(id="a"))
            if fail:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write(fail=True)
    with begin.read(SYSTEM) as work:
        assert [] == work.own.execute(sa.select(note)).all()
    write(fail=False)
    with begin.read(SYSTEM) as work:
        assert [("a", "x")] == work.own.execute(sa.select(note)).all()
        assert 1 == work.execute(sa.select(sa.func.count()).select_from(outbox)).scalar_one()


def test_a_write_raises_the_plugins_stamp(begin: Begin) -> None:
    """Facts a plugin loaded are loaded anew after its tables changed."""
    with begin.write(SYSTEM) as work:
        work.own.execute(sa.insert(note).values(id="a"))
        work.own.execute(sa.select(note))
    with begin.read(SYSTEM) as work:
        held = work.stamps(["plugin:notes", "plugin:other"])
    assert (True, 0) == (held["plugin:notes"] > 0, held["plugin:other"])


ALLOWED: dict[str, sa.Executable] = {
    "select": sa.select(note.c.id, sa.func.count()).where(note.c.text.like("a%")).group_by(note.c.id).order_by("id"),
    "insert of many": sa.insert(note).values([{"id": "a"}, {"id": "b"}]),
    "update from its own": sa.update(note).values(text=sa.select(sa.func.max(note.c.id)).scalar_subquery()),
    "delete": sa.delete(note).where(note.c.id == "a"),
    "common table expression": sa.select(sa.select(note.c.id).cte("x").c.id),
    "alias and lock": sa.select(note.alias("n").c.id).with_for_update(),
    "operator": sa.select(note.c.id.op("||")("x")),
    "case and window": sa.select(
        sa.case((note.c.id == "a", 1), else_=2), sa.func.row_number().over(order_by=note.c.id)
    ),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_what_a_plugin_may_do_with_its_tables(begin: Begin, what: str) -> None:
    """Any statement of SQLAlchemy Core on the plugin's own tables."""
    with begin.write(SYSTEM) as work:
        work.own.execute(ALLOWED[what])


REFUSED: dict[str, Any] = {
    "the core's table": sa.select(outbox.c.id),
    "the core's table beside its own": sa.select(note.c.id, outbox.c.id),
    "the core's table in a condition": sa.select(note.c.id).where(note.c.id == outbox.c.id),
    "a lightweight table": sa.select(note.c.id, light.c.id),
    "another plugin's table": sa.select(note.c.id, other.c.id),
    "a table of its own making": sa.select(sa.Table("notes_note", sa.MetaData(), sa.Column("id")).c.id),
    "no table": sa.select(sa.func.now()),
    "text": sa.text("DELETE FROM eckit_outbox"),
    "text in a condition": sa.select(note.c.id).where(sa.text("1=1")),
    "text in the order": sa.select(note.c.id).order_by(sa.text("1")),
    "a literal column": sa.select(note.c.id, sa.literal_column("(SELECT 1)")),
    "text as an operator": sa.select(note.c.id.op("= 1 OR 1 =")("x")),
    "text as a prefix": sa.select(note.c.id).prefix_with("(SELECT 1) AS x,"),
    "text as a suffix": sa.select(note.c.id).suffix_with("UNION SELECT id FROM eckit_outbox"),
    "text as a hint": sa.select(note.c.id).with_statement_hint("UNION SELECT 1"),
    "a prefix of an insert": sa.insert(note).prefix_with("OR REPLACE").values(id="a"),
    "a function that runs text": sa.select(sa.func.query_to_xml("SELECT 1", True, False, ""), note.c.id),
    "a function that reads files": sa.select(sa.func.pg_read_file("x"), note.c.id),
    "a subquery in values": sa.insert(note).values(id=an_id),
    "a subquery in many values": sa.insert(note).values([{"id": an_id}, {"id": "b"}]),
    "an insert from a select": sa.insert(note).from_select(["id"], sa.select(outbox.c.id)),
    "a subquery in an update": sa.update(note).values(text=an_id),
    "an update from another table": sa.update(note).where(note.c.id == outbox.c.id).values(text="x"),
    "a delete by another table": sa.delete(note).where(note.c.id == outbox.c.id),
    "a delete where something exists": sa.delete(note).where(sa.exists(sa.select(outbox.c.id))),
    "a conflict's subquery": sqlite.insert(note).on_conflict_do_update(index_elements=["id"], set_={"text": an_id}),
    "a conflict's condition": postgresql.insert(note).on_conflict_do_update(
        index_elements=["id"], set_={"text": "x"}, where=sa.exists(sa.select(outbox.c.id))
    ),
    "a subquery in what is returned": sa.insert(note).values(id="a").returning(an_id),
    "a write hidden in a common table expression": sa.select(note.c.id).add_cte(
        sa.delete(outbox).returning(outbox.c.id).cte("gone")
    ),
    "a union": sa.union(sa.select(note.c.id), sa.select(outbox.c.id)),
    "a join": sa.select(note.c.id).join(outbox, outbox.c.id == note.c.id),
    "a lateral": sa.select(note.c.id, sa.select(outbox.c.id).lateral("l").c.id),
    "a correlated subquery": sa.select(sa.select(outbox.c.id).where(outbox.c.id == note.c.id).scalar_subquery()),
    "a limit": sa.select(note.c.id).limit(sa.select(stamp.c.version).limit(1).scalar_subquery()),
    "the definition of a table": sa.schema.DropTable(note),
    "not a statement": "SELECT 1",
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_names_anything_but_the_plugins_own_tables_is_refused(begin: Begin, what: str) -> None:
    """No plugin writes around the core by mistake, however the other table comes into the statement."""
    with begin.write(SYSTEM) as work, pytest.raises(ForeignTableError):
        work.own.execute(REFUSED[what])


def test_inside_a_hook_a_plugin_may_only_read(begin: Begin) -> None:
    """What is asked inside a Work gets a view for reading; a write in a common table expression is a write."""
    hidden = sa.select(sa.insert(note).values(id="q").returning(note.c.id).cte("w").c.id)
    with begin.write(SYSTEM) as work:
        own = Own(work, plugin="notes", reading_only=True)
        assert [] == own.execute(sa.select(note)).all()
        for statement in (sa.insert(note).values(id="a"), hidden):
            with pytest.raises(ForeignTableError):
                own.execute(statement)
    with begin.read(SYSTEM) as work, pytest.raises(ReadOnlyError):
        work.own.execute(sa.insert(note).values(id="a"))


def test_a_view_for_one_plugin_shows_no_others_tables(begin: Begin) -> None:
    """``load(own)`` of one plugin cannot read what another keeps."""
    with begin.read(SYSTEM) as work:
        assert [] == Own(work, plugin="other").execute(sa.select(other)).all()
        with pytest.raises(ForeignTableError, match="notes_note"):
            Own(work, plugin="other").execute(sa.select(note))
