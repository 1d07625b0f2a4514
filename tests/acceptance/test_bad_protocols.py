"""Things that plugins register and that go wrong later: named, left out or waited for; core rows stay as they were."""

import datetime as dt
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import attrs
import pytest

from eckit import Customer, ImportRow, PluginError, Rate, SignInRefusedError, Text, hookimpl
from eckit.kernel.plugins import ConversationTimeoutError, Limits
from tests.acceptance.fingerprint import fingerprint
from tests.acceptance.trial import STAFF, START, Trial

FAULTS: Final = ("raises", "overruns", "wrong type")
_CUT_OFF_S: Final = 0.3


@attrs.define
class Faulty:
    """A plugin with one of everything that talks; goes wrong when told to."""

    fault: str = ""
    sent: list[Any] = attrs.field(factory=list)
    name: str = "faulty"
    version: str = "1"
    code: str = "faulty"
    eckit_interface: dict[str, int] = attrs.field(
        factory=lambda: {"currency": 1, "customer": 1, "messages": 1, "catalog": 1}
    )

    def go(self, good: Any) -> Any:
        """The good answer, or what goes wrong."""
        if self.fault == "raises":
            raise ZeroDivisionError("a secret of the machine: /etc/shadow")
        if self.fault == "overruns":
            time.sleep(2 * _CUT_OFF_S)
        return 3.14 if self.fault == "wrong type" else good

    @hookimpl
    def register_rate_sources(self) -> Any:
        """Itself."""
        return (self,)

    def rate(self, base: str, quote: str, at: dt.datetime) -> Any:
        """161.50 yen for a euro."""
        return self.go(Rate(base=base, quote=quote, rate=Decimal("161.50"), source="faulty", at=at))

    @hookimpl
    def register_password_schemes(self) -> Any:
        """Itself."""
        return (self,)

    def hash(self, password: str) -> Any:
        """No hash at all; a test's."""
        return self.go(f"plain:{password}")

    def verify(self, data: str, password: str) -> Any:
        """Whether it is the same."""
        return self.go(data == f"plain:{password}")

    @hookimpl
    def register_transports(self) -> Any:
        """Itself."""
        return (self,)

    @hookimpl
    def choose_transport(self, channel: str) -> str:
        """Itself."""
        return self.code

    def send(self, mail: Any) -> None:
        """Keep it."""
        self.go(None)
        self.sent.append(mail)

    @hookimpl
    def register_importers(self) -> Any:
        """Itself."""
        return (self,)

    def read(self, data: bytes, currency: str | None) -> Any:
        """One row, whatever the file says."""
        row = ImportRow(line=1, handle="tea", sku="TEA-9", title=Text.of("Tea"), price_minor=100, currency="JPY")
        return self.go(((row,), ()))

    @hookimpl
    def choose_search(self, channel_id: Any) -> Any:
        """Itself."""
        return self

    def find(self, own: Any, text: str, limit: int) -> Any:
        """Nothing."""
        return self.go(())


@pytest.fixture
def plugin() -> Faulty:
    """Well-behaved until told otherwise."""
    return Faulty()


@pytest.fixture
def shop(begun: Callable[..., Trial], plugin: Faulty) -> Trial:
    """A shop in which conversations are cut off early."""
    made = begun(plugins=[plugin])
    made.shop.plugins.limits = Limits(conversation_s=_CUT_OFF_S)
    return made


def _rows(trial: Trial) -> dict[str, str]:
    with trial.shop.database.reading() as connection:
        return fingerprint(connection)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_rate_source_that_fails_is_named(shop: Trial, plugin: Faulty, fault: str) -> None:
    """RateSource: unknown is never 1; the next question is answered."""
    from eckit.currency import service as currency

    before = _rows(shop)
    plugin.fault = fault

    with pytest.raises((PluginError, ConversationTimeoutError)) as caught:
        currency.ask(shop.shop.begin, "EUR", "JPY", START)

    assert "faulty" == caught.value.plugin
    assert before == _rows(shop)
    plugin.fault = ""
    assert Decimal("161.50") == currency.ask(shop.shop.begin, "EUR", "JPY", START).rate


@pytest.mark.parametrize("fault", FAULTS)
def test_a_password_scheme_that_fails_lets_nobody_in(shop: Trial, plugin: Faulty, fault: str) -> None:
    """PasswordScheme: closed; late is only measured. Nothing is stored that is no hash."""

    def register(email: str) -> Customer:
        with shop.shop.write(STAFF) as work:
            return work.customer.register(email=email, password="correct horse")

    known = register("known@example.com")
    before = _rows(shop)
    plugin.fault = fault
    if fault != "overruns":
        with pytest.raises(PluginError):
            register("new@example.com")
        with pytest.raises((PluginError, SignInRefusedError)), shop.shop.write(STAFF) as work:
            work.customer.sign_in(email="known@example.com", password="correct horse")
        assert before == _rows(shop)

    plugin.fault = ""
    with shop.shop.write(STAFF) as work:
        assert known.id == work.customer.sign_in(email="known@example.com", password="correct horse").id


@pytest.mark.parametrize("fault", ["raises", "overruns"])
def test_a_transport_that_fails_keeps_the_mail(shop: Trial, plugin: Faulty, fault: str) -> None:
    """Transport: the mail waits and is sent later; the order is as it was."""
    shop.unlimited("FREE", 0)
    shop.goods("TEA-50", 648, 5)
    _, order = shop.order(("TEA-50", 1))
    with shop.shop.write(STAFF) as work:
        from eckit.order import service as orders

        orders.confirm(work, order)
    shop.shop.relay_events()
    placed = _rows(shop)["eckit_order"]
    plugin.fault = fault

    assert 1 == shop.shop.send_mails().waiting

    plugin.fault = ""
    shop.pass_time(dt.timedelta(hours=1))
    assert 1 == shop.shop.send_mails().sent
    assert "order_confirmed" in plugin.sent[-1].message_id
    assert placed == _rows(shop)["eckit_order"]


@pytest.mark.parametrize("fault", FAULTS)
def test_an_importer_that_fails_writes_nothing(shop: Trial, plugin: Faulty, fault: str) -> None:
    """Importer: named; nothing of the file is written."""
    before = _rows(shop)
    plugin.fault = fault
    if fault != "overruns":
        with pytest.raises(PluginError) as caught:
            shop.shop.import_products(STAFF, b"x", importer="faulty")
        assert "faulty" == caught.value.plugin
        assert before == _rows(shop)

    plugin.fault = ""
    assert 1 == shop.shop.import_products(STAFF, b"x", importer="faulty").variants


@pytest.mark.parametrize("fault", FAULTS)
def test_a_search_that_fails_is_named(shop: Trial, plugin: Faulty, fault: str) -> None:
    """Search: named; listings, which do not need it, go on."""
    shop.goods("TEA-50", 648, 5)
    plugin.fault = fault
    with shop.shop.read(STAFF) as work:
        if fault == "overruns":
            assert () == work.catalog.search("tea", list_id="main")
        else:
            with pytest.raises(PluginError):
                work.catalog.search("tea", list_id="main")
        assert 1 == len(work.catalog.list_products(list_id="main").items)
