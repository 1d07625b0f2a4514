"""What that plugin registers: one thing for every Protocol, with all the abilities there are."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs

from eckit import CarrierSpec, Fare, ImportRow, Matched, Rate, ServiceSpec, TaxLine, Text, from_minor
from eckit.kernel.clock import Clock
from eckit.kernel.ids import MethodCode
from tests.acceptance.faulty import Told
from tests.payment.fakes import CAPABILITIES, FakeGateway

CARD = MethodCode("faulty.card")
TIMEOUT_S = 0.4


@attrs.frozen(eq=False)
class Settings:
    """Of a condition or action: none."""


@attrs.define(eq=False)
class _Thing:
    told: Told
    code: str = "faulty"


class Carrier(_Thing):
    """``Carrier``, ``QuotesFares`` and ``ReadsNumbers``."""

    spec = CarrierSpec(label=Text.of("F"), services=(ServiceSpec(code="s", label=Text.of("S")),))

    def check(self, request: Any) -> Any:
        return self.told.go("Carrier.check", (), request)

    def load(self, own: Any, at: Any) -> Any:
        return self.told.go("QuotesFares.load", None, at)

    def quote(self, facts: Any, request: Any) -> Any:
        fare = Fare(service="s", label=Text.of("S"), total=from_minor(500, "JPY"), tax_included=True)
        return self.told.go("QuotesFares.quote", (fare,), request)

    def parse_number(self, text: str) -> Any:
        return self.told.go("ReadsNumbers.parse_number", text, text)

    def tracking_url(self, number: str, locale: str) -> Any:
        return self.told.go("ReadsNumbers.tracking_url", f"https://track.example/{number}", number, locale)


class Engine(_Thing):
    """``TaxEngine``: ten percent on all."""

    def load(self, own: Any, at: Any) -> Any:
        return self.told.go("TaxEngine.load", None, at)

    def answer(self, facts: Any, request: Any) -> Any:
        label = Text.of("T")
        lines = tuple(TaxLine(key=it.key, code="t", rate=Decimal("0.10"), label=label) for it in request.items)
        return self.told.go("TaxEngine.answer", lines, request)


class Condition(_Thing):
    """``Condition``: met by every cart."""

    settings = Settings

    def keys(self, rule: Any) -> Any:
        return self.told.go("Condition.keys", ("cart",), rule)

    def judge(self, draft: Any, rules: Any) -> Any:
        return self.told.go("Condition.judge", [Matched(met=True) for _ in rules], draft, rules)


class Action(_Thing):
    """``Action``: gives nothing."""

    settings = Settings
    phase = 20

    def propose(self, draft: Any, rules: Any) -> Any:
        return self.told.go("Action.propose", [() for _ in rules], draft, rules)


class Rates(_Thing):
    """``RateSource``: 161.50 yen for a euro."""

    def rate(self, base: str, quote: str, at: dt.datetime) -> Any:
        found = Rate(base=base, quote=quote, rate=Decimal("161.50"), source="faulty", at=at)
        return self.told.go("RateSource.rate", found, base, quote, at)


class Scheme(_Thing):
    """``PasswordScheme``: no hash at all; a test's."""

    def hash(self, password: str) -> Any:
        return self.told.go("PasswordScheme.hash", f"plain:{password}", password)

    def verify(self, data: str, password: str) -> Any:
        return self.told.go("PasswordScheme.verify", data == f"plain:{password}", data, password)


@attrs.define(eq=False)
class Transport(_Thing):
    """``Transport``: keeps what it sends."""

    sent: list[Any] = attrs.field(factory=list)

    def send(self, mail: Any) -> Any:
        done = self.told.go("Transport.send", None, mail)
        self.sent.append(mail)
        return done


@attrs.define(eq=False)
class Importer(_Thing):
    """``Importer``: one row, whatever the file says."""

    read_so_far: int = 0

    def read(self, data: bytes, currency: str | None) -> Any:
        self.read_so_far += 1
        sku, title = f"READ-{self.read_so_far}", Text.of("Tea")
        row = ImportRow(line=1, handle=sku.lower(), sku=sku, title=title, price_minor=100, currency="JPY")
        return self.told.go("Importer.read", ((row,), ()), data, currency)


class Search(_Thing):
    """``Search``: finds nothing."""

    def find(self, own: Any, text: str, limit: int) -> Any:
        return self.told.go("Search.find", (), text, limit)


class Gateway(FakeGateway):
    """``Gateway`` with ``Resumes``, ``Captures``, ``Voids``, ``Refunds`` and ``Scrubs``: goes wrong after it acted."""

    def __init__(self, told: Told, clock: Clock) -> None:
        super().__init__(clock, attrs.evolve(CAPABILITIES, timeout_s=TIMEOUT_S), id=CARD)
        self.told = told

    def _wrong(self, where: str, io: Any, op: Any, act: Callable[[Any, Any], Any]) -> Any:
        io.log(f"{where} begins")
        return self.told.go(where, act(io, op), op)

    def begin(self, io: Any, op: Any) -> Any:
        return self._wrong("Gateway.begin", io, op, super().begin)

    def query(self, io: Any, q: Any) -> Any:
        return self._wrong("Gateway.query", io, q, super().query)

    def open_webhook(self, raw: Any, now: dt.datetime) -> Any:
        return self.told.go("Gateway.open_webhook", super().open_webhook(raw, now), raw, now)

    def resume(self, io: Any, op: Any) -> Any:
        return self._wrong("Resumes.resume", io, op, super().resume)

    def capture(self, io: Any, op: Any) -> Any:
        return self._wrong("Captures.capture", io, op, super().capture)

    def void(self, io: Any, op: Any) -> Any:
        return self._wrong("Voids.void", io, op, super().void)

    def refund(self, io: Any, op: Any) -> Any:
        return self._wrong("Refunds.refund", io, op, super().refund)

    def scrub(self, text: str) -> Any:
        return self.told.go("Scrubs.scrub", text, text)


class Things:
    """One of each."""

    def __init__(self, told: Told, clock: Clock) -> None:
        self.gateway = Gateway(told, clock)
        self.carrier, self.engine = Carrier(told), Engine(told)
        self.condition, self.action = Condition(told), Action(told)
        self.rates, self.scheme, self.transport = Rates(told), Scheme(told), Transport(told)
        self.importer, self.search = Importer(told), Search(told)
