"""A new shop: a settings file, its tables, and the first channel, market, seller and warehouse."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Final

import attrs
from cyclopts import Parameter

from eckit.catalog.model import PriceList
from eckit.channel.model import Channel, LegalEntity, Market, RoundingPolicy, Seller
from eckit.cli.opening import OPERATOR, SETTINGS_FILE
from eckit.cli.printing import say
from eckit.kernel.errors import invalid
from eckit.kernel.ids import ChannelId, LegalEntityId, LocationId, MarketId, PriceListId, SellerId
from eckit.kernel.minting import mint
from eckit.kernel.money import Rounding, exponent
from eckit.kernel.settings import ShopSettings
from eckit.migrations import upgrade
from eckit.shop import Shop
from eckit.stock.model import Location

CHANNEL: Final = "web"
LOCATION: Final = "main"

_TOML: Final = """\
# Settings of this shop. Every value can be overridden by the environment: ECKIT_DATABASE__URL, …
shop_id = "{shop_id}"

[database]
url = "{url}"

[plugins.eckit-mail]
transport = "folder"
directory = "{mails}"
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
    currency: str = "JPY",
    country: str = "JP",
    database: Annotated[str | None, Parameter(help="Database URL; default: a SQLite file in the folder.")] = None,
) -> None:
    """Make a new shop in a folder: eckit.toml, tables, a channel, a market, a warehouse, rates and fares."""
    exponent(currency)
    file = folder / SETTINGS_FILE
    if file.exists():
        raise invalid("file-exists", "folder", str(file))
    folder.mkdir(parents=True, exist_ok=True)
    settings = write_settings(folder, database or f"sqlite:///{(folder / 'shop.sqlite').resolve()}")
    start = Start(name=name, currency=currency, country=country)
    with Shop.compose(settings, check=False) as shop:
        found(shop, start)
    say(f"The shop is in {file}. Next: eckit import products FILE.csv; eckit plugins; eckit work.")


def write_settings(folder: Path, url: str, more: str = "") -> ShopSettings:
    """Write the settings file and read it back."""
    file = folder / SETTINGS_FILE
    mails = (folder / "mails").resolve()
    file.write_text(_TOML.format(shop_id=mint("shop"), url=url, mails=mails) + more, encoding="utf-8")
    return ShopSettings.load(file)


def found(shop: Shop, start: Start) -> None:
    """Make the tables of a new shop and its first rows; rates and fares come from the plugins that are there."""
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
