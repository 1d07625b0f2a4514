"""eckit as a subject."""

from typing import Any

from benchmarks.silent import silent_plugins
from eckit import Actor, QuoteRef
from eckit.kernel.clock import FixedClock
from eckit.kernel.database import DatabaseSettings
from eckit.kernel.settings import ShopSettings
from eckit.shop import Shop
from tests.acceptance.trial import SHOP, FlatPlugin, Place


def opened(place: Place, plugins: int = 0) -> Shop:
    """The shop at a place, with so many plugins that have nothing to say."""
    silent = silent_plugins(plugins)
    settings = ShopSettings(
        shop_id=SHOP,
        database=DatabaseSettings(url=place.url),
        plugins={"sandbox": dict(place.sandbox)},
        disabled_plugins=frozenset({"tablerate"}),
        plugin_order=tuple(plugin.name for plugin in silent),
    )
    clock = FixedClock(place.now) if place.now else None
    return Shop.compose(settings, [FlatPlugin(), *silent], clock=clock, check=False)


class Eckit:
    """Places an order: (cart id, token, digest, instant)."""

    def __init__(self, place: str, plugins: int = 0) -> None:
        self._shop = opened(Place.of(place), plugins)

    def do(self, item: tuple[Any, ...]) -> None:
        cart, token, digest, at = item
        self._shop.place_order(Actor.guest(token), cart, agreed=QuoteRef(digest=digest, priced_at=at))

    def close(self) -> None:
        self._shop.close()
