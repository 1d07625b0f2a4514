"""A shop that is ready to sell, copied for each test; children that are killed in it, and what must hold afterwards."""

import contextlib
import datetime as dt
import json
import os
import select
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import sqlalchemy as sa

from eckit import Actor, Coupon, OrderState, Promotion, RuleRef, Text, mint
from eckit.kernel.clock import FixedClock
from eckit.payment.rules import ENDED
from eckit.testing import postgres
from eckit_sandbox import SandboxProcess
from tests.acceptance import killed
from tests.acceptance.children import ROOT
from tests.acceptance.trial import STAFF, START, Place, Trial, open_shop
from tests.databases import Server

LIMIT_S: Final = 120


# -- databases --------------------------------------------------------------------------------------------------------


@attrs.define
class Bases:
    """Databases with a shop that is ready to sell: made once, then copied."""

    server: Server
    provider: SandboxProcess
    folder: Path
    _made: dict[str, str] = attrs.field(factory=dict)

    @contextlib.contextmanager
    def copy(self, kind: str, folder: Path) -> Iterator[str]:
        """The URL of a fresh copy."""
        base = self._made.get(kind) or self._made.setdefault(kind, self._make(kind))
        if kind == "sqlite":
            shutil.copyfile(base, folder / "shop.sqlite")
            yield f"sqlite:///{folder / 'shop.sqlite'}"
            return
        with self.server.new_database(template=base) as url:
            yield url

    @contextlib.contextmanager
    def empty(self, kind: str, folder: Path) -> Iterator[str]:
        """The URL of a database without tables."""
        if kind == "sqlite":
            yield f"sqlite:///{folder / 'empty.sqlite'}"
            return
        with self.server.new_database() as url:
            yield url

    def _make(self, kind: str) -> str:
        if kind == "sqlite":
            file = self.folder / "base.sqlite"
            self._furnish(f"sqlite:///{file}")
            with contextlib.closing(sqlite3.connect(file)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return str(file)
        name = f"eckit_base_{os.getpid()}_{self.folder.name.lower()}"
        self._furnish(postgres.create_database(self.server.url(), name))
        return name

    def _furnish(self, url: str) -> None:
        trial = Trial.begun(url, self.provider)
        trial.goods(killed.SKU, 648, killed.STOCK, tax_class="reduced")
        _limited(trial)
        trial.shop.close()

    def drop(self) -> None:
        """Drop what would be left on a server that is not ours."""
        if name := self._made.get("postgres"):
            postgres.drop_database(self.server.url(), name)


def _limited(trial: Trial) -> None:
    """A code and a promotion, each limited in total, and per customer."""
    promotion = Promotion(
        id=mint("promotion"),
        code=killed.CODE,
        title=Text.of("Hello"),
        condition=RuleRef(code="goods_minimum", settings={"minimum_minor": 1, "currency": "JPY"}),
        action=RuleRef(code="amount_off", settings={"amount_minor": 100, "currency": "JPY"}),
        by_coupon=True,
        limit_total=20,
        limit_per_customer=20,
    )
    with trial.shop.write(STAFF) as work:
        work.promotion.save(promotion, [Coupon(code=killed.CODE, promotion_id=promotion.id, limit_total=20)])


# -- children ---------------------------------------------------------------------------------------------------------


class Nursery:
    """A process with everything imported, which forks a child for each task."""

    def __init__(self) -> None:
        self.rehearsed: set[str] = set()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.killed"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert b"READY\n" == self._line()

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], LIMIT_S)
        assert ready, f"a child has not ended after {LIMIT_S} s"
        return os.read(self._process.stdout.fileno(), 100)

    def run(self, task: killed.Task) -> int:
        """How a child that does this ended: its exit code, or minus the signal that killed it."""
        assert self._process.stdin is not None
        self._process.stdin.write(task.to_json().encode() + b"\n")
        self._process.stdin.flush()
        return int(self._line())

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


# -- one test's shop --------------------------------------------------------------------------------------------------


@attrs.define(kw_only=True)
class Stage:
    """A shop of one test: children work in it and die, and it is opened again."""

    kind: str
    url: str
    new_empty: Callable[[], str]
    empty: str = ""
    folder: Path
    provider: SandboxProcess
    nursery: Nursery
    trial: Trial | None = None

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(
            url=self.url,
            sandbox=self.provider.settings(),
            allow=(self.provider.base_url.removeprefix("http://"),),
            now=START,
        )

    def rehearse(self) -> None:
        """The nursery plays the everyday once by itself, on this database."""
        self.nursery.rehearsed.add(self.kind)
        assert 0 == self.child([one.__name__ for one in killed.EVERYDAY], is_rehearsal=True)

    def child(
        self, scenarios: Sequence[str], *, statement: int = 0, is_rehearsal: bool = False, **environment: str
    ) -> int:
        """How a child ended that ran these scenarios."""
        if "migrate" in scenarios and not self.empty:
            self.empty = self.new_empty()
        task = killed.Task(
            place=self.place.to_json(),
            scenarios=scenarios,
            folder=str(self.folder),
            provider=str(self.provider.directory),
            port=self.provider.port,
            empty=self.empty,
            environment=environment,
            statement=statement,
            is_rehearsal=is_rehearsal,
        )
        code = self.nursery.run(task)
        self.provider.notify(None)
        self.provider.clear()
        return code

    def error(self) -> str:
        """What a child said that failed."""
        file = self.folder / "error"
        return file.read_text() if file.exists() else ""

    def opened(self) -> Trial:
        """The shop, opened again after the child is gone."""
        clock = FixedClock(START)
        remote = killed.Remote(self.provider.directory, self.provider.port, self.folder, self.empty)
        shop = open_shop(self.place, clock=clock, plugins=killed.plugins(self.folder))
        self.trial = Trial(place=self.place, shop=shop, clock=clock, provider=remote)
        return self.trial

    def close(self) -> None:
        """Give its connections back."""
        if self.trial is not None:
            self.trial.shop.close()

    def cart(self) -> tuple[str, str]:
        """The token and the id of the cart the child ordered last."""
        note = json.loads((self.folder / "cart").read_text())
        return note["token"], note["cart"]

    def ordered(self) -> tuple[Actor, Any] | None:
        """The order of that cart, and who may see it; None if there is none."""
        assert self.trial is not None
        token, cart_id = self.cart()
        with self.trial.shop.database.reading() as connection:
            found = sa.text("select id, token from eckit_order where cart_id = :cart")
            row = connection.execute(found, {"cart": cart_id}).one_or_none()
        return row and (Actor.guest(token, row.token), self.trial.view(row.id))


# -- recovery ---------------------------------------------------------------------------------------------------------

_LEASES: Final = (dt.timedelta(0), dt.timedelta(minutes=15), dt.timedelta(minutes=15))
_LAPSE: Final = dt.timedelta(hours=26)
_MOST_ROUNDS: Final = 12


def work_once(trial: Trial) -> bool:
    """One round of all that a worker does; whether anything was done."""
    shop = trial.shop
    done: list[Any] = [shop.relay_events(), shop.send_mails(), shop.apply_notices(), shop.chase()]
    done += [shop.lapse_orders(), shop.expire_holds()]
    return any(any(attrs.astuple(one)) if attrs.has(type(one)) else bool(one) for one in done)


def recover(trial: Trial) -> None:
    """Time passes and workers work, until nothing is left to do."""
    for wait in (*_LEASES, _LAPSE):
        trial.pass_time(wait)
        work_once(trial)
    for _ in range(_MOST_ROUNDS):
        trial.pass_time(dt.timedelta(minutes=15))
        if not work_once(trial):
            return
    raise AssertionError(f"not quiet after {_MOST_ROUNDS} rounds")


# -- proof ------------------------------------------------------------------------------------------------------------


def prove(trial: Trial) -> None:
    """What must hold after recovery, whatever happened before."""
    found = trial.audit()
    assert not found, found
    assert trial.ledger() == trial.movements(), f"{trial.ledger()} there, {trial.movements()} here"
    with trial.shop.read(STAFF) as work:
        orders = work.order.list_orders(limit=200).items
        payments = {one.id: work.payment.for_order(one.id) for one in orders}
    _nothing_is_open(trial, payments)
    for order in orders:
        kept = sum(_kept(payment) for payment in payments[order.id])
        if order.state is OrderState.CANCELED:
            assert not kept, f"{kept} was kept of canceled order {order.number}"
        elif any(line.canceled_steps for line in order.lines):
            assert order.current_total_minor == kept, f"{kept} was kept of partly canceled order {order.number}"
        else:
            assert order.confirmed_at is not None, f"order {order.number} neither counts nor lapsed"
    _stock_is_right(trial, orders)


def _kept(payment: Any) -> int:
    """What is charged or reserved and was not given back."""
    signs = {"authorize": 1, "void": -1, "refund": -1}
    has_authorized = any(move.kind == "authorize" for move in payment.movements)
    return sum(move.amount_minor * signs.get(move.kind, 0 if has_authorized else 1) for move in payment.movements)


def _nothing_is_open(trial: Trial, payments: dict[Any, Any]) -> None:
    # an attempt that was never sent and whose order lapsed is abandoned, so it has ended too
    operations = [one for many in payments.values() for payment in many for one in payment.operations]
    still = [(one.kind, one.state) for one in operations if one.state not in ENDED]
    assert not still, still
    with trial.shop.database.reading() as connection:
        for table, end in (("outbox", "done"), ("mail", "sent"), ("notice", "applied"), ("task", "")):
            column = "kind" if table == "task" else "state"
            left = connection.exec_driver_sql(f"select * from eckit_{table} where {column} <> '{end}'").all()
            assert not left, left


def _stock_is_right(trial: Trial, orders: Any) -> None:
    lines = [(order, line) for order in orders for line in order.lines if line.sku == killed.SKU]
    shipped = sum(line.shipped_steps for _, line in lines)
    promised = sum(line.steps - line.canceled_steps - line.shipped_steps for _, line in lines)
    with trial.shop.read(STAFF) as work:
        variant = work.catalog.variant_by_sku(killed.SKU)
    expected, found = (killed.STOCK - shipped, promised), trial.level(variant.id)
    assert expected == found, f"on hand and reserved {found}, not {expected}"


def heard_alike(folder: Path) -> tuple[set[str], int]:
    """The ids of what was heard outside, and how many repeats there were; every repeat is the same in every word."""
    seen: dict[str, list[str]] = {}
    repeats = 0
    for file in ("heard", "letters"):
        for key, *rest in killed.noted(folder / file):
            name = f"{file}:{key}:{rest[0]}"
            repeats += name in seen
            assert seen.setdefault(name, rest) == rest, f"{seen[name]} and then {rest}"
    return set(seen), repeats


def schema_of(url: str) -> list[str]:
    """Every column, index and constraint of a database, as the database tells."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            statements = _SQLITE_SCHEMA if engine.dialect.name == "sqlite" else _POSTGRES_SCHEMA
            return sorted(str(tuple(row)) for one in statements for row in connection.execute(sa.text(one)))
    finally:
        engine.dispose()


_SQLITE_SCHEMA: Final = ("select type, name, sql from sqlite_master",)
_COLUMNS: Final = "table_name, column_name, data_type, is_nullable, column_default, character_maximum_length"
_POSTGRES_SCHEMA: Final = (
    f"select {_COLUMNS} from information_schema.columns where table_schema = 'public'",
    "select indexname, indexdef from pg_indexes where schemaname = 'public'",
    "select conname, pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace",
    "select sequencename from pg_sequences where schemaname = 'public'",
)
