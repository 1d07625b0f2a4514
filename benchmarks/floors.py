"""Floor A: what an order costs at least, with the bare driver and tables of four columns.

Seven statements: three conditional decrements of stock, the order, its three lines in one insert, the payment, one
event; then COMMIT. The hot row comes last.
"""

from typing import Any

from benchmarks.databases import driver

TABLES = """
create table f_level (sku varchar(40) primary key, on_hand bigint not null, reserved bigint not null,
    check (reserved >= 0 and reserved <= on_hand));
create table f_order (id varchar(40) primary key, number varchar(40) not null unique, total bigint not null, body text);
create table f_line (order_id varchar(40) not null, position int not null, sku varchar(40) not null, steps bigint,
    total bigint, primary key (order_id, position));
create table f_payment (id varchar(40) primary key, order_id varchar(40) not null, amount bigint, state varchar(20));
create table f_outbox (id varchar(40) primary key, name varchar(40) not null, payload text not null);
"""
DECREMENT = "update f_level set reserved = reserved + ? where sku = ? and on_hand - reserved >= ?"
ORDER = "insert into f_order (id, number, total, body) values (?, ?, ?, ?)"
LINE = "(?, ?, ?, ?, ?)"
LINES = "insert into f_line (order_id, position, sku, steps, total) values "
PAYMENT = "insert into f_payment (id, order_id, amount, state) values (?, ?, ?, ?)"
OUTBOX = "insert into f_outbox (id, name, payload) values (?, ?, ?)"


def make_tables(url: str, skus: list[str], on_hand: int) -> None:
    """The floor's tables, with stock."""
    connection = driver(url)
    for statement in filter(str.strip, TABLES.split(";")):
        connection.execute(statement)
    mark = "?" if url.startswith("sqlite") else "%s"
    insert = f"insert into f_level (sku, on_hand, reserved) values ({mark}, {mark}, 0)"
    cursor = connection.cursor()
    if url.startswith("sqlite"):
        cursor.execute("BEGIN")
    cursor.executemany(insert, [(sku, on_hand) for sku in skus])
    connection.commit()
    connection.close()


class Floor:
    """Places orders with the seven statements."""

    def __init__(self, url: str) -> None:
        self._connection: Any = driver(url)
        self._begins = url.startswith("sqlite")
        self._say = (lambda text: text) if self._begins else (lambda text: text.replace("?", "%s"))

    def place(self, order: str, skus: list[str]) -> bool:
        """One order of one step of each; False, and nothing done, where stock is short."""
        execute, say = self._connection.execute, self._say
        if self._begins:
            execute("BEGIN IMMEDIATE")
        execute(say(ORDER), (order, order, 1000 * len(skus), "{}"))
        lines = [value for at, sku in enumerate(skus) for value in (order, at, sku, 1, 1000)]
        execute(say(LINES + ", ".join([LINE] * len(skus))), lines)
        execute(say(PAYMENT), (f"p{order}", order, 1000 * len(skus), "planned"))
        execute(say(OUTBOX), (f"e{order}", "order_placed", "{}"))
        for sku in sorted(skus):
            if execute(say(DECREMENT), (1, sku, 1)).rowcount != 1:
                self._connection.rollback()
                return False
        self._connection.commit()
        return True

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()
