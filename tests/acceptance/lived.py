"""A shop that has lived: every kind of end an order can come to; and its data, broken and put back."""

import contextlib
import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import sqlalchemy as sa

from eckit import Actor
from eckit.flows.audit_shop import checks
from eckit.kernel import auditing
from eckit.kernel.clock import FixedClock
from eckit.kernel.tables import canonical, metadata
from eckit.order.rules import digest_of
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

    def said(self, text: str) -> str:
        """A text with its names in braces replaced; a doubled brace is a brace."""
        parts = text.replace("{{", "\0").replace("}}", "\1")
        named = re.sub(r"\{([^{}]+)\}", lambda match: self.names[match[1]], parts)
        return named.replace("\0", "{").replace("\1", "}")

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
    recover(trial)
    _name_rows(lived)
    _name_forgeries(lived)
    return lived


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


_ROWS: Final = {
    "bowl": "select id from eckit_variant where sku = 'BOWL-1'",
    "tea": "select id from eckit_variant where sku = 'TEA-50'",
    "bowl's product": "select product_id from eckit_variant where sku = 'BOWL-1'",
    "main": "select id from eckit_location",
    "promotion": "select id from eckit_promotion",
    "uses + 1": "select used + 1 from eckit_promotion",
    "price of tea": "select variant_id || '/' || list_id || '/' || min_steps from eckit_price "
    "where variant_id = '{tea}'",
    "goods that came": "select id from eckit_stock_movement where variant_id = '{bowl}'",
    "a notice": "select min(id) from eckit_notice",
    "a deed": "select min(id) from eckit_history",
    "ship.payment:capture": "select id from eckit_movement where payment_id = '{ship.payment}' and kind = 'capture'",
    "void.payment:begin": "select id from eckit_operation where payment_id = '{void.payment}' and kind = 'begin'",
    "ship.order:shipment": "select shipment_id from eckit_shipment_line where order_id = '{ship.order}'",
    "tell.order:hold": "select id from eckit_hold where owner = 'order:{tell.order}'",
    "cancel.order:hold": "select id from eckit_hold where owner = 'order:{cancel.order}'",
    "lapse.order:redemption": "select id from eckit_redemption where order_id = '{lapse.order}'",
    "buy.order:redemption": "select id from eckit_redemption where order_id = '{buy.order}'",
    "tell.order:event": "select min(id) from eckit_outbox where subject = 'order:{tell.order}'",
    "tell.order:mail": "select min(id) from eckit_mail where about = 'order:{tell.order}'",
    "tell.order:buyer": "select buyer from eckit_order where id = '{tell.order}'",
    "first of ship and tell": "select min(id) from eckit_movement where kind = 'authorize' "
    "and payment_id in ('{ship.payment}', '{tell.payment}')",
    "first payment of ship and tell": "select min(id) from eckit_payment "
    "where id in ('{ship.payment}', '{tell.payment}')",
    "first of ship.order and tell.order": "select min(id) from eckit_order "
    "where id in ('{ship.order}', '{tell.order}')",
}
"""Rows that corruptions name, besides orders, carts, payments and lines."""


def _name_rows(lived: Lived) -> None:
    lived.names |= {
        "earlier": "'2026-05-01T00:00:00.000000Z'",
        "later": "'2026-05-02T00:00:00.000000Z'",
        "later text": "2026-05-02 00:00:00+00:00",
    }
    with lived.trial.shop.database.reading() as connection:
        for name, select in _ROWS.items():
            lived.names[name] = str(connection.exec_driver_sql(lived.said(select)).scalar_one())


def _share(document: dict[str, Any]) -> None:
    document["quote"]["shares"][0]["amount_minor"] += 1


def _tax(document: dict[str, Any]) -> None:
    taxed = [charge["tax"] for charge in document["quote"]["charges"] if charge["tax"]]
    taxed[0]["base_minor"] += 1


def _person(document: dict[str, Any]) -> None:
    document["order"]["note"] = "for taro@example.jp"


def _name_forgeries(lived: Lived) -> None:
    """Records that were changed and sealed anew."""
    with lived.trial.shop.database.reading() as connection:
        select = lived.said("select body from eckit_placement where order_id = '{buy.order}'")
        body = connection.exec_driver_sql(select).scalar_one()
    for change in (_share, _tax, _person):
        document = json.loads(body)
        change(document)
        taxed = next(charge["id"] for charge in document["quote"]["charges"] if charge["tax"])
        lived.names["buy.order:tax"] = taxed
        forged = canonical(document)
        lived.names |= {f"forged{change.__name__}": forged, f"forged{change.__name__} seal": digest_of(forged)}


def copied(table: str, where: str, **changes: object) -> str:
    """SQL that inserts a row once more, with these columns changed."""
    columns = [column.name for column in metadata.tables[f"eckit.eckit_{table}"].columns]
    values = ", ".join(str(changes.get(name, name)) for name in columns)
    return f"insert into eckit_{table} ({', '.join(columns)}) select {values} from eckit_{table} where {where}"
