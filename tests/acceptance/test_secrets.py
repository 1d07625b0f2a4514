"""What nobody may be shown: the inside of the machine, card numbers, keys, and values somebody could guess."""

import base64
import contextlib
import datetime as dt
import functools
import itertools
import logging
import multiprocessing
import random
import re
import time
import traceback
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final

import attrs
import sqlalchemy as sa

from eckit import (
    Actor,
    CardToken,
    EckitError,
    RawRequest,
    Secret,
    hookimpl,
    mint,
)
from eckit.kernel.database import DatabaseSettings
from eckit.kernel.minting import mint_token
from eckit.kernel.settings import ShopSettings
from eckit.shop import Shop
from tests.acceptance.abroad import Post
from tests.acceptance.bad_cases import CASES
from tests.acceptance.scene import AnsweredError, Scene
from tests.acceptance.trial import METHOD, NOBODY, SHOP, STAFF, Trial, filled

KEY: Final = "sk_live_0123456789abcdef"
INSIDE: Final = (
    "select ", "insert ", "update eckit", "delete from", "sqlite:////", "sqlite3", "postgresql+", "psycopg",
    "sqlalchemy",
    "OperationalError", "ProgrammingError", "IntegrityError", "Traceback", "/src/", "site-packages", ".py", "/tmp",
    "eckit.", "object at 0x", "127.0.0.1", KEY,
)  # fmt: skip
"""SQL, places of the machine, names of classes and modules, a key."""


class Leaky:
    """A plugin whose every failure tells all it knows."""

    name = "leaky"
    version = "1"
    eckit_interface: ClassVar = {"tax": 1, "order": 1, "messages": 1, "promotion": 1}
    code = "leaky"

    def __init__(self) -> None:
        self.where = ""

    def _tell(self, where: str) -> None:
        if self.where == where:
            raise LookupError(f"select * from card at /srv/shop/src/leaky.py with {KEY}")

    @hookimpl
    def register_tax_engines(self) -> tuple["Leaky", ...]:
        """Itself."""
        return (self,)

    def load(self, own: Any, at: dt.datetime) -> None:
        """No tables."""
        self._tell("load")

    def answer(self, facts: Any, request: Any) -> Any:
        """No answer."""
        self._tell("answer")
        return KEY

    @hookimpl
    def check_order(self, quote: Any, actor: Any) -> tuple[Any, ...]:
        """Never objects."""
        self._tell("check_order")
        return ()

    @hookimpl
    def choose_order_number(self, series: str, n: int, at: dt.datetime) -> str | None:
        """Leaves it to others."""
        self._tell("choose_order_number")
        return None

    @hookimpl
    def propose_adjustments(self, draft: Any) -> tuple[Any, ...]:
        """No reduction."""
        self._tell("propose_adjustments")
        return ()


def _plugins_fail(trial: Trial, leaky: Leaky) -> Iterator[Callable[[], object]]:
    ready = filled(trial.shop, [("TEA-50", 1)])
    for where in ("check_order", "choose_order_number", "propose_adjustments"):
        leaky.where = where
        yield ready.placed
    leaky.where = ""
    with trial.shop.write(STAFF) as work:
        market = next(iter(work.channel.setup().markets.values()))
        work.channel.save_market(attrs.evolve(market, tax_engine="leaky"))
    for where in ("answer", "load", ""):
        leaky.where = where
        yield lambda: trial.shop.price_cart(ready.buyer, ready.cart.id)


def _databases_fail(trial: Trial) -> Iterator[Callable[[], object]]:
    for url in (
        "sqlite:////nowhere/at/all/shop.sqlite",
        f"postgresql+psycopg://shop:{KEY}@127.0.0.1:9/shop",
        "postgresql+psycopg://shop@/shop?host=/nowhere",
    ):
        settings = ShopSettings(
            shop_id=SHOP,
            database=DatabaseSettings(url=url),
            plugins={"sandbox": dict(NOBODY)},
            disabled_plugins=frozenset({"tablerate"}),
        )
        yield lambda s=settings: Shop.compose(s)  # type: ignore[misc]
    for statement in (
        "insert into eckit_legal_entity select * from eckit_legal_entity",
        "select nothing from eckit_nowhere",
        "insert into eckit_stamp values (null)",
        "this is no sql",
    ):
        yield lambda s=statement: _ask(trial.shop, s)  # type: ignore[misc]
    with trial.shop.database.writing() as connection:
        connection.exec_driver_sql("drop table eckit_consent")
        connection.exec_driver_sql("alter table eckit_cart rename to eckit_basket")
    yield lambda: trial.cart(("TEA-50", 1))
    yield trial.shop.check


def _ask(shop: Shop, statement: str) -> None:
    with shop.write(STAFF) as work:
        work.connection.exec_driver_sql(statement)


def _settings_fail() -> Iterator[Callable[[], object]]:
    for text in ("", "no url", f"mysql://shop:{KEY}@db/shop"):
        yield lambda t=text: Shop.compose(t)  # type: ignore[misc]
    yield lambda: CardToken(token=Secret("4111111111111111"))


def test_fifty_failures_show_nothing_of_the_inside(begun: Callable[..., Trial], provider: Any) -> None:
    """ACC-15: bad input, plugins, databases, settings: neither the text in both languages nor any fact of an error
    has SQL, a place of the machine, a class of the machinery or a key in it. What broke is its cause, for the log.
    """
    leaky = Leaky()
    trial = begun(provider, plugins=[leaky])
    scene = Scene.of(trial)
    bad = [functools.partial(call, scene) for _, _, call in CASES]
    failures = itertools.chain(bad, _settings_fail(), _plugins_fail(trial, leaky), _databases_fail(trial))
    shown = [_shown(failure) for failure in failures]

    tokens = (scene.order.token, scene.cart.token, *scene.guest.tokens)
    assert len(shown) >= 50
    assert "" not in shown
    assert [] == [(word, text) for text in shown for word in (*INSIDE, *tokens) if word.lower() in text.lower()]


def _shown(failure: Callable[[], object]) -> str:
    """All that an error says, in both languages, and all it knows."""
    try:
        failure()
    except AnsweredError:
        return "answered"
    except EckitError as error:
        return " ".join((error.text("en"), error.text("ja"), repr(error.facts())))
    return ""


# -- card numbers -----------------------------------------------------------------------------------------------------

CARD: Final = "4111111111111111"
FORMS: Final = (CARD, "4111 1111 1111 1111", "4111-1111-1111-1111", "４１１１１１１１１１１１１１１１")
CVV: Final = "cvv=737"


def _card_everywhere(trial: Trial) -> Iterator[Callable[[], object]]:
    """Card numbers in every input that ends at a payment plugin, in calls that work and in calls that fail."""
    shop = trial.shop
    buyer, order = trial.order(("TEA-50", 1))
    for form in FORMS:
        yield lambda f=form: CardToken(token=Secret(f))
        yield lambda f=form: shop.resume_payment(buyer, order.id, {"card": f, "n": CVV})
        yield lambda f=form: shop.cancel_order(Actor.guest("x" * 43), order.id, reason=f)
        yield lambda f=form: shop.receive_notice(METHOD, RawRequest(body=f'{{"card": "{f}"}}'.encode()))
        yield lambda f=form: shop.take_payment(buyer, order.id, method=f)
    for token in ("tok_declined_do_not_honor", "tok_502", "tok_truncate", "tok_html", "tok_ok"):
        yield lambda t=token: trial.pay(*trial.order(("TEA-50", 1)), t)
    yield lambda: shop.relay_events()
    yield lambda: shop.send_mails()


def test_a_card_number_is_in_no_store(begun: Callable[..., Trial], provider: Any) -> None:
    """SEC-01: card numbers and a CVV in all that ends at a payment plugin: in no table (mails, outbox, notices and
    traces are among them), no log line, no mail that is sent, no error.
    """
    post = Post()
    trial = begun(provider, plugins=[post])
    trial.goods("TEA-50", 648, 50)
    said: list[str] = []
    with listening() as lines:
        for call in _card_everywhere(trial):
            try:
                said.append(repr(call()))
            except EckitError as error:
                said.append("".join(traceback.format_exception(error)) + repr(error.facts()) + error.text("ja"))
    with trial.shop.read(STAFF) as work:
        there = sa.inspect(work.connection).get_table_names()
        stored = [str(row) for table in there for row in work.connection.exec_driver_sql(f'select * from "{table}"')]

    mails = [repr(mail) for mail in post.letters.sent]
    assert mails
    assert len(lines) > 5
    digits = {where: re.sub(r"[ -]", "", unicodedata.normalize("NFKC", " ".join(texts))) for where, texts in (
        ("the log", lines), ("an error", said), ("the database", stored), ("a mail", mails)
    )}  # fmt: skip
    assert [] == [where for where, text in digits.items() if CARD in text or CVV in text]


@contextlib.contextmanager
def listening() -> Iterator[list[str]]:
    """All that anybody logs, as it would be written."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(handler.format(record))  # type: ignore[method-assign]
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


# -- values to guess --------------------------------------------------------------------------------------------------


def _minted(send: Any) -> None:
    """In a forked worker: everybody's randomness seeded alike, the clock stopped."""
    random.seed(1)
    time.time_ns = lambda: 1_774_915_200_000_000_000  # type: ignore[assignment]
    send.send([(mint_token(), mint("order")) for _ in range(250)])
    send.close()


def test_forked_workers_never_make_the_same_token() -> None:
    """SEC-09: four forked workers, ``random`` seeded alike and the clock stopped: a thousand tokens and ids, each once,
    of 256 and 80 bits, of which none is a hash or a step from another.
    """
    context = multiprocessing.get_context("fork")
    made: list[tuple[str, str]] = []
    for _ in range(4):
        receive, send = context.Pipe(duplex=False)
        child = context.Process(target=_minted, args=(send,))
        child.start()
        made += receive.recv()
        child.join()

    tokens, ids = ([pair[place] for pair in made] for place in (0, 1))
    assert (1_000, 1_000) == (len(set(tokens)), len(set(ids)))
    assert {43} == {len(token) for token in tokens}
    assert {ids[0][:13]} == {one[:13] for one in ids}
    bits = [int.from_bytes(base64.urlsafe_b64decode(token + "=")) for token in tokens]
    assert all(400 < sum(number >> bit & 1 for number in bits) < 600 for bit in range(256))
    apart = [(one ^ other).bit_count() for one, other in itertools.pairwise(bits)]
    assert min(apart) > 64
