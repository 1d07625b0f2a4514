"""Rows of an import file in a temporary table, from which they go to the catalog's tables by few, set-based statements.

Filled by COPY on PostgreSQL and by one prepared statement on SQLite, at the level of the driver: there one row costs
microseconds. Nothing but this table is written so; everything in the catalog's tables goes through the Work.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateTable, ExecutableDDLElement

from eckit.kernel.errors import DatabaseUnavailableError
from eckit.kernel.work import Work

_TEMPORARY: Final = sa.MetaData()

stage: Final = sa.Table(
    "eckit_import",
    _TEMPORARY,
    sa.Column("row", sa.Integer, primary_key=True, autoincrement=False),
    # minted for rows that turn out to be new; replaced by what is found
    sa.Column("product_id", sa.Text, nullable=False),
    sa.Column("variant_id", sa.Text, nullable=False),
    sa.Column("handle", sa.Text, nullable=False),
    sa.Column("handle_given", sa.Boolean, nullable=False),
    sa.Column("handle_with_sku", sa.Text, nullable=False),
    sa.Column("sku", sa.Text, nullable=False),
    # texts as they are stored
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("option", sa.Text),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("published", sa.Boolean),
    sa.Column("gtins", sa.Text),
    sa.Column("tax_class", sa.Text),
    sa.Column("length_mm", sa.Integer),
    sa.Column("width_mm", sa.Integer),
    sa.Column("height_mm", sa.Integer),
    sa.Column("weight_grams", sa.Integer),
    sa.Column("hs_code", sa.Text),
    sa.Column("origin", sa.Text),
    sa.Column("cost_minor", sa.BigInteger),
    sa.Column("cost_currency", sa.Text),
    sa.Column("price_minor", sa.BigInteger, nullable=False),
    sa.Column("categories", sa.Integer),  # a set of :data:`category_set`
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("leads", sa.Boolean, nullable=False),  # the first row of its product, which speaks for it
    # what is found in the catalog
    sa.Column("found_variant", sa.Text),
    sa.Column("found_product", sa.Text),
    sa.Column("found_state", sa.Text),
    sa.Column("owner", sa.Text),  # the product that has this SKU
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
COLUMNS: Final = tuple(column.name for column in stage.c)[:-4]

category_set: Final = sa.Table(
    "eckit_import_categories",
    _TEMPORARY,
    sa.Column("set", sa.Integer, nullable=False),
    sa.Column("category_id", sa.Text, nullable=False),
    sa.Column("direct", sa.Boolean, nullable=False),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)


class Analyze(ExecutableDDLElement):
    """Count the rows of a table, so that the planner knows them."""

    inherit_cache = False

    def __init__(self, table: sa.Table) -> None:
        self.table = table


@compiles(Analyze)
def _analyze(element: Analyze, compiler: Any, **_: Any) -> str:
    return f"ANALYZE {compiler.preparer.format_table(element.table)}"


def open_stage(work: Work) -> None:
    """Make the temporary tables, in place of any that a failure has left."""
    close_stage(work)
    for table in (stage, category_set):
        work.execute(CreateTable(table))


def close_stage(work: Work) -> None:
    """Remove the temporary tables: a connection outlives its transactions."""
    schema = "pg_temp" if work.dialect == "postgresql" else "temp"  # never a table of the same name that is kept
    for table in (stage, category_set):
        work.execute(sa.text(f"DROP TABLE IF EXISTS {schema}.{table.name}"))


def fill(work: Work, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Put these rows, and no others, into a temporary table.

    :raises DatabaseUnavailableError: the driver could not.
    """
    work.execute(sa.delete(table))
    connection = work.connection
    driver_error = connection.dialect.loaded_dbapi.Error
    names = ", ".join(connection.dialect.identifier_preparer.quote(name) for name in columns)
    cursor: Any = connection.connection.cursor()
    try:
        if work.dialect == "postgresql":
            with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            places = ", ".join("?" * len(columns))
            cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({places})", rows)  # noqa: S608
    except driver_error as error:
        raise DatabaseUnavailableError(what=type(error).__name__) from error
    finally:
        cursor.close()


def count(work: Work) -> None:
    """Let the planner know what is in the stage; SQLite's does not need it."""
    if work.dialect == "postgresql":
        work.execute(Analyze(stage))
