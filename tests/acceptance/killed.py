"""The everyday of a shop in pieces, each run in a child that can be killed at any fault point.

``python -m tests.acceptance.killed`` imports everything once and then forks a child for each task it reads. A
rehearsal it plays itself, so that its children need not compile the same statements anew.
"""

import contextlib
import datetime as dt
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import attrs
import sqlalchemy as sa

import eckit_tax_table  # noqa: F401 -- with its tables
from eckit import Actor, Order, Rendered, from_minor, hookimpl
from eckit.cli import working
from eckit.cli.notices import NoticeServer
from eckit.kernel import faults
from eckit.kernel.clock import FixedClock
from eckit.kernel.database import Database, DatabaseSettings
from eckit.kernel.events import Event, current_envelope
from eckit.kernel.idempotency import Key
from eckit.migrations import runner
from eckit_sandbox import SandboxProcess
from tests import compiling
from tests.acceptance.trial import STAFF, Place, Trial, open_shop

SKU: Final = "TEA-50"
STOCK: Final = 100
CODE: Final = "HELLO"

GOODS_FILE: Final = b"""\
handle,title_en,sku,price_jpy,tax_class,stock,published
bowl,Bowl,BOWL-1,3300,standard,7,yes
cup,Cup,CUP-1,1100,standard,9,yes
"""


# -- what is heard outside --------------------------------------------------------------------------------------------


def _note(file: Path, *words: str) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(handle, (json.dumps(words) + "\n").encode())
    finally:
        os.close(handle)


def noted(file: Path) -> list[list[str]]:
    """What was noted in a file, in order."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@attrs.frozen
class Ear:
    """A plugin that writes down each event it hears."""

    file: Path
    name = "ear"
    version = "1"
    eckit_interface: ClassVar = {"order": 1, "payment": 1}

    def _hear(self, event: Event) -> None:
        envelope = current_envelope()
        assert envelope is not None
        _note(self.file, envelope.id, event.name, json.dumps(event.payload(), sort_keys=True))

    @hookimpl
    def order_placed(self, event: Event) -> None:
        """An order was placed."""
        self._hear(event)

    @hookimpl
    def order_confirmed(self, event: Event) -> None:
        """It counts."""
        self._hear(event)

    @hookimpl
    def payment_changed(self, event: Event) -> None:
        """Something happened to its payment."""
        self._hear(event)


@attrs.frozen
class Letters:
    """A transport that writes down each mail it takes."""

    file: Path
    code: str = "letters"

    def send(self, mail: Rendered) -> None:
        """Take it."""
        _note(self.file, mail.message_id, mail.to, mail.subject, mail.text, mail.html)


@attrs.frozen
class Post:
    """A plugin with that transport."""

    file: Path
    name = "post"
    version = "1"
    eckit_interface: ClassVar = {"messages": 1}

    @hookimpl
    def register_transports(self) -> tuple[Letters, ...]:
        """The transport."""
        return (Letters(self.file),)


def plugins(folder: Path) -> list[Any]:
    """The outside world of a shop in a folder."""
    return [Ear(folder / "heard"), Post(folder / "letters")]


# -- the everyday -----------------------------------------------------------------------------------------------------


def variant(trial: Trial) -> str:
    """The id of what is sold."""
    with trial.shop.read(STAFF) as work:
        return str(work.catalog.variant_by_sku(SKU).id)


def placed(trial: Trial, code: str | None = None) -> tuple[Actor, Order]:
    """An order, and who may see it; the cart is written down before, so that its buyer can come back."""
    filled = trial.cart((SKU, 2), code=code)
    note = {"cart": filled.cart.id, "token": filled.cart.token}
    (Path(trial.provider.notes) / "cart").write_text(json.dumps(note))
    key = Key(scope="place_order", value=filled.cart.id)
    order = trial.shop.place_order(filled.buyer, filled.cart.id, agreed=filled.quote.ref, key=key)
    return Actor.guest(filled.cart.token, order.token), order


def buy(trial: Trial) -> None:
    """A code that is limited in total and per customer, and a card that asks for the buyer."""
    buyer, order = placed(trial, CODE)
    result = trial.pay(buyer, order, "tok_challenge")
    assert result.payment is not None
    trial.provider.approve(result.payment.begin_reference)
    trial.shop.resume_payment(buyer, order.id, {})


def pay(trial: Trial) -> None:
    """A card that simply works."""
    _paid(trial)


def _paid(trial: Trial) -> tuple[Actor, Order]:
    buyer, order = placed(trial)
    trial.pay(buyer, order)
    return buyer, order


def _payment_of(trial: Trial, order: Order) -> Any:
    with trial.shop.read(STAFF) as work:
        return work.payment.for_order(order.id)[0]


def ship(trial: Trial) -> None:
    """Handed over, its money taken, delivered."""
    _, order = _paid(trial)
    trial.shop.ship_order(STAFF, order.id, number=f"N{order.number}")
    trial.shop.record_delivery(STAFF, order.id)


def part(trial: Trial) -> None:
    """One of two leaves, its money is taken, and the rest is canceled."""
    _, order = _paid(trial)
    trial.shop.ship_order(STAFF, order.id, number=f"P{order.number}", lines={order.lines[0].id: 1})
    trial.shop.cancel_order(STAFF, order.id, reason="sold_out")


def close(trial: Trial) -> None:
    """The buyer has just paid at the provider's page when staff closes the attempt."""
    buyer, order = placed(trial)
    result = trial.pay(buyer, order, "tok_challenge")
    assert result.payment is not None
    trial.provider.approve(result.payment.begin_reference)
    trial.shop.void_payment(STAFF, result.payment.id)


def cancel(trial: Trial) -> None:
    """The buyer changes their mind."""
    buyer, order = _paid(trial)
    trial.shop.cancel_order(buyer, order.id, reason="changed_mind")


def void(trial: Trial) -> None:
    """Staff releases the money, and then cancels."""
    _, order = _paid(trial)
    trial.shop.void_payment(STAFF, _payment_of(trial, order).id)
    trial.shop.cancel_order(STAFF, order.id, reason="out_of_range")


def refund(trial: Trial) -> None:
    """Staff takes the money early, and gives a part back."""
    _, order = _paid(trial)
    payment = _payment_of(trial, order)
    trial.shop.capture_payment(STAFF, payment.id)
    trial.shop.refund_payment(STAFF, payment.id, from_minor(300, "JPY"), key="late", reason="came late")


def notice(trial: Trial) -> None:
    """The buyer approves and never comes back: the provider's notice tells."""
    server = NoticeServer()
    server.shop = trial.shop
    with server.serving():
        trial.provider.notify(server.url)
        buyer, order = placed(trial)
        result = trial.pay(buyer, order, "tok_challenge")
        assert result.payment is not None
        trial.provider.approve(result.payment.begin_reference)
        trial.provider.wait_for_notices()
    trial.provider.notify(None)
    trial.shop.apply_notices()


def again(trial: Trial) -> None:
    """Declined, and paid with another card."""
    buyer, order = placed(trial)
    trial.pay(buyer, order, "tok_declined_insufficient_funds")
    trial.pay(buyer, order)


def lose(trial: Trial) -> None:
    """The provider acts and its answer is lost; recovery finds out."""
    trial.provider.script({"match": {"operation": "begin", "nth": 1}, "do": "act_then_reset"})
    _paid(trial)
    trial.provider.clear()
    trial.pass_time(dt.timedelta(minutes=2))
    trial.shop.chase()


def tell(trial: Trial) -> None:
    """Everybody hears of it, and the buyer gets mails."""
    _paid(trial)
    trial.shop.relay_events()
    trial.shop.send_mails()


def lapse(trial: Trial) -> None:
    """Nobody pays."""
    placed(trial, CODE)
    trial.pass_time(dt.timedelta(hours=25))
    trial.shop.lapse_orders()
    trial.shop.expire_holds()


def supply(trial: Trial) -> None:
    """New goods."""
    trial.shop.import_products(STAFF, GOODS_FILE)


def migrate(trial: Trial) -> None:
    """An empty database gets its tables."""
    url = trial.provider.empty
    database = Database(DatabaseSettings(url=url))
    try:
        runner.upgrade(database, trial.shop.plugins)
    finally:
        database.close()


def be_told_to_stop(trial: Trial) -> None:
    """A worker is told to stop in the middle of its round."""
    _, order = _paid(trial)
    with faults.armed({"ship_order.after_hand_over": faults.fail()}), contextlib.suppress(faults.FaultError):
        trial.shop.ship_order(STAFF, order.id, number="N1")  # the capture is planned, and nobody has sent it
    trial.shop.relay_events()
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()
    working.run(trial.shop, once=False, every_s=60)


EVERYDAY: Final[Sequence[Callable[[Trial], None]]] = (
    buy, ship, part, close, cancel, void, refund, notice, again, lose, tell, lapse, supply, migrate,
)  # fmt: skip
SCENARIOS: Final = {scenario.__name__: scenario for scenario in (*EVERYDAY, pay, be_told_to_stop)}


# -- children ---------------------------------------------------------------------------------------------------------


class Remote(SandboxProcess):
    """The provider as a child reaches it: it runs already, and is not the child's to start or stop."""

    def __init__(self, directory: Path, port: int, notes: Path, empty: str) -> None:
        super().__init__(directory)
        self.port = port
        self.notes = notes
        self.empty = empty


@attrs.frozen(kw_only=True)
class Task:
    """What a child is to do.

    :ivar folder: where its shop's outside world writes.
    :ivar empty: URL of a database without tables.
    :ivar environment: what arms it: ``ECKIT_FAULTS``, ``ECKIT_FAULTS_LOG``.
    :ivar statement: dies before the n-th statement of its database.
    :ivar is_rehearsal: the server itself does it, and its children know what it has learned.
    """

    place: str
    scenarios: Sequence[str]
    folder: str
    provider: str
    port: int
    empty: str
    environment: Mapping[str, str]
    statement: int = 0
    is_rehearsal: bool = False

    def to_json(self) -> str:
        """As a line."""
        return json.dumps(attrs.asdict(self))

    @classmethod
    def of(cls, line: str) -> Self:
        """Read back."""
        return cls(**json.loads(line))


def perform(task: Task) -> None:
    """Do it, in this process."""
    folder, place = Path(task.folder), Place.of(task.place)
    assert place.now is not None
    clock = FixedClock(place.now)
    shop = open_shop(place, clock=clock, plugins=plugins(folder))
    remote = Remote(Path(task.provider), task.port, folder, task.empty)
    trial = Trial(place=place, shop=shop, clock=clock, provider=remote)
    os.environ.update(task.environment)
    faults.arm_from(os.environ)
    assert not faults.unknown(), faults.unknown()
    (folder / "declared").write_text(json.dumps(sorted(faults.declared())))
    if task.statement:
        _die_before(task.statement, folder / "statements")
    for name in task.scenarios:
        SCENARIOS[name](trial)
    shop.close()


def _die_before(nth: int, log: Path) -> None:
    seen = 0

    @sa.event.listens_for(sa.Engine, "before_cursor_execute")
    def _count(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == nth:
            faults.kill()()

    @sa.event.listens_for(sa.Engine, "after_cursor_execute")
    def _tell(*_: object) -> None:
        _note(log, str(seen))


def serve() -> None:
    """Fork a child for each line; say how it ended."""
    compiling.share()
    sys.stdout.write("READY\n")
    sys.stdout.flush()
    for line in sys.stdin:
        task = Task.of(line)
        if task.is_rehearsal:
            with contextlib.redirect_stdout(sys.stderr):
                perform(task)
            left = [one.name for one in threading.enumerate() if one is not threading.main_thread()]
            assert not left, f"threads that children would miss: {left}"
            sys.stdout.write("0\n")
            sys.stdout.flush()
            continue
        child = os.fork()
        if child == 0:
            _be_the_child(task)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _be_the_child(task: Task) -> None:
    code = 1
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what it prints is no answer of the server
    try:
        perform(task)
        code = 0
    except BaseException:  # noqa: BLE001 -- whatever it is, this process ends here and says why
        (Path(task.folder) / "error").write_text(traceback.format_exc())
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve()
