"""The demo's shop, and a few more fates of orders; and its data, broken and put back."""

import contextlib
import datetime as dt
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import sqlalchemy as sa

from eckit import Actor, Coupon, ExternalRef, Order, Promotion, Ref, RuleRef, Text, from_minor, mint
from eckit.cli.demo import OPTION, Play
from eckit.cli.demo_shop import COUPON, Demo, Wish, running
from eckit.cli.working import round_of
from eckit.flows.audit_shop import checks
from eckit.kernel import auditing
from eckit.kernel.auditing import Check
from eckit.kernel.freezing import canonical
from eckit.kernel.idempotency import Key
from eckit.order.rules import digest_of
from tests.acceptance.trial import STAFF, card, filled

Found = tuple[str, str, str]
"""Invariant, table without its prefix, row."""

_INSTANTS: Final = {"earlier": "'2026-05-01T00:00:00.000000Z'", "later": "'2026-05-02T00:00:00.000000Z'"}
DEMO: Final = ("domestic", "last", "lost", "declined", "canceled")
"""The demo's orders: a coupon, sent and delivered; the last unit; the lost answer; a second card; canceled."""
_QUIET: Final = 3


# -- more than the demo shows -----------------------------------------------------------------------------------------


def _paid(demo: Demo, *lines: tuple[str, int], code: str | None = None) -> tuple[Order, str]:
    """An order that is paid, and its payment."""
    ready = filled(demo.shop, lines, code=code, option=OPTION)
    key = Key(scope="place_order", value=ready.cart.id)
    order = demo.shop.place_order(ready.buyer, ready.cart.id, agreed=ready.quote.ref, key=key)
    buyer = Actor.guest(ready.cart.token, order.token)
    result = demo.shop.take_payment(buyer, order.id, instrument=card(), return_url="https://shop.example/return")
    assert result.payment is not None
    return order, result.payment.id


def refunded(demo: Demo, skus: Sequence[str]) -> Order:
    """The money was taken early, and a part of it given back."""
    order, payment_id = _paid(demo, (skus[0], 1))
    demo.shop.capture_payment(STAFF, payment_id)
    demo.shop.refund_payment(STAFF, payment_id, from_minor(300, "JPY"), key="late", reason="came late")
    return order


def taken(demo: Demo, skus: Sequence[str]) -> Order:
    """The money was taken early, and then the order was canceled."""
    order, payment_id = _paid(demo, (skus[0], 1))
    demo.shop.capture_payment(STAFF, payment_id)
    demo.shop.cancel_order(STAFF, order.id, reason="changed_mind")
    return order


def part(demo: Demo, skus: Sequence[str]) -> Order:
    """One of two lines has left."""
    order, _ = _paid(demo, (skus[0], 2), (skus[1], 1))
    first = next(line for line in order.lines if line.sku == skus[0])
    demo.shop.ship_order(STAFF, order.id, number="PART-1", lines={first.id: 2})
    return order


def lapsed(demo: Demo, skus: Sequence[str]) -> Order:
    """A code, and nobody pays."""
    return filled(demo.shop, [(skus[-1], 1)], code=COUPON, option=OPTION).placed()[1]


def coded(demo: Demo, skus: Sequence[str]) -> Order:
    """A code of which there are few."""
    return _paid(demo, (skus[-1], 1), code=FEW)[0]


FEW: Final = "FEW"
MORE: Final[Sequence[Callable[[Demo, Sequence[str]], Order]]] = (refunded, taken, part, coded, lapsed)


def _furnish(demo: Demo) -> None:
    """A code that is limited by itself, and an account."""
    promotion = Promotion(
        id=mint("promotion"),
        code=FEW,
        title=Text.of("Few"),
        condition=RuleRef(code="goods_minimum", settings={"minimum_minor": 1, "currency": "JPY"}),
        action=RuleRef(code="amount_off", settings={"amount_minor": 100, "currency": "JPY"}),
        by_coupon=True,
    )
    with demo.shop.write(STAFF) as work:
        work.promotion.save(promotion, [Coupon(code=FEW, promotion_id=promotion.id, limit_total=5)])
    with demo.shop.write(Actor.guest()) as work:
        work.customer.register(email="hanako@example.com", password="correct horse battery")


def _block(demo: Demo, order_id: str) -> None:
    """Another system's name of an order, and a block that was lifted."""
    with demo.shop.write(STAFF) as work:
        order = work.order.get(order_id).order
        other = ExternalRef(
            channel_id=order.channel_id, kind="order", external_id="a-1", raw="A-1", owner=order.ref, primary=True,
            since=work.now,
        )  # fmt: skip
        work.channel.link(other)
        work.order.lift_block(work.order.place_block(order.id, "fraud").id)


def _sell_elsewhere(demo: Demo, order_id: str) -> None:
    """The last unit was promised to an order, and sold in the street."""
    with demo.shop.write(STAFF) as work:
        [line] = work.order.get(order_id).order.lines
        work.stock.note_sold(line.variant_id, 1, at="main", cause=Ref("till.receipt", "1"))


@attrs.define(kw_only=True)
class Lived:
    """That shop, and the ids of its rows by what became of them: ``ship.order``, ``refund.payment``, ``buy.cart``."""

    demo: Demo
    names: dict[str, str]

    def said(self, text: str) -> str:
        """A text with its names in braces replaced; a doubled brace is a brace."""
        parts = text.replace("{{", "\0").replace("}}", "\1")
        named = re.sub(r"\{([^{}]+)\}", lambda match: self.names[match[1]], parts)
        return named.replace("\0", "{").replace("\1", "}")

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check of the auditor of this shop."""
        return checks(self.demo.shop.begin.plugins, self.demo.shop.begin.settings)

    @contextlib.contextmanager
    def broken(self, tables: Sequence[str]) -> Iterator[sa.Connection]:
        """A transaction in which these tables have no constraints; taken back at the end."""
        with contextlib.suppress(_TakenBackError), self.demo.shop.database.writing() as connection:
            for table in tables:
                name = f"eckit_{table}"
                connection.exec_driver_sql(f"alter table {name} rename to {name}_was")
                connection.exec_driver_sql(f"create table {name} as select * from {name}_was")
            yield connection
            raise _TakenBackError

    def row(self, connection: sa.Connection, text: str) -> str:
        """A row by its key, or by a ``select`` of it."""
        said = self.said(text)
        return str(connection.exec_driver_sql(said).scalar_one()) if said.startswith("select ") else said

    def found(self, connection: sa.Connection) -> list[Found]:
        """What the auditor finds, in order."""
        found = auditing.run(connection, self.checks)
        return sorted((one.invariant, one.table.removeprefix("eckit_"), one.row) for one in found)


class _TakenBackError(Exception):
    pass


@contextlib.contextmanager
def live(url: str, folder: Path) -> Iterator[Lived]:
    """Let the demo run on a database, and more happen in its shop afterwards."""
    home = folder / "home"
    home.mkdir()
    wish = Wish(
        folder=home, database=url, catalogue=None, name="products.csv", inventory=None, currency=None,
        minor_units=False, locale="ja",
    )  # fmt: skip
    with contextlib.ExitStack() as stack:
        with contextlib.redirect_stdout(io.StringIO()):
            demo = stack.enter_context(running(wish))
            orders = _played(demo, home)
        yield _named(demo, orders)


def _played(demo: Demo, home: Path) -> dict[str, str]:
    """All that happens; the orders by what became of them."""
    play = Play(demo, "ja", home)
    play.run()
    orders: dict[str, str] = dict(zip(DEMO, play.orders, strict=True))
    _furnish(demo)
    _block(demo, orders["canceled"])
    _sell_elsewhere(demo, orders["last"])
    for piece in MORE:
        orders[piece.__name__] = piece(demo, play.goods.mixed).id
    _settle(demo)
    return orders


def _settle(demo: Demo) -> None:
    """Everything that was sent arrives, and a day goes by in which nobody pays what is open."""
    demo.provider.wait_for_notices()
    round_of(demo.shop)
    demo.clock.ahead += dt.timedelta(hours=25).total_seconds()
    demo.provider.set_clock(demo.clock.now())
    for _ in range(_QUIET):
        round_of(demo.shop)


def _named(demo: Demo, orders: dict[str, str]) -> Lived:
    lived = Lived(demo=demo, names={"secret": demo.provider.secret, **_INSTANTS})
    for what, order_id in orders.items():
        lived.names |= _names(lived, what, order_id)
    _name_forgeries(lived)
    return lived


def _names(lived: Lived, what: str, order_id: str) -> dict[str, str]:
    """An order, its cart, its last payment and its lines."""
    with lived.demo.shop.database.reading() as connection:
        select = f"select cart_id from eckit_order where id = '{order_id}'"
        names = {f"{what}.order": order_id, f"{what}.cart": connection.exec_driver_sql(select).scalar_one()}
        select = f"select id from eckit_payment where order_id = '{order_id}' order by attempt"
        payments = connection.exec_driver_sql(select).scalars().all()
        select = f"select id from eckit_order_line where order_id = '{order_id}' order by position"
        lines = connection.exec_driver_sql(select).scalars().all()
    names[f"{what}.payment"] = payments[-1]
    if len(payments) > 1:
        names["refused"] = payments[0]
    return names | {f"{what}.line{number}": line for number, line in enumerate(lines, 1)}


def _share(document: dict[str, Any]) -> None:
    document["quote"]["shares"][0]["amount_minor"] += 1


def _tax(document: dict[str, Any]) -> None:
    taxed = [charge["tax"] for charge in document["quote"]["charges"] if charge["tax"]]
    taxed[0]["base_minor"] += 1


def _person(document: dict[str, Any]) -> None:
    document["order"]["note"] = "for taro@example.jp"


def _name_forgeries(lived: Lived) -> None:
    """Records that were changed and sealed anew."""
    with lived.demo.shop.database.reading() as connection:
        select = lived.said("select body from eckit_placement where order_id = '{domestic.order}'")
        body = connection.exec_driver_sql(select).scalar_one()
    for change in (_share, _tax, _person):
        document = json.loads(body)
        change(document)
        taxed = next(charge["id"] for charge in document["quote"]["charges"] if charge["tax"])
        lived.names["domestic.order:tax"] = taxed
        forged = canonical(document)
        lived.names |= {f"forged{change.__name__}": forged, f"forged{change.__name__} seal": digest_of(forged)}
