"""Known failures of data on its way through a shop: times, texts, tables, payloads, and what another tab did."""

import ast
import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Final

import attrs
import pytest
import sqlalchemy as sa

from eckit import (
    Actor,
    AlreadyPlacedError,
    CartEmptyError,
    Consent,
    Customer,
    EckitError,
    Event,
    GatewayMissingError,
    InvalidInputError,
    NotFoundError,
    OrderState,
    QuoteChangedError,
    Ref,
    Text,
    from_minor,
    hookimpl,
    mint,
)
from eckit.kernel.outbox import outbox
from eckit.shop import Shop
from tests.acceptance.abroad import Post
from tests.acceptance.trial import OPTION, STAFF, FlatPlugin, Trial, person

ROOT: Final = Path(__file__).parents[2]

# -- times ------------------------------------------------------------------------------------------------------------


def test_instants_come_back_as_they_were_and_sort_by_time(trial: Trial) -> None:
    """TIM-01: 23:30+09:00 and others, stored and read on both databases: the same instant, aware; sorted as instants
    and not as they are written; one without a zone is refused.
    """
    owner = mint("customer")
    with trial.shop.write(STAFF) as work:
        work.customer.save_customer(Customer(id=owner))
    times = [
        dt.datetime.fromisoformat(text)
        for text in ("2026-04-01T23:30+09:00", "2026-04-01T15:00+00:00", "2026-04-01T03:40-11:30")
    ]

    def given(at: dt.datetime, granted: bool, purpose: str) -> None:
        with trial.shop.write(STAFF) as work:
            about = Ref("customer", owner)
            work.customer.consent(
                Consent(owner=about, purpose=purpose, granted=granted, asserted_by="x", text_version="1", at=at)
            )

    for number, at in enumerate(times):
        given(at, True, f"p{number}")
    for at, granted in ((times[1], False), (times[0], True), (times[2], True)):
        given(at, granted, "news")
    with pytest.raises(InvalidInputError):
        given(dt.datetime(2026, 4, 1, 23, 30), True, "naive")  # noqa: DTZ001

    with trial.shop.read(STAFF) as work:
        found = {one.purpose: one for one in work.customer.consents(Ref("customer", owner))}
    assert times == [found[f"p{number}"].at for number in range(3)]
    assert {dt.timedelta(0)} == {one.at.utcoffset() for one in found.values()}
    assert sorted(times) == [times[0], times[1], times[2]]
    assert (True, times[2]) == (found["news"].granted, found["news"].at)


# -- texts ------------------------------------------------------------------------------------------------------------

RARE: Final = "😀 𠮷野家 👨‍👩‍👧 髙﨑"
HARD: Final = ("a & b < c > d \" e ' f ; g \\ h | i", RARE)


@pytest.mark.parametrize("text", HARD, ids=["markup", "rare"])
def test_a_text_is_the_same_everywhere(begun: Callable[..., Trial], provider: Any, text: str) -> None:
    """ENC-03, ENC-08, INJ-02: in name, address, note, product, coupon: the record, the mail and the
    address read it back sign by sign; in HTML it is escaped.
    """
    post = Post()
    trial = begun(provider, plugins=[post])
    trial.goods("TEA-50", 648, 5)
    trial.coupon("HELLO", 10)
    with trial.shop.write(STAFF) as work:
        product = work.catalog.product("tea-50")
        work.catalog.save(attrs.evolve(product, title=Text.of(text, ja=text)))
        promotion = next(iter(_promotions(trial)))
        work.promotion.save(attrs.evolve(work.promotion.get(promotion), title=Text.of(text, ja=text)))
    ready = trial.cart(("TEA-50", 1), code="HELLO")
    address = attrs.evolve(person().address, city=text, lines=(text, "2"))
    with trial.shop.write(ready.buyer) as work:
        party = work.customer.add_party(attrs.evolve(person(), name=text, company=text, address=address))
        work.cart.set_destination(ready.cart.id, party)
        work.cart.set_buyer(ready.cart.id, party)
        work.cart.set_refs(ready.cart.id, {"note": text})
    quote = trial.shop.price_cart(ready.buyer, ready.cart.id)
    order = trial.shop.place_order(ready.buyer, ready.cart.id, agreed=quote.ref)
    trial.pay(Actor.guest(order.token), order)

    with trial.shop.read(STAFF) as work:
        view = work.order.get(order.id)
        stored = work.customer.party(party.id)
    mail = next(one for one in post.posted(trial) if order.number in one.subject)
    assert (text, text, text, (text, "2")) == (
        stored.name,
        stored.company,
        stored.address.city,  # type: ignore[union-attr]
        stored.address.lines,  # type: ignore[union-attr]
    )
    assert text == view.order.lines[0].title.get("ja")
    assert text in {charge.label.get("ja") for charge in view.placement.charges}
    assert text == view.placement.refs["note"] == json.loads(json.dumps(dict(view.placement.refs)))["note"]
    assert text in mail.text
    assert "<c>" not in mail.html
    assert not {"&lt;", "&amp;"} & set(mail.text.split())


def _promotions(trial: Trial) -> list[str]:
    with trial.shop.database.reading() as connection:
        return [row.id for row in connection.exec_driver_sql("select id from eckit_promotion")]


def test_no_cell_of_an_export_is_a_formula(trial: Trial) -> None:
    """INJ-07: beginnings with a tab or a carriage return too, in real exports: read back as text, behind a quote mark;
    amounts stay numbers.
    """
    dangerous = ("=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1")
    trial.goods("TEA-50", 648, 50)
    ids = [trial.order(("TEA-50", 1))[1].id for _ in dangerous]
    with trial.shop.database.writing() as connection:
        for order_id, text in zip(ids, dangerous, strict=True):
            change = sa.text(
                "update eckit_order set customer_id = :text, origin = :text, locale = :short where id = :id"
            )
            connection.execute(change, {"text": text[:20], "short": text[:10], "id": order_id})

    with trial.shop.read(STAFF) as work:
        text = "".join(work.order.export_orders())
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    for order_id, told in zip(ids, dangerous, strict=True):
        for column in ("customer_id", "origin", "locale"):
            cell = rows[order_id][column]
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), (column, told)
            assert told[:10].strip() in cell
        assert "1248" == rows[order_id]["total"]


# -- payloads ---------------------------------------------------------------------------------------------------------

UNSAFE: Final = frozenset({"pickle", "cPickle", "marshal", "shelve", "dill", "jsonpickle", "yaml", "cloudpickle"})
CALLS: Final = frozenset({"eval", "exec", "compile", "__import__"})


def _sources() -> Iterator[Path]:
    """The code that runs in a shop: core and plugins, but not what tests them."""
    for folder in (ROOT / "src", *sorted((ROOT / "plugins").glob("*/src"))):
        for file in sorted(folder.rglob("*.py")):
            if "testing" not in file.relative_to(folder).parts:
                yield file


def _unsafe(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            names = [f"{node.func.id}()"]
        found += [name for name in names if name.partition(".")[0] in UNSAFE or name.endswith("()")]
    return found


def test_nothing_in_a_shop_makes_objects_of_bytes() -> None:
    """INJ-16: no pickle, marshal, shelve, yaml, eval, exec in core and plugins; the search finds what it seeks."""
    files = list(_sources())
    tricky = "import pickle as p\nfrom marshal import loads\nimport yaml\neval('1')\nx = exec('2')\nre.compile('3')"

    assert len(files) > 150
    assert ["pickle", "marshal", "yaml", "eval()", "exec()"] == sorted(
        _unsafe(tricky), key=["pickle", "marshal", "yaml", "eval()", "exec()"].index
    )
    assert [] == [(file.name, found) for file in files if (found := _unsafe(file.read_text(encoding="utf-8")))]


class Hearer:
    """A plugin that keeps what it is told."""

    name = "hearer"
    version = "1"
    eckit_interface: ClassVar = {"order": 1}

    def __init__(self) -> None:
        self.heard: list[Event] = []

    @hookimpl
    def order_placed(self, event: Event) -> None:
        """Keep it."""
        self.heard.append(event)


def test_type_hints_in_a_payload_make_nothing(begun: Callable[..., Trial], tmp_path: Path) -> None:
    """INJ-16: a queued event whose payload names types and calls: only its class's own fields are read, as data; an
    event of an unknown type is heard by nobody.
    """
    hearer, mark = Hearer(), tmp_path / "mark"
    trial = begun(plugins=[hearer])
    trial.goods("TEA-50", 648, 5)
    _, order = trial.order(("TEA-50", 1))
    call = f"open({str(mark)!r}, 'w')"
    evil = {
        "py/object": "pathlib.Path",
        "py/reduce": [{"py/function": "builtins.eval"}, {"py/tuple": [call]}],
        "__reduce__": ["eval", [call]],
        "__class__": "subprocess.Popen",
        "!!python/object/apply:os.system": [f"touch {mark}"],
    }
    with trial.shop.database.writing() as connection:
        placed = sa.and_(outbox.c.name == "order.placed", outbox.c.subject == f"order:{order.id}")
        [row] = connection.execute(sa.select(outbox).where(placed))
        connection.execute(sa.update(outbox).where(placed).values(payload={**row.payload, **evil}))
        other = {**row._mapping, "id": mint("event"), "name": "builtins.eval", "seq": 99, "payload": evil}
        connection.execute(sa.insert(outbox).values(other))
    for _ in range(3):
        trial.shop.relay_events()

    [heard] = hearer.heard
    assert (order.id, 1248) == (heard.order_id, heard.total_minor)  # type: ignore[attr-defined]
    assert not set(evil) & set(dir(heard)) - set(dir(object()))
    assert not mark.exists()


# -- another tab ------------------------------------------------------------------------------------------------------


def _emptied(trial: Trial, ready: Any) -> None:
    trial.shop.set_cart_lines(ready.buyer, ready.cart.id, [("TEA-50", 0)])


def _deleted(trial: Trial, ready: Any) -> None:
    with trial.shop.database.writing() as connection:
        connection.execute(sa.text("delete from eckit_cart where id = :id"), {"id": ready.cart.id})


TABS: Final[dict[str, tuple[Callable[[Trial, Any], None], tuple[type[EckitError], ...]]]] = {
    "emptied": (_emptied, (QuoteChangedError, CartEmptyError)),
    "deleted": (_deleted, (NotFoundError,)),
}


@pytest.mark.parametrize("tab", TABS)
def test_a_cart_that_is_gone_makes_no_order(trial: Trial, tab: str) -> None:
    """CRT-08: at the last step another tab empties or deletes the cart, then this one submits: a typed answer, no order
    without lines, nothing reserved. If the other tab ordered it, this one gets that order.
    """
    change, answers = TABS[tab]
    tea = trial.goods("TEA-50", 648, 5)
    ready = trial.cart(("TEA-50", 1))
    change(trial, ready)

    with pytest.raises(answers):
        ready.placed()

    with trial.shop.read(STAFF) as work:
        assert () == work.order.list_orders().items
    assert (5, 0) == trial.level(tea)
    assert [] == trial.ledger()


def test_a_cart_that_was_ordered_in_another_tab_is_that_order(trial: Trial) -> None:
    """CRT-08: this tab submits what the other one has ordered: the same order; changing its cart is told so."""
    tea = trial.goods("TEA-50", 648, 5)
    ready = trial.cart(("TEA-50", 1))
    _, order = ready.placed()

    assert order == ready.placed()[1]
    with pytest.raises(AlreadyPlacedError):
        trial.shop.set_cart_lines(ready.buyer, ready.cart.id, [("TEA-50", 2)])
    assert (5, 1) == trial.level(tea)


def test_what_a_client_says_of_goods_is_not_believed(trial: Trial) -> None:
    """CRT-05: price, discount, tax, weight and flags sent along: refused as arguments, mere words as choices; an
    override by staff has no verb, with or without the right.
    """
    trial.goods("TEA-50", 648, 5)
    ready = trial.cart(("TEA-50", 1))
    sent = {"price": "1", "discount": "99", "tax": "0", "is_digital": "true", "weight": "0", "name": "<script>"}
    for name, value in sent.items():
        for actor in (ready.buyer, STAFF):
            with pytest.raises(TypeError):
                trial.shop.add_to_cart(actor, ready.cart.id, "TEA-50", 1, **{name: value})  # type: ignore[arg-type]
    trial.shop.add_to_cart(ready.buyer, ready.cart.id, "TEA-50", 1, choices=sent)

    quote = trial.shop.price_cart(ready.buyer, ready.cart.id)
    order = trial.shop.place_order(ready.buyer, ready.cart.id, agreed=quote.ref)

    assert [(648, "商品 TEA-50", "standard")] * 2 == [
        (line.unit_minor, line.title.get("ja"), line.tax_class) for line in quote.lines
    ]
    assert [OPTION] == [group.option for group in quote.groups]
    assert 2 * 648 + 600 == order.total_minor


# -- a plugin is taken out --------------------------------------------------------------------------------------------


def test_an_order_outlives_the_plugins_it_was_made_with(trial: Trial) -> None:
    """PLG-10: paid by a plugin that is then uninstalled: the order is listed, read, explained, exported and audited; a
    refund is refused by name and nothing changes; a cancellation goes through and leaves the money to a person.
    """
    trial.goods("TEA-50", 648, 5)
    buyer, order = trial.order(("TEA-50", 1))
    payment = trial.pay(buyer, order).payment
    assert payment is not None
    trial.shop.capture_payment(STAFF, payment.id)
    gone = attrs.evolve(trial.shop.settings, plugins={}, disabled_plugins=frozenset({"sandbox", "tablerate"}))
    without = Shop.compose(gone, [FlatPlugin()], clock=trial.clock)
    try:
        with without.read(STAFF) as work:
            view = work.order.get(order.id)
            assert [order.id] == [one.id for one in work.order.list_orders().items]
            assert order.number in "".join(work.order.export_orders())
            assert 1248 == work.payment.find(payment.id).movements[-1].amount_minor
        assert 1248 == sum(line.amount_minor for line in without.explain(view) if not line.included)
        with pytest.raises(GatewayMissingError) as caught:
            without.refund_payment(STAFF, payment.id, from_minor(100, "JPY"), key="1", reason="x")
        assert "sandbox" in caught.value.text("en")
        assert OrderState.CANCELED is without.cancel_order(buyer, order.id).state
        without.chase()
        with without.read(STAFF) as work:
            assert payment.id in {task.payment_id for task in work.payment.tasks()}
        assert [] == list(without.audit(STAFF))
    finally:
        without.close()
    assert ["authorize", "capture"] == [kind for kind, _, _ in trial.ledger()]
