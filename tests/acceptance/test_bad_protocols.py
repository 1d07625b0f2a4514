"""Things that plugins register and that go wrong later: named, left out or waited for; core rows stay as they were, and
the next call works.
"""

import datetime as dt
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any, Final

import attrs
import pytest
from moneyed import Money

import eckit
from eckit import PluginError, Promotion, RuleRef, Text, mint
from eckit.currency import service as currency
from eckit.flows import import_products
from eckit.kernel.plugins import ConversationTimeoutError
from tests.acceptance.faulty import FAULTS, MUTATES, OVERRUNS, RAISES, WRITES, WRONG
from tests.acceptance.lab import (
    CUT_OFF_S,
    NOTHING,
    Lab,
    Outcome,
    failed,
    late,
    placing,
    pricing,
    provoke,
    searching,
    sending,
)
from tests.acceptance.trial import OPTION, STAFF, START

NOTES: Final = frozenset({"eckit_history", "eckit_mail"})
PASSWORD: Final = "correct horse"


def _closed(outcome: Outcome) -> bool:
    """The operation failed, and names the plugin."""
    return isinstance(outcome.error, PluginError | ConversationTimeoutError) and outcome.error.plugin == "faulty"


def _left_out(outcome: Outcome) -> bool:
    """The others are offered, and a failure record goes with the result."""
    offered = [option.option for group in outcome.value.groups for option in group.options]
    return [OPTION] == offered and {"faulty"} == {failure.plugin for failure in outcome.value.failures}


def _waiting(outcome: Outcome) -> bool:
    return outcome.value.sent == 0 and outcome.value.waiting >= 1


def _without_link(outcome: Outcome) -> bool:
    """A page that is none is not linked to; one that cannot be told stops the hand-over."""
    if outcome.error is not None:
        return _closed(outcome)
    return [None] == [parcel.tracking_url for parcel in outcome.value]


@attrs.frozen
class Case:
    """A method of a Protocol: what makes the core call it, and how a failure shows.

    :ivar touches: what may be written although it failed.
    :ivar writable: whether mappings or lists can be reached from the facts it is given.
    :ivar talks: it may use the network and is cut off when it takes too long.
    :ivar unread: faults that are none: what a transport answers, and what is loaded for the plugin's own use.
    """

    where: str
    ready: Callable[[Lab], Callable[[], Any]]
    shows: Callable[[Outcome], bool] = _closed
    touches: frozenset[str] = NOTHING
    writable: bool = False
    talks: bool = False
    unread: frozenset[str] = NOTHING


# -- what makes the core call -----------------------------------------------------------------------------------------


def _asking_a_rate(lab: Lab) -> Callable[[], Any]:
    return lambda: currency.ask(lab.shop.begin, "EUR", "JPY", START)


def _email() -> str:
    return f"{mint('customer')}@example.com"


def _registering(lab: Lab, email: str | None = None) -> Callable[[], Any]:
    address = email or _email()

    def register() -> Any:
        with lab.shop.write(STAFF) as work:
            return work.customer.register(email=address, password=PASSWORD)

    return register


def _signing_in(lab: Lab) -> Callable[[], Any]:
    email = _email()
    _registering(lab, email)()

    def sign_in() -> Any:
        with lab.shop.write(STAFF) as work:
            return work.customer.sign_in(email=email, password=PASSWORD)

    return sign_in


def _importing(lab: Lab) -> Callable[[], Any]:
    return lambda: lab.shop.import_products(STAFF, b"x", importer="faulty")


def _shipping(lab: Lab) -> Callable[[], Any]:
    _, order, _ = lab.paid()
    number = mint("parcel")[-12:].upper()
    return lambda: lab.shop.ship_order(STAFF, order.id, number=number, carrier="faulty")


def _saving_a_promotion(lab: Lab) -> Callable[[], Any]:
    ours, code = RuleRef(code="faulty"), mint("promotion")[-12:].upper()
    gives = RuleRef(code="amount_off", settings={"amount_minor": 1, "currency": "JPY"})
    made = Promotion(id=mint("promotion"), code=code, title=Text.of(code), condition=ours, action=gives, by_coupon=True)

    def save() -> Any:
        with lab.shop.write(STAFF) as work:
            return work.promotion.save(made)

    return save


CASES: Final = (
    Case("RateSource.rate", _asking_a_rate, talks=True),
    Case("PasswordScheme.hash", _registering),
    Case("PasswordScheme.verify", _signing_in),
    Case("Transport.send", sending, _waiting, NOTES, writable=True, talks=True, unread=frozenset({WRONG})),
    Case("Importer.read", _importing, talks=True),
    Case("Search.find", searching),
    Case("Carrier.check", pricing, _left_out),
    Case("QuotesFares.load", pricing, _left_out, unread=frozenset({WRONG})),
    Case("QuotesFares.quote", pricing, _left_out),
    Case("ReadsNumbers.parse_number", _shipping),
    Case("ReadsNumbers.tracking_url", _shipping, _without_link),
    Case("TaxEngine.load", placing, unread=frozenset({WRONG})),
    Case("TaxEngine.answer", placing),
    Case("Condition.keys", placing),
    Case("Condition.keys", _saving_a_promotion),
    Case("Condition.judge", placing, writable=True),
    Case("Action.propose", placing, writable=True),
)
IN_OTHER_FILES: Final = {
    "Gateway": "test_bad_gateways.py",
    "Resumes": "test_bad_gateways.py",
    "Captures": "test_bad_gateways.py",
    "Voids": "test_bad_gateways.py",
    "Refunds": "test_bad_gateways.py",
    "Scrubs": "test_bad_gateways.py",
    "ChecksConfig": "test_bad_starts.py",
}
NOT_OF_PLUGINS: Final = frozenset({"GatewayIo", "Clock", "Transactions", "Priced", "WantedLine", "WantedGroup"})
"""What plugins are given, what a host may replace, and the core's words for its own facts."""


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.where}-{case.ready.__name__}")
def test_a_thing_that_goes_wrong_hurts_nothing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, case: Case, fault: str
) -> None:
    """PLG-01, PLG-03, PLG-09, MNY-19: the plugin is named, nothing is written, and the next call works.

    One that only computes is measured when it is late, and its answer used; one that talks is cut off.
    """
    monkeypatch.setattr(import_products, "LIMIT_OF_IMPORTERS_S", CUT_OFF_S)
    monkeypatch.setattr(lab.told, "slow_s", 2 * CUT_OFF_S if case.talks else lab.told.slow_s)
    act = case.ready(lab)

    outcome = provoke(lab, fault, case.where, act)

    assert lab.told.stopped or fault != MUTATES
    if fault == WRITES:
        assert case.writable == (lab.told.tried > 0)
    if fault in case.unread:
        assert outcome.error is None
    elif failed(lab, fault) or (case.talks and fault == OVERRUNS):
        assert case.shows(outcome), outcome
        assert outcome.touched <= case.touches or case.shows is _without_link
    else:
        assert outcome.error is None
        assert fault == WRITES or late(lab) >= 1
    lab.calm()
    before = lab.told.calls[case.where]
    again = act if outcome.error is not None or not outcome.touched else case.ready(lab)
    assert again() is not None
    assert lab.told.calls[case.where] > before


def test_every_protocol_has_a_case() -> None:
    """One that is added later is added here too."""
    found: set[str] = set()
    for module in pkgutil.walk_packages(eckit.__path__, "eckit."):
        if module.name.split(".")[1] in ("testing", "migrations", "__main__"):
            continue
        for name, one in vars(importlib.import_module(module.name)).items():
            if getattr(one, "_is_protocol", False) and one.__module__ == module.name:
                found.add(name)
    tested = {case.where.partition(".")[0] for case in CASES} | set(IN_OTHER_FILES)
    assert found - NOT_OF_PLUGINS == tested


def test_money_that_a_carrier_changes_is_its_own(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """``Money`` can be changed in place: what one carrier does to its request, no other sees, and nothing is dearer."""
    seen: list[Money] = []
    ready = lab.cart()
    carrier, usual = lab.things.carrier, lab.things.carrier.quote

    def spending(facts: Any, request: Any) -> Any:
        seen.append(request.goods_value)
        request.goods_value.amount *= 0
        request.goods_value.currency = Money(0, "USD").currency
        return usual(facts, request)

    before = lab.rows()
    monkeypatch.setattr(type(carrier), "quote", lambda self, facts, request: spending(facts, request))
    quote = lab.shop.price_cart(ready.buyer, ready.cart.id)
    assert [Money(0, "USD")] == seen
    assert ready.quote.ref.digest == quote.ref.digest
    assert before == lab.rows()


def test_a_shop_goes_on_without_its_search(lab: Lab) -> None:
    """Search: named; listings, which do not need it, go on."""
    provoke(lab, RAISES, "Search.find", searching(lab))
    with lab.shop.read(STAFF) as work:
        assert len(work.catalog.list_products(list_id="main").items) >= 1


def test_a_mail_that_was_not_sent_is_sent_later(lab: Lab) -> None:
    """Transport: the mail waits; it is sent when its time comes, and once."""
    act, sent = sending(lab), lab.things.transport.sent
    there = len(sent)
    provoke(lab, RAISES, "Transport.send", act)
    assert there == len(sent)
    lab.trial.pass_time(dt.timedelta(hours=1))
    assert lab.shop.send_mails().sent >= 1
    ids = [mail.message_id for mail in sent[there:]]
    assert len(ids) == len(set(ids)) >= 1
    assert any("order_confirmed" in one for one in ids)
