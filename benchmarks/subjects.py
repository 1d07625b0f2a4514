"""What can be measured: eckit, and its floors, each doing one item at a time."""

from typing import Any, Protocol

from benchmarks.floors import Floor
from benchmarks.recording import Replay
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


class Subject(Protocol):
    """Does items."""

    def do(self, item: Any) -> None: ...

    def close(self) -> None: ...


class Eckit:
    """Places an order: (cart id, token, digest, instant)."""

    def __init__(self, place: str, plugins: int = 0) -> None:
        self._shop = opened(Place.of(place), plugins)

    def do(self, item: tuple[Any, ...]) -> None:
        cart, token, digest, at = item
        self._shop.place_order(Actor.guest(token), cart, agreed=QuoteRef(digest=digest, priced_at=at))

    def close(self) -> None:
        self._shop.close()


class Again:
    """Sends the statements of an order again."""

    def __init__(self, url: str) -> None:
        self._replay = Replay(url)

    def do(self, item: Any) -> None:
        self._replay.send(item)

    def close(self) -> None:
        self._replay.close()


class Bare:
    """Places an order with the seven statements: (id, SKUs)."""

    def __init__(self, url: str) -> None:
        self._floor = Floor(url)

    def do(self, item: tuple[str, list[str]]) -> None:
        if not self._floor.place(*item):
            raise AssertionError("the floor is out of stock")

    def close(self) -> None:
        self._floor.close()


def subject(kind: str, url: str, options: dict[str, Any]) -> Subject:
    """The subject of a kind."""
    if kind.startswith("eckit"):
        return Eckit(**options)
    return Again(url) if kind == "B" else Bare(url)
