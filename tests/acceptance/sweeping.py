"""Bad values for every parameter of every verb, made of the verb's own signature: what no verb may let pass."""

import datetime as dt
import inspect
import types
import typing
from collections import abc
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs
from moneyed import Money

from docs.pages.operations import desks, shop_methods, verbs
from eckit import EckitError
from eckit.kernel.doors import AS_SENT
from eckit.kernel.ids import PREFIXES

LONG: Final = "x" * 120_000
HALF_PAIR: Final = "a\ud800"
SECRET: Final = frozenset({"password", "token", "tokens"})
"""Names of what no error shows, however wrong it is."""

NEVER_TEXT: Final = (HALF_PAIR, "a\x00b", LONG, 5, b"bytes")
NEVER_WHOLE: Final = (True, 1.5, float("nan"), float("inf"), "2", "２", 10**30, -(10**30))
NEVER: Final[Mapping[Any, tuple[Any, ...]]] = {
    str: NEVER_TEXT,
    int: NEVER_WHOLE,
    bool: ("yes", 2, 0.0),
    bytes: ("text", 5),
    dt.datetime: (dt.datetime(2026, 4, 1), "2026-04-01", dt.date(2026, 4, 1), 5),  # noqa: DTZ001
    dt.date: ("2026-04-01", dt.datetime(2026, 4, 1, tzinfo=dt.UTC), 5),
    dt.timedelta: (5, "00:15", dt.timedelta.min, dt.timedelta.max),
    Money: (5, 1.5, "5"),
    Decimal: (0.1, "0.1", float("nan")),
}
"""What can never be of a type, whatever the verb."""

ODD: Final[Mapping[Any, tuple[Any, ...]]] = {
    str: ("", "=cmd|'/C calc'!A0", "１２３", "<b>", "a\r\nb", "x" * 5000),
    int: (0, -1, 2**31, 2**62, -(2**62)),
    bool: (),
    bytes: (b"", b"\x00", b"\xff\xfe", b"\x89PNG"),
    dt.datetime: (dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)),
    dt.date: (dt.date.min, dt.date.max),
    dt.timedelta: (dt.timedelta(0), dt.timedelta(-1), dt.timedelta(36525)),
    Money: (Money(0, "JPY"), Money(-5, "JPY"), Money("0.5", "JPY"), Money(10**20, "JPY"), Money(5, "EUR")),
    Decimal: (Decimal("NaN"), Decimal("Infinity"), Decimal("1e400"), Decimal(-1), Decimal(0)),
}
"""What is strange, and may be right here and wrong there: refused or taken, but never by accident."""


@attrs.frozen
class Bad:
    """A bad value for one parameter, and the name of the field in it that is bad."""

    parameter: str
    field: str
    value: Any
    culprit: Any

    def __str__(self) -> str:
        shown = ascii(self.culprit)
        return f"{self.parameter}{'.' + self.field if self.field != self.parameter else ''} = {shown[:40]}"


def operations() -> dict[str, Callable[..., Any]]:
    """Every public verb, by the name ``docs/reference/operations.md`` gives it."""
    found = dict(shop_methods())
    for desk, kind in desks().items():
        found |= {f"{desk}.{name}": method for name, method in verbs(kind).items()}
    return found


def parameters(operation: Callable[..., Any]) -> dict[str, Any]:
    """What an operation takes from outside, by name, with its type."""
    hints = typing.get_type_hints(operation)
    names = [name for name in inspect.signature(operation).parameters if name not in {"self", "cls", "work", "begin"}]
    return {name: hints[name] for name in names}


def bad_values(name: str, hint: Any, pool: Mapping[Any, Any], values: Mapping[Any, tuple[Any, ...]]) -> Iterator[Bad]:
    """Bad values for one parameter.

    :param pool: a good value of each fact, to be spoiled field by field.
    """
    for field, value, culprit in _spoiled(hint, name, pool, values):
        yield Bad(name, field, value, culprit)


Spoiled = tuple[str, Any, Any]
"""The name of what is bad, the whole value, the bad part of it."""


def _spoiled(hint: Any, name: str, pool: Mapping[Any, Any], values: Mapping[Any, tuple[Any, ...]]) -> Iterator[Spoiled]:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, typing.NewType):
        yield from _spoiled_id(hint, name, values)
    elif hint in values:
        yield from ((name, value, value) for value in values[hint])
    elif origin in (typing.Union, types.UnionType):
        yield from _spoiled_union(args, name, pool, values)
    elif isinstance(origin, type) and issubclass(origin, abc.Mapping):
        yield from _spoiled_mapping(args, name, pool, values)
    elif isinstance(origin, type) and issubclass(origin, abc.Iterable):
        yield from _spoiled_list(origin, args, name, pool, values)
    elif isinstance(hint, type) and attrs.has(hint):
        yield from _spoiled_fact(hint, name, pool, values)


def _wrong(name: str, values: Mapping[Any, tuple[Any, ...]], *wrong: Any) -> Iterator[Spoiled]:
    if values is NEVER:
        yield from ((name, value, value) for value in wrong)


def _spoiled_id(hint: typing.NewType, name: str, values: Mapping[Any, tuple[Any, ...]]) -> Iterator[Spoiled]:
    wrong = values[str]
    if values is NEVER and hint.__name__.endswith("Id"):
        other = "pty" if hint.__name__ != "PartyId" else "ord"
        assert other in PREFIXES.values()
        wrong = (*wrong, "ord_1", "１２３", f"{other}_00000000000000000000000000")
    yield from ((name, value, value) for value in wrong)


def _spoiled_union(
    args: tuple[Any, ...], name: str, pool: Mapping[Any, Any], values: Mapping[Any, tuple[Any, ...]]
) -> Iterator[Spoiled]:
    """What is bad for every alternative; of a fact among them, its fields."""
    for hint in args:
        for spoiled in _spoiled(hint, name, pool, values):
            inside = spoiled[1] is not spoiled[2]
            if inside or not any(_could_be(spoiled[1], other) for other in args if other is not hint):
                yield spoiled


def _could_be(value: Any, hint: Any) -> bool:
    """Whether a value that is bad for one alternative is a good one of another."""
    if hint is str:
        return isinstance(value, str) and value not in NEVER_TEXT
    return hint is type(None) and value is None


def _spoiled_mapping(
    args: tuple[Any, ...], name: str, pool: Mapping[Any, Any], values: Mapping[Any, tuple[Any, ...]]
) -> Iterator[Spoiled]:
    yield from _wrong(name, values, 5, "text", [1])
    key, value = (_good(hint, pool) for hint in args)
    for _, bad, culprit in _spoiled(args[0], name, pool, values):
        if isinstance(bad, abc.Hashable) and bad != LONG:
            yield name, {bad: value}, culprit
    for _, bad, culprit in _spoiled(args[1], name, pool, values):
        if bad != LONG:
            yield name, {key: bad}, culprit


def _spoiled_list(
    origin: type, args: tuple[Any, ...], name: str, pool: Mapping[Any, Any], values: Mapping[Any, tuple[Any, ...]]
) -> Iterator[Spoiled]:
    yield from _wrong(name, values, 5, "text")
    make: Any = origin if origin in (tuple, frozenset) else list
    if origin is tuple and args[-1] is not Ellipsis:
        for index, hint in enumerate(args):
            for _, bad, culprit in _spoiled(hint, name, pool, values):
                good = [_good(one, pool) for one in args]
                yield name, (*good[:index], bad, *good[index + 1 :]), culprit
        return
    for field, bad, culprit in _spoiled(args[0], name, pool, values):
        if isinstance(bad, abc.Hashable) or make is list:
            yield field, make([bad]), culprit


def _spoiled_fact(
    fact: type, name: str, pool: Mapping[Any, Any], values: Mapping[Any, tuple[Any, ...]]
) -> Iterator[Spoiled]:
    yield from _wrong(name, values, 5, "text")
    good = pool.get(fact)
    if good is None:
        return
    hints = typing.get_type_hints(fact)
    for field in attrs.fields(typing.cast("type[attrs.AttrsInstance]", fact)):
        if field.metadata == AS_SENT:
            continue  # what a stranger sent is answered, not refused: see the cases of receive_notice
        for inner, bad, culprit in _spoiled(hints[field.name], field.name, pool, values):
            try:
                yield inner, attrs.evolve(good, **{field.name: bad}), culprit
            except (TypeError, AttributeError, ValueError, EckitError):
                continue  # such a fact cannot even be made


def _good(hint: Any, pool: Mapping[Any, Any]) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint in pool:
        return pool[hint]
    if isinstance(hint, typing.NewType):
        return pool.get(hint.__supertype__, "x")
    if origin in (typing.Union, types.UnionType):
        return _good(args[0], pool)
    return tuple(_good(one, pool) for one in args if one is not Ellipsis) if origin is tuple else None
