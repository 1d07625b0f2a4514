"""Whether what somebody wants to store is well formed. Each function gives the fact back in its normal form."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

import attrs

from eckit.catalog.model import (
    Category,
    Measures,
    Price,
    PriceList,
    Product,
    ProductState,
    SaleUnit,
    Supply,
    Variant,
)
from eckit.catalog.rules.slugs import MAX_CODE, MAX_HANDLE, slug
from eckit.kernel.clock import Window
from eckit.kernel.errors import InvalidInputError, Problem, invalid
from eckit.kernel.ids import Sku, expect_id
from eckit.kernel.money import checked_minor, exponent
from eckit.kernel.text import Text, clean

MAX_NAME: Final = 200
MAX_DESCRIPTION: Final = 20_000
MAX_SKU: Final = 80
MAX_STEPS: Final = 10**6
MAX_LANGUAGES: Final = 50
MAX_CATEGORIES: Final = 50
MAX_GTINS: Final = 20
MAX_MM: Final = 10**6
MAX_GRAMS: Final = 10**9

_HANDLE: Final = re.compile(r"[\w.-]+")
_CODE: Final = re.compile(r"\w[\w.:/-]*")
_UNIT: Final = re.compile(r"[A-Z0-9]{2,3}")
_GTIN: Final = re.compile(r"[0-9]{8,14}")
_HS_CODE: Final = re.compile(r"[0-9]{4,12}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")

# A price without a start has this one in its key, so nothing can begin before it.
_EARLIEST_YEAR: Final = 1901

T = TypeVar("T")


class Gather:
    """Collects the problems of all fields, so that people see them together."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def take(self, check: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """What the check gives; where it finds a problem, the first argument, which is not used after :meth:`done`."""
        try:
            return check(*args, **kwargs)
        except InvalidInputError as error:
            self.problems += error.problems
            found: T = args[0]
            return found

    def done(self) -> None:
        """Refuse if there was any problem.

        :raises InvalidInputError: with all of them.
        """
        if self.problems:
            raise InvalidInputError(problems=tuple(self.problems))


# --- fields ----------------------------------------------------------------------------------------------------------


def sku(text: str, path: str = "sku") -> Sku:
    """A SKU in the form it is compared in: NFKC (``ＴＥＡ`` is ``TEA``), without space around it, case kept.

    :raises InvalidInputError: ``missing``, and as :func:`eckit.kernel.text.clean`.
    """
    folded = unicodedata.normalize("NFKC", clean(text, path=path, max_length=MAX_SKU)).strip()
    if not folded:
        raise invalid("missing", path, text)
    return Sku(clean(folded, path=path, max_length=MAX_SKU))


def whole(number: object, path: str, low: int, high: int) -> int:
    """An integer within bounds.

    :raises InvalidInputError: ``not-a-whole-number`` for a bool, a float, text; ``number-out-of-range``.
    """
    if not isinstance(number, int) or isinstance(number, bool):
        raise invalid("not-a-whole-number", path, number)
    if not low <= number <= high:
        raise invalid("number-out-of-range", path, number, limit=f"{low}–{high}")
    return number


def matching(text: str, path: str, pattern: re.Pattern[str], max_length: int, example: str) -> str:
    """A short code of a known shape.

    :raises InvalidInputError: ``missing``, ``unexpected-character``, and as :func:`eckit.kernel.text.clean`.
    """
    text = clean(text, path=path, max_length=max_length)
    if not text:
        raise invalid("missing", path, text)
    if not pattern.fullmatch(text):
        raise invalid("unexpected-character", path, text, suggestion=example)
    return text


def handle(text: str, path: str = "handle") -> str:
    """A product's code in addresses: lower case letters of any script, digits, ``-``, ``_`` and ``.``."""
    text = matching(text, path, _HANDLE, MAX_HANDLE, "morning-sencha")
    if slug(text) != text:
        raise invalid("unexpected-character", path, text, suggestion=slug(text))
    return text


def code(text: str, path: str) -> str:
    """A word of an open vocabulary: a kind, a tax class."""
    return matching(text, path, _CODE, MAX_HANDLE, "standard")


def gtin(text: str, path: str = "gtin") -> str:
    """A trade item number of 8 to 14 digits; its check digit is not insisted on: real files have wrong ones."""
    return matching(text, path, _GTIN, 14, "4599999001014")


def country(text: str, path: str = "origin") -> str:
    """An ISO 3166-1 alpha-2 code."""
    return matching(text, path, _COUNTRY, 2, "JP")


def hs_code(text: str, path: str = "hs_code") -> str:
    """A customs tariff number, digits only."""
    return matching(text, path, _HS_CODE, 12, "090210")


def names(text: Text, path: str, *, required: bool = False) -> Text:
    """One line per language, such as a title."""
    _is_text(text, path)
    for locale, said in text.translations:
        clean(said, path=f"{path}[{locale}]", max_length=MAX_NAME)
    if required and not text:
        raise invalid("missing", path, "")
    return text


def description(text: Text, path: str = "description") -> Text:
    """A longer text per language."""
    _is_text(text, path)
    for locale, said in text.translations:
        clean(said, path=f"{path}[{locale}]", max_length=MAX_DESCRIPTION, multiline=True)
    return text


def _is_text(text: Text, path: str) -> None:
    if not isinstance(text, Text):
        raise invalid("not-text", path, type(text).__name__)
    if len(text.translations) > MAX_LANGUAGES:
        raise invalid("too-many", path, len(text.translations), limit=MAX_LANGUAGES)


def _at_most(things: Sequence[T], path: str, limit: int) -> Sequence[T]:
    if len(things) > limit:
        raise invalid("too-many", path, len(things), limit=limit)
    return things


# --- facts -----------------------------------------------------------------------------------------------------------


def product(given: Product) -> Product:
    """A product in its normal form: each category once, in the order of their ids.

    :raises InvalidInputError: all problems of all fields.
    """
    gather = Gather()
    gather.take(_known_id, given.id, "product", "id")
    gather.take(handle, given.handle)
    gather.take(names, given.title, "title", required=given.state == ProductState.PUBLISHED)
    gather.take(description, given.description)
    gather.take(_state, given.state)
    gather.take(_at_most, given.category_ids, "category_ids", MAX_CATEGORIES)
    for index, category_id in enumerate(given.category_ids[:MAX_CATEGORIES]):
        gather.take(_known_id, category_id, "category", f"category_ids[{index}]")
    gather.take(whole, given.version, "version", 1, 2**31 - 1)
    gather.done()
    return attrs.evolve(
        given, category_ids=tuple(sorted(set(given.category_ids))), state=ProductState(given.state).value
    )


def _known_id(text: str, kind: str, path: str) -> str:
    return expect_id(kind, text, path=path)


def _state(state: str) -> str:
    if state not in tuple(ProductState):
        raise invalid("unknown-state", "state", state, limit=", ".join(ProductState))
    return state


def variant(given: Variant, path: str = "variant") -> Variant:
    """A variant in its normal form: its SKU folded.

    :raises InvalidInputError: all problems of all fields.
    """
    gather = Gather()
    gather.take(_known_id, given.id, "variant", f"{path}.id")
    gather.take(_known_id, given.product_id, "product", f"{path}.product_id")
    folded = gather.take(sku, given.sku, f"{path}.sku")
    gather.take(names, given.option, f"{path}.option")
    gather.take(_at_most, given.gtins, f"{path}.gtins", MAX_GTINS)
    for index, number in enumerate(given.gtins[:MAX_GTINS]):
        gather.take(gtin, number, f"{path}.gtins[{index}]")
    gather.take(code, given.kind, f"{path}.kind")
    gather.take(code, given.tax_class, f"{path}.tax_class")
    if given.hs_code is not None:
        gather.take(hs_code, given.hs_code, f"{path}.hs_code")
    if given.origin is not None:
        gather.take(country, given.origin, f"{path}.origin")
    _check_unit(gather, given.unit, f"{path}.unit")
    _check_measures(gather, given.measures, f"{path}.measures")
    _check_cost(gather, given, path)
    _check_supply(gather, given.supply, f"{path}.supply")
    gather.take(whole, given.position, f"{path}.position", 0, 2**31 - 1)
    gather.take(whole, given.version, f"{path}.version", 1, 2**31 - 1)
    gather.done()
    return attrs.evolve(given, sku=folded, gtins=tuple(given.gtins), active=bool(given.active))


def _check_unit(gather: Gather, unit: SaleUnit, path: str) -> None:
    gather.take(matching, unit.code, f"{path}.code", _UNIT, 3, "C62")
    gather.take(whole, unit.scale, f"{path}.scale", 0, 6)
    gather.take(whole, unit.increment, f"{path}.increment", 1, MAX_STEPS)


def _check_measures(gather: Gather, measures: Measures, path: str) -> None:
    for name, number in attrs.asdict(measures).items():
        if number is not None:
            gather.take(whole, number, f"{path}.{name}", 1, MAX_GRAMS if name == "weight_grams" else MAX_MM)


def _check_cost(gather: Gather, given: Variant, path: str) -> None:
    if given.cost_minor is None and given.cost_currency is None:
        return
    if given.cost_minor is None or given.cost_currency is None:
        gather.problems += invalid("cost-without-currency", f"{path}.cost_minor", given.cost_minor).problems
        return
    gather.take(amount, given.cost_minor, f"{path}.cost_minor")
    gather.take(currency, given.cost_currency, f"{path}.cost_currency")


def _check_supply(gather: Gather, supply: Supply, path: str) -> None:
    gather.take(code, supply.kind, f"{path}.kind")
    gather.take(whole, supply.cap_steps, f"{path}.cap_steps", 0, MAX_STEPS)


def amount(minor: object, path: str) -> int:
    """An amount that is not negative.

    :raises InvalidInputError: ``not-a-whole-number``, ``negative-amount``, ``amount-out-of-range``.
    """
    if not isinstance(minor, int) or isinstance(minor, bool):
        raise invalid("not-a-whole-number", path, minor)
    if minor < 0:
        raise invalid("negative-amount", path, minor, limit=0)
    return checked_minor(minor, path)


def currency(text: str, path: str) -> str:
    """An ISO 4217 code that money can be in.

    :raises InvalidInputError: ``unknown-currency``.
    """
    if not isinstance(text, str):
        raise invalid("unknown-currency", path, text)
    exponent(text)
    return text


def category(given: Category) -> Category:
    """A category in its normal form.

    :raises InvalidInputError: all problems of all fields.
    """
    gather = Gather()
    gather.take(_known_id, given.id, "category", "id")
    gather.take(category_word, given.code, "code")
    gather.take(names, given.title, "title", required=True)
    if given.parent_id is not None:
        gather.take(_known_id, given.parent_id, "category", "parent_id")
    gather.take(whole, given.position, "position", 0, 2**31 - 1)
    gather.done()
    return given


def category_word(text: str, path: str) -> str:
    """A category's code: slugs joined by ``>``."""
    text = clean(text, path=path, max_length=MAX_CODE)
    if not text:
        raise invalid("missing", path, text)
    parts = text.split(">")
    if any(not part or slug(part, max_length=MAX_CODE) != part for part in parts):
        raise invalid("unexpected-character", path, text, suggestion="food>tea")
    return text


def price_list(given: PriceList) -> PriceList:
    """A price list in its normal form.

    :raises InvalidInputError: all problems of all fields.
    """
    gather = Gather()
    gather.take(_known_id, given.id, "price_list", "id")
    gather.take(code, given.code, "code")
    gather.take(currency, given.currency, "currency")
    for channel_id in sorted(given.channel_ids):
        gather.take(_known_id, channel_id, "channel", "channel_ids")
    for group in sorted(given.customer_groups):
        gather.take(code, group, "customer_groups")
    gather.take(whole, given.priority, "priority", -(10**6), 10**6)
    gather.take(window, given.window, "window")
    gather.done()
    return attrs.evolve(given, includes_tax=bool(given.includes_tax))


def prices(given: Iterable[Price], list_id: str) -> tuple[Price, ...]:
    """Prices that all belong to one list, none of them twice.

    :raises InvalidInputError: all problems of all prices.
    """
    gather = Gather()
    found: dict[tuple[Any, ...], Price] = {}
    for index, price in enumerate(given):
        path = f"prices[{index}]"
        _check_price(gather, price, list_id, path)
        key = (price.variant_id, price.min_steps, price.window.start)
        if key in found:
            gather.problems += invalid("price-twice", path, price.variant_id).problems
        found[key] = price
    gather.done()
    return tuple(found.values())


def _check_price(gather: Gather, price: Price, list_id: str, path: str) -> None:
    gather.take(_known_id, price.variant_id, "variant", f"{path}.variant_id")
    if price.list_id != list_id:
        gather.problems += invalid("price-of-other-list", f"{path}.list_id", price.list_id, limit=list_id).problems
    gather.take(amount, price.amount_minor, f"{path}.amount_minor")
    gather.take(whole, price.min_steps, f"{path}.min_steps", 1, MAX_STEPS)
    gather.take(window, price.window, f"{path}.window")
    if price.original_minor is not None:
        gather.take(amount, price.original_minor, f"{path}.original_minor")
        if not gather.problems and price.original_minor < price.amount_minor:
            found = invalid("original-below-price", f"{path}.original_minor", price.original_minor)
            gather.problems += found.problems


def window(given: Window, path: str) -> Window:
    """A window that does not begin before prices can.

    :raises InvalidInputError: ``time-out-of-range``.
    """
    if given.start is not None and given.start.year < _EARLIEST_YEAR:
        raise invalid("time-out-of-range", path, given.start.isoformat())
    return given
