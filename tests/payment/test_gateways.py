"""Gateways are checked at start, and offer themselves for a draft, or say why not."""

import datetime as dt
from typing import Any, ClassVar

import attrs
import pytest

from eckit.kernel.clock import FixedClock
from eckit.kernel.composing import compose_plugins
from eckit.kernel.errors import (
    NotAllowedError,
    NotFoundError,
    ObjectedError,
    Objection,
    PluginError,
    Problem,
    invalid,
)
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.ids import ChannelId, MarketId, MethodCode
from eckit.kernel.minting import mint
from eckit.kernel.plugins import Plugins
from eckit.kernel.text import Text
from eckit.payment import Ack, UnsuitableGatewayError, service as payment
from eckit.pricing.model import FeeRule, FeeTier
from eckit.promotion.model import Draft
from eckit.testing.begin import START
from tests.payment.fakes import CAPABILITIES, METHOD, FakeGateway, FakeProvider


def draft(currency: str = "JPY") -> Draft:
    return Draft(
        currency=currency,
        prices_include_tax=True,
        channel_id=ChannelId(mint("channel")),
        market_id=MarketId(mint("market")),
        at=START,
        lines=(),
        goods_minor=1_000,
    )


def composed(*plugins: Any) -> Plugins:
    """A shop's plugins, as far as payment goes."""
    found = compose_plugins(payment.SPECS, plugins)
    payment.collect(found)
    return found


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"currencies": {"JPY": (0, 10)}}, "limits of JPY"),
        ({"currencies": {"JPY": (10, 9)}}, "limits of JPY"),
        ({"currencies": {"XXX": (1, 9)}}, "XXX"),
        ({"flows": frozenset()}, "flows"),
        ({"flows": frozenset({"barter"})}, "flows"),
        ({"capture": "sometimes"}, "capture or refund"),
        ({"reference_max": 19}, "reference_max"),
        ({"timeout_s": 0.0}, "timeout_s"),
        ({"timeout_s": 500.0}, "timeout_s"),
        ({"timeout_s": float("nan")}, "timeout_s"),
        ({"timeout_s": "1"}, "timeout_s is '1'"),
        ({"currencies": {"JPY": (1.5, 10.5)}}, "currencies"),
        ({"currencies": {"JPY": (True, 10)}}, "currencies"),
        ({"flows": ["authorize"]}, "flows"),
        ({"capture": None}, "capture is None"),
        ({"void": 1}, "void is 1"),
        ({"auth_ttl": 7}, "auth_ttl is 7"),
        ({"auth_ttl": dt.timedelta.max}, "auth_ttl"),
        ({"action_ttl": 3}, "action_ttl is 3"),
        ({"not_found_after": dt.timedelta(seconds=-1)}, "not_found_after"),
        ({"max_pending": 3}, "max_pending is 3"),
        ({"horizon": 72}, "horizon is 72"),
        ({"horizon": dt.timedelta(days=367)}, "horizon"),
        ({"idempotency": {"begin": None}}, "idempotency"),
        ({"buyer_needs": None}, "buyer_needs is None"),
        ({"reference_max": True}, "reference_max is True"),
        ({"reference_chars": ""}, "reference_chars"),
        ({"reference_chars": None}, "reference_chars is None"),
        ({"reference_chars": "あ"}, "reference_chars"),
        ({"ack": 3}, "ack is 3"),
        ({"ack": Ack(status="200")}, r"ack\.status is '200'"),  # type: ignore[arg-type]
        ({"ack": Ack(status=500)}, r"ack\.status is 500"),
        ({"account": None}, "account is None"),
        ({"account": "x" * 81}, "account"),
        ({"account": "a\ud800b"}, "account"),
        ({"mode": "a\x00b"}, "mode"),
    ],
)
def test_a_gateway_the_core_cannot_work_with_stops_the_start(change: dict[str, Any], reason: str) -> None:
    """What is declared must make sense; the error names gateway and reason."""
    gateway = FakeGateway(FixedClock(START), attrs.evolve(CAPABILITIES, **change))
    with pytest.raises(UnsuitableGatewayError, match=reason) as caught:
        composed(FakeProvider(gateway))
    assert "fake" == caught.value.plugin
    assert METHOD in caught.value.reason


def test_whole_seconds_are_seconds() -> None:
    """What must be a float may be an int, as everywhere in Python."""
    gateway = FakeGateway(FixedClock(START), attrs.evolve(CAPABILITIES, timeout_s=15))
    assert gateway is composed(FakeProvider(gateway)).things("payment.gateways")[0].thing


@pytest.mark.parametrize("id", ["a\x00b", "x" * 500, "a\ud800", ""])
def test_an_id_that_no_table_holds_stops_the_start(id: str) -> None:
    """It would be found out with the first order."""
    with pytest.raises(PluginError, match="is no code") as caught:
        composed(FakeProvider(FakeGateway(FixedClock(START), id=MethodCode(id))))
    assert "fake" == caught.value.plugin


def test_a_label_is_a_text_in_languages() -> None:
    """Buyers read it."""
    gateway = FakeGateway(FixedClock(START))
    gateway.label = "Card"  # type: ignore[assignment]
    with pytest.raises(UnsuitableGatewayError, match="label is str"):
        composed(FakeProvider(gateway))


def test_what_is_declared_must_be_there() -> None:
    """A gateway that declares refunds and has no method for them."""

    class Bare:
        id = MethodCode("bare.card")
        label = Text.of("Bare")

        def capabilities(self) -> Any:
            return CAPABILITIES

        def begin(self, io: Any, op: Any) -> Any: ...

        def query(self, io: Any, q: Any) -> Any: ...

        def open_webhook(self, raw: Any, now: dt.datetime) -> Any: ...

    with pytest.raises(UnsuitableGatewayError, match="cannot do it"):
        composed(FakeProvider(Bare()))  # type: ignore[arg-type]


def test_settings_that_are_wrong_stop_the_start() -> None:
    """``check_config`` works offline and its problems are named."""

    class Strict(FakeGateway):
        def check_config(self) -> tuple[Problem, ...]:
            return (Problem(code="missing", path="plugins.fake.secret"),)

    with pytest.raises(UnsuitableGatewayError, match=r"plugins\.fake\.secret"):
        composed(FakeProvider(Strict(FixedClock(START))))


def test_two_plugins_with_one_method_stop_the_start() -> None:
    """Both are named."""

    class Other(FakeProvider):
        name = "other"

    one, two = FakeGateway(FixedClock(START)), FakeGateway(FixedClock(START))
    with pytest.raises(PluginError) as caught:
        composed(FakeProvider(one), Other(two))
    assert "fake, other" == caught.value.plugin


class Objects:
    """A plugin that objects to methods and charges for them, or fails."""

    name = "objects"
    version = "1"
    eckit_interface: ClassVar[dict[str, int]] = {"payment": 1}

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails

    @hookimpl
    def check_payment_method(self, draft: Draft, method: MethodCode) -> tuple[Objection, ...]:
        if self.fails:
            raise ValueError("no idea")
        return (Objection(code="not-for-goods-over-900"),) if draft.goods_minor > 900 else ()

    @hookimpl
    def propose_payment_fees(self, draft: Draft, method: MethodCode) -> tuple[FeeRule, ...]:
        if self.fails:
            raise ValueError("no idea")
        tier = FeeTier(up_to_minor=None, fee_minor=330)
        return tuple(FeeRule(code=code, label=Text.of("Fee"), tiers=(tier,)) for code in ("z", "a"))


@pytest.mark.parametrize(
    ("currency", "total", "reason"),
    [
        ("JPY", 1_000, None),
        ("JPY", None, None),
        ("JPY", 300_000, None),
        ("JPY", 300_001, "payment-amount"),
        ("EUR", 1_000, "payment-currency"),
    ],
)
def test_a_method_is_offered_or_left_out_with_its_reason(currency: str, total: int | None, reason: str | None) -> None:
    """Above its ceiling it is not offered, instead of being declined later."""
    gateway = FakeGateway(FixedClock(START), attrs.evolve(CAPABILITIES, currencies={"JPY": (1, 300_000)}))
    [offer] = payment.methods(composed(FakeProvider(gateway)), draft(currency), total)
    assert (METHOD, reason is None) == (offer.method, offer.offered)
    assert ([reason] if reason else []) == [objection.code for objection in offer.reasons]


@pytest.mark.parametrize(("fails", "code"), [(False, "not-for-goods-over-900"), (True, "payment-plugin-failed")])
def test_an_objection_leaves_the_method_out_and_names_the_plugin(fails: bool, code: str) -> None:
    """A plugin that fails counts as one that objects."""
    plugins = composed(FakeProvider(FakeGateway(FixedClock(START))), Objects(fails=fails))
    [offer] = payment.methods(plugins, draft(), 1_000)
    assert (False, [(code, "objects")]) == (offer.offered, [(one.code, one.plugin) for one in offer.reasons])


@pytest.mark.parametrize(
    ("refusal", "code", "label"),
    [
        (invalid("missing", "destination.phone", ""), "invalid-input", "destination.phone"),
        (NotAllowedError(permission="credit"), "not-allowed", ""),
        (ObjectedError(objections=(Objection(code="no-credit", label="Not today."),)), "no-credit", "Not today."),
        (ObjectedError(), "objected", ""),
        (NotFoundError(kind="cart", id="x"), "payment-plugin-failed", ""),
    ],
    ids=lambda it: getattr(it, "code", None),
)
def test_a_plugin_that_refuses_a_method_leaves_it_out_with_its_reason(refusal: Any, code: str, label: str) -> None:
    """The other methods are offered, and the draft is priced."""

    class Refuses(Objects):
        @hookimpl
        def check_payment_method(self, draft: Draft, method: MethodCode) -> tuple[Objection, ...]:
            if method == METHOD:
                raise refusal
            return ()

    other = FakeGateway(FixedClock(START), id=MethodCode("fake.other"))
    plugins = composed(FakeProvider(FakeGateway(FixedClock(START)), other), Refuses())
    refused, offered = payment.methods(plugins, draft(), 1_000)
    assert (False, [(code, "objects")]) == (refused.offered, [(one.code, one.plugin) for one in refused.reasons])
    assert label in refused.reasons[0].text("en")
    assert (True, ()) == (offered.offered, offered.reasons)


def test_fees_come_sorted_and_name_their_plugin() -> None:
    """By code, whatever the order they were proposed in; a plugin that fails is an error."""
    plugins = composed(FakeProvider(FakeGateway(FixedClock(START))), Objects())
    fees = payment.fees(plugins, draft(), METHOD)
    assert [("a", "objects"), ("z", "objects")] == [(fee.code, fee.plugin) for fee in fees]
    broken = composed(FakeProvider(FakeGateway(FixedClock(START))), Objects(fails=True))
    with pytest.raises(PluginError):
        payment.fees(broken, draft(), METHOD)
