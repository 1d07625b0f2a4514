"""The provider's ledger: one SQLite file in WAL mode, one connection behind one lock.

Every change is one transaction and is in the file when it is answered, so that a killed process (the shop's or the
provider's) loses no row; only a power cut could, since ``synchronous`` is off. Movements are only ever added.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

SCHEMA = """
create table if not exists payments (
    id text primary key, account text not null, reference text not null, mode text not null,
    amount integer not null, currency text not null, capture integer not null,
    state text not null, code text, verdict text not null, fingerprint text not null,
    challenge text unique, return_url text, metadata text not null,
    created_at text not null, expires_at text, sequence integer not null,
    unique (account, reference)
);
create table if not exists operations (
    id text primary key, account text not null, reference text not null, payment_id text not null,
    kind text not null, amount integer not null, fingerprint text not null,
    state text not null, code text, verdict text not null, movement_id text, at text not null,
    unique (account, reference)
);
create index if not exists operations_of_payment on operations (payment_id);
create table if not exists movements (
    n integer primary key autoincrement, id text not null unique, account text not null, mode text not null,
    payment_id text not null, payment text not null, kind text not null,
    amount integer not null check (amount > 0), currency text not null, at text not null,
    reference text not null, finality text not null
);
create index if not exists movements_of_payment on movements (payment_id);
create trigger if not exists movements_stay before update on movements
    begin select raise(abort, 'movements never change'); end;
create trigger if not exists movements_remain before delete on movements
    begin select raise(abort, 'movements never change'); end;
create table if not exists notices (
    n integer primary key autoincrement, event_id text not null unique, account text not null,
    payment_id text not null, payment text not null, sequence integer not null, body text not null,
    created_at text not null, state text not null, attempts integer not null, last_status integer
);
create table if not exists requests (
    n integer primary key autoincrement, at text not null, method text not null, path text not null,
    operation text, account text, payment text, reference text, body text,
    steps text not null, status integer, ending text
);
"""


class Payment(NamedTuple):
    """One attempt to pay. ``state``: challenge, pending, approved, declined or closed; ``verdict`` is what a challenge
    or a wait will lead to (``ok`` or a decline code)."""

    id: str
    account: str
    reference: str
    mode: str
    amount: int
    currency: str
    capture: int
    state: str
    code: str | None
    verdict: str
    fingerprint: str
    challenge: str | None
    return_url: str | None
    metadata: str
    created_at: str
    expires_at: str | None
    sequence: int


class Operation(NamedTuple):
    """A capture, void or refund that was accepted. ``state``: done, pending or failed."""

    id: str
    account: str
    reference: str
    payment_id: str
    kind: str
    amount: int
    fingerprint: str
    state: str
    code: str | None
    verdict: str
    movement_id: str | None
    at: str


class Movement(NamedTuple):
    """Money that moved (or was reserved or released): one entry that never changes."""

    n: int
    id: str
    account: str
    mode: str
    payment_id: str
    payment: str
    kind: str
    amount: int
    currency: str
    at: str
    reference: str
    finality: str


class Notice(NamedTuple):
    """One event told to the shop. ``state``: waiting, held, dropped, delivered or given_up."""

    n: int
    event_id: str
    account: str
    payment_id: str
    payment: str
    sequence: int
    body: str
    created_at: str
    state: str
    attempts: int
    last_status: int | None


def _insert(table: str, fields: tuple[str, ...]) -> str:
    return f"insert into {table} ({', '.join(fields)}) values ({', '.join('?' * len(fields))})"  # noqa: S608 -- our names


def _select(table: str, fields: tuple[str, ...]) -> str:
    return f"select {', '.join(fields)} from {table}"  # noqa: S608 -- our names


_ADD_PAYMENT = _insert("payments", Payment._fields)
_ADD_OPERATION = _insert("operations", Operation._fields)
_ADD_MOVEMENT = _insert("movements", Movement._fields[1:])
_ADD_NOTICE = _insert("notices", Notice._fields[1:])
_PAYMENT = _select("payments", Payment._fields)
_OPERATION = _select("operations", Operation._fields)
_MOVEMENT = _select("movements", Movement._fields)
_NOTICE = _select("notices", Notice._fields)
_REQUEST_FIELDS = ("at", "method", "path", "operation", "account", "payment", "reference", "body", "steps")
_ADD_REQUEST = _insert("requests", _REQUEST_FIELDS)


class Ledger:
    """Rows in, rows out; what they mean is decided by the acquirer."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(file, timeout=10, isolation_level=None, check_same_thread=False)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = off")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file; later calls raise :class:`sqlite3.ProgrammingError`."""
        with self._lock:
            self._db.close()

    def wipe(self) -> None:
        """Forget everything, as if the file were new."""
        with self.change():
            for trigger in ("movements_stay", "movements_remain"):
                self._db.execute(f"drop trigger {trigger}")
            for table in ("payments", "operations", "movements", "notices", "requests"):
                self._db.execute(f"delete from {table}")  # noqa: S608 -- our names
        self._db.executescript(SCHEMA)

    @contextmanager
    def change(self) -> Iterator[None]:
        """Hold the lock and one transaction."""
        with self._lock:
            self._db.execute("begin immediate")
            try:
                yield
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise

    def _one(self, sql: str, *values: object) -> Any:
        with self._lock:
            return self._db.execute(sql, values).fetchone()

    def _all(self, sql: str, *values: object) -> list[Any]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def _run(self, sql: str, *values: object) -> int:
        with self._lock:
            return self._db.execute(sql, values).lastrowid or 0

    def add_payment(self, payment: Payment) -> None:
        """Insert a payment."""
        self._run(_ADD_PAYMENT, *payment)

    def save_payment(self, payment: Payment) -> None:
        """Write the members of a payment that may change."""
        sql = "update payments set state = ?, code = ?, expires_at = ?, sequence = ? where id = ?"
        self._run(sql, payment.state, payment.code, payment.expires_at, payment.sequence, payment.id)

    def payment(self, account: str, reference: str) -> Payment | None:
        """Find a payment by the shop's reference."""
        row = self._one(f"{_PAYMENT} where account = ? and reference = ?", account, reference)
        return row and Payment(*row)

    def payment_by_id(self, payment_id: str) -> Payment:
        """Return a payment; raise :class:`KeyError` if there is none (any more)."""
        row = self._one(f"{_PAYMENT} where id = ?", payment_id)
        if row is None:
            raise KeyError(payment_id)
        return Payment(*row)

    def payment_by_challenge(self, challenge: str) -> Payment | None:
        """Find a payment by the secret part of its challenge URL."""
        row = self._one(f"{_PAYMENT} where challenge = ?", challenge)
        return row and Payment(*row)

    def waiting_payments(self) -> list[Payment]:
        """Return payments whose verdict is still to be spoken."""
        return [Payment(*row) for row in self._all(f"{_PAYMENT} where state = 'pending'")]

    def add_operation(self, operation: Operation) -> None:
        """Insert an operation."""
        self._run(_ADD_OPERATION, *operation)

    def save_operation(self, operation: Operation) -> None:
        """Write the members of an operation that may change."""
        sql = "update operations set state = ?, code = ?, movement_id = ? where id = ?"
        self._run(sql, operation.state, operation.code, operation.movement_id, operation.id)

    def operation(self, account: str, reference: str) -> Operation | None:
        """Find an operation by the shop's reference."""
        row = self._one(f"{_OPERATION} where account = ? and reference = ?", account, reference)
        return row and Operation(*row)

    def operations(self, payment_id: str) -> list[Operation]:
        """Return the operations on a payment, oldest first."""
        return [Operation(*row) for row in self._all(f"{_OPERATION} where payment_id = ? order by rowid", payment_id)]

    def waiting_operations(self) -> list[Operation]:
        """Return operations whose verdict is still to be spoken."""
        return [Operation(*row) for row in self._all(f"{_OPERATION} where state = 'pending'")]

    def add_movement(self, movement: Movement) -> None:
        """Add an entry; its ``n`` is given here."""
        self._run(_ADD_MOVEMENT, *movement[1:])

    def movements(self, payment_id: str) -> list[Movement]:
        """Return the entries of one payment, oldest first."""
        return [Movement(*row) for row in self._all(f"{_MOVEMENT} where payment_id = ? order by n", payment_id)]

    def all_movements(self, account: str | None, since: str, until: str) -> list[Movement]:
        """Return all entries, of one account or of all, in the half-open span of instants."""
        sql = f"{_MOVEMENT} where (? is null or account = ?) and at >= ? and at < ? order by n"
        return [Movement(*row) for row in self._all(sql, account, account, since, until)]

    def add_notice(self, notice: Notice) -> None:
        """Insert a notice; its ``n`` is given here."""
        self._run(_ADD_NOTICE, *notice[1:])

    def mark_notice(self, event_id: str, state: str, *, attempted: bool = False, status: int | None = None) -> None:
        """Record what became of a notice. What was delivered once stays delivered."""
        sql = """update notices set attempts = attempts + ?, last_status = coalesce(?, last_status),
            state = case when state = 'delivered' then state else ? end where event_id = ?"""
        self._run(sql, int(attempted), status, state, event_id)

    def notice(self, event_id: str) -> Notice | None:
        """Find a notice."""
        row = self._one(f"{_NOTICE} where event_id = ?", event_id)
        return row and Notice(*row)

    def notices(self, *, payment: str | None = None, state: str | None = None) -> list[Notice]:
        """Return notices, oldest first."""
        sql = f"{_NOTICE} where (? is null or payment = ?) and (? is null or state = ?) order by n"
        return [Notice(*row) for row in self._all(sql, payment, payment, state, state)]

    def add_request(self, *values: str | None) -> int:
        """Log what was received, in the order of ``_REQUEST_FIELDS``; return its number."""
        return self._run(_ADD_REQUEST, *values)

    def answer_request(self, n: int, status: int | None, ending: str) -> None:
        """Log what was answered."""
        self._run("update requests set status = ?, ending = ? where n = ?", status, ending, n)

    def requests(self) -> list[dict[str, object]]:
        """Return the log of requests, oldest first."""
        fields = ("n", *_REQUEST_FIELDS, "status", "ending")
        rows = self._all(f"{_select('requests', fields)} order by n")
        return [dict(zip(fields, row, strict=True)) for row in rows]
