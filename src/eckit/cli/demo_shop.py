"""The demo's shop: bundled or given catalogue, rates, fares and promotions, and a sandbox provider to pay at."""

import importlib.resources
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import attrs

from eckit.catalog.model import ImportReport
from eckit.cli.notices import NoticeServer
from eckit.cli.opening import LOCALES, OPERATOR
from eckit.cli.printing import progress
from eckit.cli.starting import Start, found, write_settings
from eckit.kernel.clock import SystemClock
from eckit.kernel.errors import invalid
from eckit.kernel.ids import PromotionId
from eckit.kernel.minting import mint
from eckit.kernel.money import exponent, format_minor
from eckit.kernel.text import Text
from eckit.promotion.model import Coupon, Promotion, RuleRef
from eckit.shop import Shop
from eckit.testing.postgres import create_database, embedded_postgres

COUPON: Final = "WELCOME"
COUNTRIES: Final[Mapping[str, tuple[str, str]]] = {
    "JPY": ("JP", ""),
    "EUR": ("DE", "0.19"),
    "GBP": ("GB", "0.20"),
    "USD": ("US", "0.07"),
}
"""Currency → where the demo sells, and one rate for all goods there, for the demo only (in Japan the real two)."""


@attrs.frozen(kw_only=True)
class Wish:
    """What the demo was asked for."""

    folder: Path
    database: str | None
    catalogue: bytes | None
    name: str
    inventory: bytes | None
    currency: str | None
    minor_units: bool
    locale: str


class DemoClock(SystemClock):
    """The real clock, which the demo sets forward instead of waiting."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> Any:
        """The real time, so many seconds ahead."""
        import datetime as dt

        return super().now() + dt.timedelta(seconds=self.ahead)


@attrs.define(kw_only=True)
class Demo:
    """A running demo: the shop, its provider, its clock, and what the catalogue brought."""

    shop: Shop
    provider: Any
    clock: DemoClock
    notices: NoticeServer
    start: Start
    report: ImportReport


@contextmanager
def running(wish: Wish) -> Iterator[Demo]:
    """Make the shop in its folder and start what it needs; everything is stopped at the end."""
    from eckit_sandbox import SandboxProcess

    start = _start(wish)
    with ExitStack() as stack:
        notices = stack.enter_context(NoticeServer().serving())
        provider = stack.enter_context(SandboxProcess(wish.folder / "sandbox", notices.url))
        url = stack.enter_context(_database(wish))
        settings = write_settings(wish.folder, url, _more(provider))
        clock = DemoClock()
        shop = stack.enter_context(Shop.compose(settings, clock=clock, check=False))
        found(shop, start)
        _rates(shop, start)
        report = _catalogue(shop, wish, start)
        _promotions(shop, start)
        notices.shop = shop
        yield Demo(shop=shop, provider=provider, clock=clock, notices=notices, start=start, report=report)


def _start(wish: Wish) -> Start:
    currency = wish.currency or "JPY"
    if currency not in COUNTRIES:
        raise invalid("unknown-code", "--currency", currency, limit=", ".join(COUNTRIES))
    country, _ = COUNTRIES[currency]
    zone = "Asia/Tokyo" if country == "JP" else "UTC"
    return Start(
        name="Demo 抹茶と器 Tea & Pottery" if wish.catalogue is None else f"Demo {wish.name}",
        currency=currency,
        country=country,
        countries=frozenset({country}),
        zone=zone,
    )


def _more(provider: Any) -> str:
    sandbox = "\n".join(f'{name} = "{value}"' for name, value in provider.settings().items())
    host = provider.base_url.removeprefix("http://")
    return f'\n[http]\nallow = ["{host}"]\n\n[plugins.sandbox]\n{sandbox}\n'


@contextmanager
def _database(wish: Wish) -> Iterator[str]:
    if wish.database == "postgres":
        with embedded_postgres() as server:
            yield create_database(server, "eckit_demo")
    else:
        yield wish.database or f"sqlite:///{(wish.folder / 'shop.sqlite').resolve()}"


def _rates(shop: Shop, start: Start) -> None:
    """Tax rates and delivery fares, by the verbs of the plugins whose tables they are."""
    import eckit_tablerate
    import eckit_tax_table

    with shop.write(OPERATOR) as work:
        if start.country == "JP":
            eckit_tax_table.preset_japan(work)
            eckit_tablerate.preset_japan(work)
            return
        since = work.now.replace(year=2020, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
        rate = Decimal(COUNTRIES[start.currency][1])
        label = Text.of(f"Tax {rate * 100:f}%", ja=f"税 {rate * 100:f}%")
        for tax_class in ("standard", "reduced"):
            eckit_tax_table.set_rate(
                work,
                country=start.country,
                tax_class=tax_class,
                rate=rate,
                code=f"{start.country.lower()}-{tax_class}",
                label=label,
                valid_from=since,
            )
        eckit_tablerate.set_rate(
            work,
            service="standard",
            label=Text.of("Standard delivery", ja="通常配送"),
            country=start.country,
            max_weight_grams=30_000,
            amount_minor=5 * 10 ** exponent(start.currency),
            currency=start.currency,
            valid_from=since,
        )


def _catalogue(shop: Shop, wish: Wish, start: Start) -> ImportReport:
    data = wish.catalogue if wish.catalogue is not None else _bundled("products.csv")
    with progress(wish.name) as tell:
        return shop.import_products(
            OPERATOR,
            data,
            currency=wish.currency,
            minor_units=wish.minor_units,
            inventory=wish.inventory,
            progress=tell,
            locale=wish.locale,
        )


def _bundled(name: str) -> bytes:
    return (importlib.resources.files("eckit") / "demo_data" / name).read_bytes()


def _promotions(shop: Shop, start: Start) -> None:
    """The bundled promotions."""
    for entry in tomllib.loads(_bundled("promotions.toml").decode())["promotions"]:
        limits = entry.get("limits", {})
        promotion = Promotion(
            id=PromotionId(mint("promotion")),
            code=entry["code"],
            title=_title(entry, start.currency),
            condition=_rule(entry["condition"], start.currency),
            action=_rule(entry["action"], start.currency),
            by_coupon=entry["kind"] == "coupon",
            priority=entry["priority"],
            limit_total=limits.get("total"),
            limit_per_customer=limits.get("per_customer"),
        )
        codes = [Coupon(code=promotion.code, promotion_id=promotion.id)] if promotion.by_coupon else []
        with shop.write(OPERATOR) as work:
            work.promotion.save(promotion, codes)


def minor_of(yen: int, currency: str) -> int:
    """An amount of the bundled data in another currency: a hundredth of the yen, in whole units."""
    return yen if currency == "JPY" else yen * 10 ** exponent(currency) // 100


def _title(entry: Mapping[str, Any], currency: str) -> Text:
    """A promotion's title, with what it takes off as the language writes it."""
    minor = minor_of(entry["action"].get("amount", 0), currency)
    said = {locale: entry[f"title_{locale}"] for locale in LOCALES}
    written = {locale: text.replace("{amount}", format_minor(minor, currency, locale)) for locale, text in said.items()}
    return Text.of(written.pop("en"), **written)


def _rule(data: Mapping[str, Any], currency: str) -> RuleRef:
    settings: dict[str, Any] = {}
    for name, value in data.items():
        if name == "amount":
            key = "minimum_minor" if data["kind"] == "goods_minimum" else "amount_minor"
            settings[key] = minor_of(value, currency)
        elif name == "currency":
            settings["currency"] = currency
        elif name not in ("kind", "target"):
            settings[name] = value
    return RuleRef(code=data["kind"], settings=settings)
