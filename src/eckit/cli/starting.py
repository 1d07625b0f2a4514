"""A new shop: a settings file, its tables, and the first channel, market, seller and warehouse."""

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Final

import attrs
from cyclopts import Parameter

from eckit.catalog.model import PriceList
from eckit.channel.model import Channel, LegalEntity, Market, RoundingPolicy, Seller
from eckit.cli import countries
from eckit.cli.countries import JAPAN
from eckit.cli.opening import OPERATOR, SETTINGS_FILE, Locale, chosen_locale, database_explained, writing_to
from eckit.cli.printing import say
from eckit.kernel.countries import expect_country
from eckit.kernel.errors import invalid
from eckit.kernel.ids import ChannelId, LegalEntityId, LocationId, MarketId, PriceListId, SellerId
from eckit.kernel.minting import mint
from eckit.kernel.money import Rounding
from eckit.kernel.settings import ShopSettings
from eckit.kernel.texts import say as text_of
from eckit.migrations import upgrade
from eckit.shop import Shop
from eckit.stock.model import Location

CHANNEL: Final = "web"
LOCATION: Final = "main"
DATABASE_FILE: Final = "shop.sqlite"
_SQLITE: Final = ("", "-wal", "-shm")
_TABLES: Final = {
    "tax-table": "set {country} standard RATE --since DATE --zone {zone}",
    "tablerate": "set standard {country} MAX-GRAMS AMOUNT --currency {currency} --since DATE --zone {zone}",
}
"""Plugins whose tables nothing can be priced without, and how a row is put in."""

_TOML: Final = """\
# Settings of this shop. Every value can be overridden by the environment: ECKIT_DATABASE__URL, …
shop_id = {shop_id}

[database]
url = {url}

[plugins.eckit-mail]
transport = "folder"
directory = {mails}
"""


@attrs.frozen(kw_only=True)
class Start:
    """What a new shop begins with.

    :ivar countries: delivered to; empty: everywhere.
    """

    name: str
    currency: str
    country: str
    countries: frozenset[str] = frozenset()
    locales: tuple[str, ...] = ("ja", "en")
    zone: str = "Asia/Tokyo"
    tax_engine: str | None = "tax-table"
    rounding: RoundingPolicy = RoundingPolicy(level="rate", mode=Rounding.FLOOR)
    base_url: str = "https://shop.example"
    mail_from: str = "shop@shop.example"


def init(
    folder: Path = Path(),
    *,
    name: str = "My shop",
    country: Annotated[str, Parameter(help="Where the shop is and sells: ISO 3166-1, two letters.")] = JAPAN,
    currency: Annotated[str | None, Parameter(help="Default: the country's.")] = None,
    zone: Annotated[str | None, Parameter(help="Whose clock it lives by; default: the country's, if one.")] = None,
    database: Annotated[str | None, Parameter(help="Database URL; default: a SQLite file in the folder.")] = None,
    locale: Locale = None,
) -> None:
    """Make a shop in a folder: eckit.toml, tables, a channel, a market, a warehouse; for Japan, rates and fares."""
    language = chosen_locale(locale)
    start = start_in(country, name=name, currency=currency, zone=zone)
    file = folder / SETTINGS_FILE
    if file.exists():
        raise invalid("file-exists", "folder", str(file))
    url = database or f"sqlite:///{(folder / DATABASE_FILE).resolve()}"
    with _drafted(folder, url) as settings, database_explained(), Shop.compose(settings, check=False) as shop:
        there = frozenset(shop.plugins.infos)
        found(shop, start if start.tax_engine in there else attrs.evolve(start, tax_engine=None))
        filled = _preset(shop) if country == JAPAN else ()
    say(text_of("cli.init.made", language, file=file))
    if filled:
        say(text_of("cli.init.filled", language, plugins=", ".join(filled)))
    else:
        _say_what_is_missing(start, there, language)
    say(text_of("cli.init.next", language))


def start_in(country: str, *, name: str, currency: str | None = None, zone: str | None = None) -> Start:
    """What a new shop begins with in a country; what is not said is as it is usual there.

    :raises InvalidInputError: no such country, currency or zone, or the country has several and one must be chosen.
    """
    expect_country(country, "--country")
    return Start(
        name=name,
        currency=countries.currency_of(country, currency),
        country=country,
        countries=frozenset({country}),
        locales=countries.locales_of(country),
        zone=countries.zone_of(country, zone),
        rounding=countries.rounding_of(country),
    )


@contextmanager
def _drafted(folder: Path, url: str) -> Iterator[ShopSettings]:
    """The settings of a shop in the making. Their file gets its name at the end; if it fails, nothing of it stays."""
    made_here = not folder.exists()
    draft = folder / f"{SETTINGS_FILE}.new"
    ours = [path for path in (draft, *(folder / f"{DATABASE_FILE}{end}" for end in _SQLITE)) if not path.exists()]
    try:
        with writing_to(folder):
            draft.write_text(_toml(folder, url), encoding="utf-8")
        yield ShopSettings.load(draft)
        with writing_to(folder):
            draft.replace(folder / SETTINGS_FILE)
    except BaseException:
        with suppress(OSError):
            for path in ours:
                path.unlink(missing_ok=True)
            if made_here:
                folder.rmdir()
        raise


def _preset(shop: Shop) -> tuple[str, ...]:
    """Put Japan's tax rates and delivery fares into the tables of the plugins that are there; of which ones."""
    filled = []
    for answer in shop.plugins.call.register_commands().given:
        preset = next((command for command in answer.value if command.name == "preset"), None)
        if answer.plugin in _TABLES and preset is not None:
            preset.run(shop, "japan")
            filled.append(answer.plugin)
    return tuple(filled)


def _say_what_is_missing(start: Start, there: frozenset[str], language: str) -> None:
    """Which commands fill the tables of rates and fares."""
    say(text_of("cli.init.missing", language))
    for plugin, command in _TABLES.items():
        if plugin in there:
            say(f"  eckit {plugin} {command.format(country=start.country, currency=start.currency, zone=start.zone)}")


def write_settings(folder: Path, url: str, more: str = "") -> ShopSettings:
    """Write the settings file and read it back."""
    file = folder / SETTINGS_FILE
    with writing_to(folder):
        file.write_text(_toml(folder, url) + more, encoding="utf-8")
    return ShopSettings.load(file)


def _toml(folder: Path, url: str) -> str:
    said = {"shop_id": mint("shop"), "url": url, "mails": str((folder / "mails").resolve())}
    return _TOML.format(**{name: json.dumps(value, ensure_ascii=False) for name, value in said.items()})


def found(shop: Shop, start: Start) -> None:
    """Make the tables of a new shop and its first rows; rates and fares are for the plugins' own tables."""
    upgrade(shop.database, shop.plugins)
    with shop.write(OPERATOR) as work:
        entity = work.channel.save_legal_entity(
            LegalEntity(id=LegalEntityId(mint("legal_entity")), name=start.name, country=start.country)
        )
        seller = work.channel.save_seller(
            Seller(id=SellerId(mint("seller")), code="main", legal_entity_id=entity.id, name=start.name)
        )
        market = work.channel.save_market(
            Market(
                id=MarketId(mint("market")),
                code=start.country.lower(),
                countries=start.countries,
                currency=start.currency,
                prices_include_tax=True,
                rounding=start.rounding,
                locales=start.locales,
                zone=start.zone,
                tax_engine=start.tax_engine,
            )
        )
        work.channel.save_channel(
            Channel(
                id=ChannelId(mint("channel")),
                code=CHANNEL,
                kind="own",
                name=start.name,
                legal_entity_id=entity.id,
                seller_id=seller.id,
                market_ids=(market.id,),
                locales=start.locales,
                pay_within=dt.timedelta(hours=24),
                base_url=start.base_url,
                mail_from=start.mail_from,
            )
        )
        work.catalog.save_price_list(
            PriceList(id=PriceListId(mint("price_list")), code="main", currency=start.currency, includes_tax=True)
        )
        work.stock.save_location(Location(id=LocationId(mint("location")), code=LOCATION, name=start.name))
