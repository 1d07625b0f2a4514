"""The door of a public verb: what comes in is of the declared type, and is something a database can hold.

A door is made of the verb's own signature, so no parameter can be forgotten: a text is text without NUL and without
halves of surrogate pairs, a number is whole and fits 64 bits, an instant has its time zone, a duration is below a
hundred years, an id is of its kind, a fact's fields are what its class says. What a value *means* is for the verb and
its rules to judge.

Calls inside the core go to the functions themselves and pass no door.
"""

import datetime as dt
import enum
import functools
import inspect
import re
import types
import typing
from collections import abc
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, ParamSpec, TypeAlias, TypeVar

import attrs
from moneyed import Money

from eckit.kernel.errors import InvalidInputError, Problem, invalid
from eckit.kernel.ids import PREFIXES, expect_id
from eckit.kernel.refs import Ref
from eckit.kernel.secrets import MASK
from eckit.kernel.text import Text

P = ParamSpec("P")
R = TypeVar("R")

MAX_TEXT: Final = 10_000
"""Characters of one text; most verbs allow far fewer. A :class:`Text` sees to its own length."""

MAX_CODE: Final = 80
"""Characters of a kind or an id."""

MAX_LIMIT: Final = 10_000
"""What a job may be asked to do in one round."""

_NO_TEXT: Final = re.compile("[\x00\ud800-\udfff]")
_LARGEST: Final = 2**63 - 1
_LONGEST: Final = dt.timedelta(days=36525)
_HIDDEN: Final = frozenset({"password", "token", "tokens"})
"""Parameters whose value no error shows, as it shows no field that is kept out of its fact's ``repr``."""

AS_SENT: Final = {"eckit.door": "as sent"}
"""``metadata`` of a field that holds what a stranger sent: its verb answers, whatever is in it."""

Found: TypeAlias = list[Problem]
Look: TypeAlias = Callable[[Any, str, Found], None]


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The function behind its door; the first parameter, which is the caller's own, is not looked at.

    :raises InvalidInputError: names every parameter or field that is not of its type.
    """
    door = _Door(function)

    @functools.wraps(function)
    def entered(*args: P.args, **kwargs: P.kwargs) -> R:
        door.look(args[1:], kwargs)
        return function(*args, **kwargs)

    return entered


def expect_limit(limit: object, most: int = MAX_LIMIT) -> int:
    """How many at most are asked for, of a page or of what a job does in one round.

    :raises InvalidInputError: as :func:`expect_within`; no number from 1 to ``most``.
    """
    return expect_within(limit, 1, most, path="limit")


def expect_within(number: object, low: int, high: int, *, path: str) -> int:
    """A whole number within bounds.

    :raises InvalidInputError: ``not-a-whole-number`` for a bool, a float, text; ``number-out-of-range``.
    """
    if not isinstance(number, int) or isinstance(number, bool):
        raise invalid("not-a-whole-number", path, number)
    if not low <= number <= high:
        raise invalid("number-out-of-range", path, number, limit=f"{low}–{high}")
    return number


class _Door:
    """What is looked at, by position and by name; made when the verb is first asked, for types may be told late."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    @functools.cached_property
    def _looks(self) -> dict[str, Look | None]:
        hints = typing.get_type_hints(self._function)
        names = list(inspect.signature(self._function).parameters)[1:]
        return {name: _hidden(name, _look_of(hints[name])) for name in names}

    def look(self, args: Iterable[Any], kwargs: Mapping[str, Any]) -> None:
        found: Found = []
        looks = self._looks
        for (name, look), value in zip(looks.items(), args, strict=False):  # too many are Python's to refuse
            if look is not None:
                look(value, name, found)
        for name, value in kwargs.items():
            look = looks.get(name)
            if look is not None:
                look(value, name, found)
        if found:
            raise InvalidInputError(problems=tuple(found))


# --- kinds -----------------------------------------------------------------------------------------------------------


@attrs.frozen
class _Kind:
    """A declared type: which values are of it, what else must be true of them, and what is said if one is not."""

    accepts: Callable[[Any], bool]
    code: str
    within: Look | None = None
    wanted: str = ""

    def look(self, value: Any, path: str, found: Found) -> None:
        """Add what is wrong with a value."""
        if not self.accepts(value):
            found.append(Problem(code=self.code, path=path, value=_shown(value, self.code), limit=self.wanted))
        elif self.within is not None:
            self.within(value, path, found)


def _shown(value: object, code: str) -> object:
    """A short value as it is; of others, and of what should have been a text, the type."""
    simple = isinstance(value, str | int | float) and code not in {"not-text", "not-money", "wrong-kind"}
    return value if simple and str(value) else type(value).__name__


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(value: str, path: str, found: Found) -> None:
    if len(value) > MAX_TEXT:
        found.append(Problem(code="too-long", path=path, value=value, limit=MAX_TEXT))
        return
    bad = None if value.isascii() and "\x00" not in value else _NO_TEXT.search(value)
    if bad is not None:
        found.append(Problem(code="control-character", path=path, value=f"U+{ord(bad[0]):04X}", limit=bad.start()))


def _storable(value: int, path: str, found: Found) -> None:
    if not -_LARGEST <= value <= _LARGEST:
        found.append(Problem(code="number-out-of-range", path=path, value=value, limit=f"±{_LARGEST}"))


def _aware(value: dt.datetime, path: str, found: Found) -> None:
    if value.utcoffset() is None:
        found.append(Problem(code="naive-time", path=path, value=value.isoformat()))


def _ref(value: Ref, path: str, found: Found) -> None:
    """Both parts of a reference are stored as codes, whoever keeps it."""
    for name in ("kind", "id"):
        part, place = getattr(value, name), f"{path}.{name}"
        _TEXT.look(part, place, found)
        if isinstance(part, str) and MAX_CODE < len(part) <= MAX_TEXT:
            found.append(Problem(code="too-long", path=place, value=part, limit=MAX_CODE))


def _foreseeable(value: dt.timedelta, path: str, found: Found) -> None:
    if abs(value) > _LONGEST:
        found.append(Problem(code="number-out-of-range", path=path, value=value, limit=f"±{_LONGEST.days} d"))


_TEXT: Final = _Kind(lambda value: isinstance(value, str), "not-text", _text)

_PLAIN: Final[dict[Any, _Kind]] = {
    str: _TEXT,
    int: _Kind(_is_whole, "not-a-whole-number", _storable),
    bool: _Kind(lambda value: isinstance(value, bool), "not-a-switch", wanted="true, false"),
    dt.datetime: _Kind(lambda value: isinstance(value, dt.datetime), "not-a-time", _aware),
    dt.date: _Kind(lambda value: isinstance(value, dt.date) and not isinstance(value, dt.datetime), "not-a-date"),
    dt.timedelta: _Kind(lambda value: isinstance(value, dt.timedelta), "wrong-kind", _foreseeable, "timedelta"),
    Money: _Kind(lambda value: isinstance(value, Money), "not-money"),
    Any: _Kind(
        lambda _: True, "", lambda value, path, found: _text(value, path, found) if isinstance(value, str) else None
    ),
    Ref: _Kind(lambda value: isinstance(value, Ref), "wrong-kind", _ref, "Ref"),
    type(None): _Kind(lambda value: value is None, "wrong-kind", wanted="None"),
}


@functools.cache
def _kind_of(hint: Any) -> _Kind | None:
    """The kind of a declared type; None where anything may come."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, typing.NewType):
        return _of_new_type(hint)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _of_union(args)
    if origin is abc.Callable:
        return _Kind(callable, "wrong-kind", wanted="function")
    if isinstance(origin, type):
        return _of_container(origin, args)
    return _of_class(hint) if isinstance(hint, type) and hint is not object else None


def _look_of(hint: Any) -> Look | None:
    kind = _kind_of(hint)
    return kind.look if kind else None


def _of_new_type(hint: typing.NewType) -> _Kind | None:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", hint.__name__).lower().removesuffix("_id")
    if name not in PREFIXES or not hint.__name__.endswith("Id"):
        return _kind_of(hint.__supertype__)

    def within(value: str, path: str, found: Found) -> None:
        try:
            expect_id(name, value, path=path)
        except InvalidInputError as error:
            found.extend(error.problems)

    return _Kind(_TEXT.accepts, "wrong-id", within, f"{PREFIXES[name]}_…")


def _of_union(args: tuple[Any, ...]) -> _Kind | None:
    """The first alternative that accepts a value judges it; a text is any text where any will do."""
    kinds = [_kind_of(hint) for hint in sorted(args, key=lambda hint: hint is not str)]
    known = [kind for kind in kinds if kind is not None]
    if len(known) < len(kinds):
        return None
    told = next((kind for kind in known if kind is not _PLAIN[type(None)]), known[0])

    def within(value: Any, path: str, found: Found) -> None:
        next(kind for kind in known if kind.accepts(value)).look(value, path, found)

    return _Kind(lambda value: any(kind.accepts(value) for kind in known), told.code, within, told.wanted)


def _of_container(origin: type, args: tuple[Any, ...]) -> _Kind | None:
    if issubclass(origin, abc.Mapping):
        return _Kind(lambda value: isinstance(value, abc.Mapping), "not-a-table", _of_entries(args))
    if issubclass(origin, tuple) and args and args[-1] is not Ellipsis:
        return _Kind(
            lambda value: isinstance(value, tuple | list) and len(value) == len(args), "not-a-list", _each(args)
        )
    if issubclass(origin, abc.Iterable):
        return _Kind(_is_list, "not-a-list", _each(args[:1]))
    return _of_class(origin)


def _is_list(value: object) -> bool:
    return isinstance(value, abc.Iterable) and not isinstance(value, str | bytes | abc.Mapping)


def _of_entries(args: tuple[Any, ...]) -> Look:
    key_kind, value_kind = (_kind_of(hint) for hint in args)

    def within(value: Mapping[Any, Any], path: str, found: Found) -> None:
        for key, one in value.items():
            if key_kind is not None:
                key_kind.look(key, path, found)
            if value_kind is not None:
                value_kind.look(one, f"{path}[{_NO_TEXT.sub('?', str(key))}]", found)

    return within


def _each(args: tuple[Any, ...]) -> Look:
    kinds = [_kind_of(hint) for hint in args]

    def within(value: Iterable[Any], path: str, found: Found) -> None:
        if not isinstance(value, abc.Collection):  # what can be read only once is left to the verb
            return
        for index, one in enumerate(value):
            kind = kinds[index] if len(kinds) > 1 else kinds[0]
            if kind is not None:
                kind.look(one, f"{path}[{index}]", found)

    return within


def _of_class(hint: type) -> _Kind | None:
    if issubclass(hint, enum.Enum):
        values = [member.value for member in hint]
        return _Kind(lambda value: _is_member(value, hint, values), "not-one-of", wanted=", ".join(map(str, values)))
    if getattr(hint, "_is_protocol", False):
        return None
    within = _Fields(hint).look if attrs.has(hint) and hint is not Text else None
    return _Kind(lambda value: isinstance(value, hint), "wrong-kind", within, hint.__name__)


def _is_member(value: object, hint: type, values: abc.Collection[object]) -> bool:
    return isinstance(value, hint) or (issubclass(hint, str) and isinstance(value, str) and value in values)


class _Fields:
    """The fields of a fact; read when the first one comes, for facts may hold facts of their own class."""

    def __init__(self, fact: type) -> None:
        self._fact = fact

    @functools.cached_property
    def _looks(self) -> tuple[tuple[str, Look], ...]:
        hints = typing.get_type_hints(self._fact)
        found = []
        for field in attrs.fields(typing.cast("type[attrs.AttrsInstance]", self._fact)):
            if field.metadata == AS_SENT:
                continue
            look = _hidden(field.name if field.repr else "token", _look_of(hints[field.name]))
            if look is not None:
                found.append((field.name, look))
        return tuple(found)

    def look(self, value: Any, path: str, found: Found) -> None:
        """Add what is wrong with the fields."""
        for name, look in self._looks:
            look(getattr(value, name), f"{path}.{name}", found)


def _hidden(name: str, look: Look | None) -> Look | None:
    """The same, with no value in what it says, where the name is that of a secret."""
    if name not in _HIDDEN or look is None:
        return look

    def hiding(value: Any, path: str, found: Found) -> None:
        own: Found = []
        look(value, path, own)
        found.extend(attrs.evolve(problem, value=MASK) for problem in own)

    return hiding
