"""A shop with the plugin that goes wrong when told to, shared by many tests: what goes wrong leaves no trace in it."""

import contextlib
import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

import attrs

from eckit import Actor, EckitError, Order, Payment, Promotion, RuleRef, Text, mint
from eckit.kernel.clock import FixedClock
from eckit.kernel.plugins import Limits
from eckit.order import service as orders
from tests.acceptance.faulty import MUTATES, OVERRUNS, SECRET, WRITES, Told
from tests.acceptance.faulty_hooks import Asked, hearing
from tests.acceptance.faulty_things import CARD, Things
from tests.acceptance.fingerprint import fingerprint
from tests.acceptance.trial import STAFF, START, Filled, Trial
from tests.databases import Server
from tests.payment.fakes import Ledger

SKU: Final = "TEA-50"
INLINE_S: Final = 0.04
CUT_OFF_S: Final = 0.3
NOTHING: Final[frozenset[str]] = frozenset()


@attrs.define(eq=False)
class Lab:
    """The shop, the plugin, and the everyday of buying."""

    trial: Trial
    told: Told
    things: Things
    attentive: Told
    """Of a plugin that hears the same and never goes wrong."""

    @classmethod
    def opened(cls, url: str, *heard: str) -> Self:
        """The shop on a database that has eckit's tables.

        :param heard: hooks of events that two more plugins hear.
        """
        told, attentive, clock = Told(), Told(), FixedClock(START)
        things = Things(told, clock)
        hears = [hearing(told, heard, "hearing"), hearing(attentive, heard, "attentive")] if heard else []
        trial = Trial.begun(url, None, plugins=[Asked(told, things), *hears], migrated=True, clock=clock)
        trial.goods(SKU, 648, 9_000)
        made = cls(trial, told, things, attentive)
        made._promote()
        return made

    def _promote(self) -> None:
        """Promotions whose condition and whose action are the plugin's: each is asked only if there is one."""
        met = RuleRef(code="goods_minimum", settings={"minimum_minor": 1, "currency": "JPY"})
        gives = RuleRef(code="amount_off", settings={"amount_minor": 1, "currency": "JPY"})
        ours = RuleRef(code="faulty")
        with self.shop.write(STAFF) as work:
            for code, condition, action in (("CONDITION", ours, gives), ("ACTION", met, ours)):
                work.promotion.save(
                    Promotion(id=mint("promotion"), code=code, title=Text.of(code), condition=condition, action=action)
                )

    @property
    def shop(self) -> Any:
        return self.trial.shop

    @property
    def ledger(self) -> Ledger:
        return self.things.gateway.ledger

    # -- buying -------------------------------------------------------------------------------------------------------

    def cart(self) -> Filled:
        return self.trial.cart((SKU, 1), method=CARD)

    def order(self) -> tuple[Actor, Order]:
        return self.cart().placed()

    def paid(self) -> tuple[Actor, Order, Payment]:
        """An order whose money is reserved."""
        buyer, order = self.order()
        self.shop.take_payment(buyer, order.id)
        return buyer, order, self.payment(order)

    def payment(self, order: Order) -> Payment:
        with self.shop.read(STAFF) as work:
            found: Payment = work.payment.for_order(order.id)[-1]
            return found

    # -- what is there ------------------------------------------------------------------------------------------------

    def rows(self) -> dict[str, str]:
        with self.shop.database.reading() as connection:
            return fingerprint(connection)

    def fresh(self) -> None:
        """Nothing is left to do, no plugin rests, and nothing that a plugin loaded is remembered."""
        self.told.behave()
        self.calm()
        self.shop.relay_events()
        while self.shop.send_mails().sent:
            pass
        self.calm()

    def calm(self) -> None:
        """No plugin rests, and what plugins loaded is read again; how long they may take is as it was."""
        self.shop.plugins.limits = Limits(inline_s=INLINE_S, conversation_s=CUT_OFF_S)
        self.shop.plugins.tracks.clear()
        self.shop.plugins.close()


@attrs.frozen
class Outcome:
    """What came of a call while the plugin went wrong."""

    value: Any
    error: EckitError | None
    touched: frozenset[str]


def provoke(lab: Lab, fault: str, where: str, act: Callable[[], Any]) -> Outcome:
    """Make a call while the plugin goes wrong, and make sure that it did, and that it could change no fact."""
    lab.calm()
    before = lab.rows()
    lab.told.to(fault, where)
    value, error = None, None
    try:
        value = act()
    except EckitError as raised:  # anything else is the plugin's own error, let through
        error = raised
    lab.told.where = ""
    after = lab.rows()
    assert lab.told.wrong > 0, f"{where} was not called while it was to go wrong"
    assert [] == lab.told.soft, f"facts that {where} was given can be changed"
    if error is not None:
        _named(error)
    return Outcome(value, error, frozenset(name for name in after if before.get(name) != after[name]))


def failed(lab: Lab, fault: str) -> bool:
    """Whether the plugin gave no usable answer; otherwise it was only late, or found nothing to change."""
    return lab.told.stopped if fault in (MUTATES, WRITES) else fault != OVERRUNS


def _named(error: EckitError) -> None:
    said = error.text("en") + error.text("ja") + str(error.facts())
    assert "faulty" in said, f"{said} names no plugin"
    assert SECRET not in said


def late(lab: Lab) -> int:
    """How often the plugin was late."""
    tracks = lab.shop.plugins.tracks.items()
    return sum(track.overruns for (name, _), track in tracks if name in ("faulty", "hearing"))


def placing(lab: Lab) -> Callable[[], Any]:
    return lab.cart().placed


def pricing(lab: Lab) -> Callable[[], Any]:
    ready = lab.cart()
    return lambda: lab.shop.price_cart(ready.buyer, ready.cart.id)


def searching(lab: Lab) -> Callable[[], Any]:
    def search() -> Any:
        with lab.shop.read(STAFF) as work:
            return work.catalog.search("tea", list_id="main")

    return search


def sending(lab: Lab) -> Callable[[], Any]:
    """Mails that are due since long ago."""
    _, order = lab.order()
    with lab.shop.write(STAFF) as work:
        orders.confirm(work, order)
    lab.shop.relay_events()
    lab.trial.pass_time(dt.timedelta(hours=2))
    return lambda: lab.shop.send_mails()


class Labs:
    """Labs on each kind of database, opened when they are first needed."""

    def __init__(self, server: Server, folder: Path, heard: tuple[str, ...] = ()) -> None:
        self._server, self._folder, self._heard = server, folder, heard
        self._open: dict[str, Lab] = {}
        self._left = contextlib.ExitStack()

    def of(self, kind: str) -> Lab:
        """The lab on this kind of database, with nothing left to do in it."""
        if kind not in self._open:
            self._open[kind] = lab = Lab.opened(self._database(kind), *self._heard)
            self._left.callback(lab.shop.close)
        self._open[kind].fresh()
        return self._open[kind]

    def _database(self, kind: str) -> str:
        if kind == "postgres":
            return self._left.enter_context(self._server.new_database(template=self._server.template()))
        file = self._folder / "lab.sqlite"
        shutil.copyfile(self._server.sqlite_template(), file)
        return f"sqlite:///{file}"

    def audit(self) -> list[Any]:
        """What the auditor finds in any of them."""
        return [found for lab in self._open.values() for found in lab.trial.audit()]

    def close(self) -> None:
        """Close the shops and drop their databases."""
        self._left.close()
