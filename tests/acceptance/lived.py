"""A shop that has lived: every kind of end an order can come to; and its data, broken and put back."""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import sqlalchemy as sa

from eckit import Actor, from_minor
from eckit.flows.audit_shop import checks
from eckit.kernel import auditing
from eckit.kernel.clock import FixedClock
from eckit.kernel.tables import metadata
from eckit_sandbox import SandboxProcess
from tests.acceptance import killed
from tests.acceptance.stage import recover
from tests.acceptance.trial import STAFF, START, Place, Trial, filled, open_shop

Found = tuple[str, str, str]
"""Invariant, table without its prefix, row."""

EBOOK: Final = "EBOOK"


def capture_and_cancel(trial: Trial) -> None:
    """The money was taken early, and then the order was canceled."""
    buyer, order = killed.placed(trial)
    result = trial.pay(buyer, order)
    assert result.payment is not None
    trial.shop.capture_payment(STAFF, result.payment.id)
    trial.shop.cancel_order(STAFF, order.id, reason="changed_mind")


def send_a_part(trial: Trial) -> None:
    """One of two lines has left; its stock is not counted."""
    cart = filled(trial.shop, [(killed.SKU, 1), (EBOOK, 2)])
    order = trial.shop.place_order(cart.buyer, cart.cart.id, agreed=cart.quote.ref)
    trial.pay(Actor.guest(cart.cart.token, order.token), order)
    ebook = next(line for line in order.lines if line.sku == EBOOK)
    trial.shop.ship_order(STAFF, order.id, number="PART-1", lines={ebook.id: 2})


LIFE: Final[Sequence[Callable[[Trial], None]]] = (
    killed.buy, killed.ship, killed.cancel, killed.void, killed.refund, killed.notice, killed.again, killed.tell,
    capture_and_cancel, send_a_part, killed.lapse, killed.supply,
)  # fmt: skip


@attrs.define(kw_only=True)
class Lived:
    """That shop, and the ids of its rows by what became of them: ``ship.order``, ``refund.payment``, ``buy.cart``."""

    trial: Trial
    names: dict[str, str]

    def close(self) -> None:
        """Give its connections back."""
        self.trial.shop.close()

    @contextlib.contextmanager
    def broken(self, tables: Sequence[str]) -> Iterator[sa.Connection]:
        """A transaction in which these tables have no constraints; taken back at the end."""
        with contextlib.suppress(_TakenBackError), self.trial.shop.database.writing() as connection:
            for table in tables:
                name = f"eckit_{table}"
                connection.exec_driver_sql(f"alter table {name} rename to {name}_was")
                connection.exec_driver_sql(f"create table {name} as select * from {name}_was")
            yield connection
            raise _TakenBackError

    def found(self, connection: sa.Connection) -> list[Found]:
        """What the auditor finds, in order."""
        begin = self.trial.shop.begin
        found = auditing.run(connection, checks(begin.plugins, begin.settings))
        return sorted((one.invariant, one.table.removeprefix("eckit_"), one.row) for one in found)


class _TakenBackError(Exception):
    pass


def live(url: str, provider: SandboxProcess, folder: Path) -> Lived:
    """Let a fresh copy of a shop live."""
    provider.reset()
    provider.clear()
    provider.set_clock(START)
    place = Place(url=url, sandbox=provider.settings(), allow=(provider.base_url.removeprefix("http://"),), now=START)
    remote = killed.Remote(provider.directory, provider.port, folder, "")
    clock = FixedClock(START)
    shop = open_shop(place, clock=clock, plugins=killed.plugins(folder))
    trial = Trial(place=place, shop=shop, clock=clock, provider=remote)
    trial.unlimited(EBOOK, 900)
    lived = Lived(trial=trial, names={"secret": provider.secret})
    known: set[str] = set()
    for piece in LIFE:
        piece(trial)
        known |= _name(lived, piece.__name__, known)
        trial.pass_time(dt.timedelta(seconds=1))
    recover_without_lapse(trial)
    _name_goods(lived)
    return lived


def recover_without_lapse(trial: Trial) -> None:
    """Everybody hears of everything."""
    recover(trial)


def _name(lived: Lived, what: str, known: set[str]) -> set[str]:
    """Name the order that is new, its cart and its payment."""
    with lived.trial.shop.database.reading() as connection:
        orders = connection.exec_driver_sql("select id, cart_id from eckit_order").all()
        new = [row for row in orders if row.id not in known]
        if not new:
            return set()
        (order,) = new
        payments = connection.exec_driver_sql(
            f"select id from eckit_payment where order_id = '{order.id}' order by attempt"
        )
        lived.names |= {f"{what}.order": order.id, f"{what}.cart": order.cart_id}
        lived.names[f"{what}.payment"] = payments.scalars().all()[-1]
        lines = connection.exec_driver_sql(
            f"select id from eckit_order_line where order_id = '{order.id}' order by position"
        )
        lived.names |= {f"{what}.line{number}": line for number, line in enumerate(lines.scalars(), 1)}
    return {order.id}


def _name_goods(lived: Lived) -> None:
    with lived.trial.shop.read(STAFF) as work:
        lived.names["tea"] = work.catalog.variant_by_sku(killed.SKU).id
        lived.names["bowl"] = work.catalog.variant_by_sku("BOWL-1").id
    with lived.trial.shop.database.reading() as connection:
        lived.names["main"] = connection.exec_driver_sql("select id from eckit_location").scalar_one()


def copied(table: str, where: str, **changes: Any) -> str:
    """SQL that inserts a row once more, with these columns changed."""
    columns = [column.name for column in metadata.tables[f"eckit.eckit_{table}"].columns]
    values = ", ".join(changes.get(name, name) if isinstance(changes.get(name, name), str) else str(changes[name])
                       for name in columns)  # fmt: skip
    return f"insert into eckit_{table} ({', '.join(columns)}) select {values} from eckit_{table} where {where}"


def minor(amount: int) -> Any:
    """Yen."""
    return from_minor(amount, "JPY")
