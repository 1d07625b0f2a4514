"""From plain data to attrs classes and back, strictly: nothing is coerced, unknown keys are refused.

Plain data is what TOML, JSON and environment variables hold. Text stays text and a number a number: only a ``Decimal``
is written as text, a ``timedelta`` as whole seconds, an instant as ISO 8601 with its offset, money as
``{"minor": 330, "currency": "JPY"}``. A value of the environment may be any of these in text form (:class:`EnvText`).
"""

import datetime as dt
import difflib
import enum
import re
import typing
from collections import abc
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import attrs
import cattrs
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
    StructureHandlerNotFoundError,
)
from cattrs.gen import make_dict_structure_fn
from moneyed import Money

from eckit.kernel.errors import InvalidInputError, Problem, invalid
from eckit.kernel.money import from_minor, to_minor
from eckit.kernel.refs import Ref
from eckit.kernel.secrets import MASK, Secret
from eckit.kernel.text import Text

T = TypeVar("T")


class EnvText(str):
    """A value from the environment: text that may stand for a number, a switch or a list."""

    __slots__ = ()


def structure(kind: type[T], raw: object, path: str = "", *, shown: bool = True) -> T:
    """An instance of ``kind``, which is an attrs class, from plain data.

    :param path: where the data stands, put before the paths of its fields.
    :param shown: whether problems may show the values given; a secret's is never shown.
    :raises InvalidInputError: with every problem found.
    """
    try:
        made: T = _CONVERTER.structure(raw, kind)
    except Exception as error:  # a class's own validators may raise anything
        problems = tuple(_problems(error, path))
        if not shown:
            problems = tuple(attrs.evolve(problem, value=MASK) if problem.value else problem for problem in problems)
        raise InvalidInputError(problems=problems) from error
    return made


def unstructure(value: object) -> Any:
    """The plain data of an instance: what :func:`structure` reads again. Secrets have none.

    :raises TypeError: there is a secret in it.
    """
    return _CONVERTER.unstructure(value)


# --- what is accepted ------------------------------------------------------------------------------------------------


def _refuse(code: str, value: object, limit: object = "", suggestion: str = "") -> NoReturn:
    given = value if isinstance(value, str | int) else type(value).__name__
    raise invalid(code, "", given, limit=limit, suggestion=suggestion)


def _text(value: object, _: Any) -> str:
    if not isinstance(value, str):
        _refuse("not-text", value)
    return str(value)


_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")


def _integer(value: object, _: Any) -> int:
    if isinstance(value, EnvText) and _INTEGER.fullmatch(value):
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        _refuse("not-a-whole-number", value)
    return value


def _number(value: object, _: Any) -> float:
    if isinstance(value, EnvText):
        try:
            value = float(value)
        except ValueError:
            _refuse("not-a-number", value)
    if not isinstance(value, int | float) or isinstance(value, bool) or value - value != 0:  # NaN, infinities
        _refuse("not-a-number", value)
    return float(value)


def _switch(value: object, _: Any) -> bool:
    if isinstance(value, EnvText) and value in {"true", "false"}:
        return value == "true"
    if not isinstance(value, bool):
        _refuse("not-a-switch", value, "true, false")
    return value


def _decimal(value: object, _: Any) -> Decimal:
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if not isinstance(value, str):  # a float has lost the digits that were written
        _refuse("not-a-decimal", value, suggestion='"0.10"')
    try:
        number = Decimal(value)
    except InvalidOperation:
        _refuse("not-a-decimal", value, suggestion='"0.10"')
    if not number.is_finite():
        _refuse("not-a-decimal", value, suggestion='"0.10"')
    return number


def _seconds(value: object, _: Any) -> dt.timedelta:
    seconds = _integer(value, int)
    if not 0 <= seconds <= 10**10:
        _refuse("negative-duration" if seconds < 0 else "not-a-whole-number", seconds, 0)
    return dt.timedelta(seconds=seconds)


def _instant(value: object, _: Any) -> dt.datetime:
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            _refuse("not-a-time", value)
    if not isinstance(value, dt.datetime):
        _refuse("not-a-time", value)
    if value.utcoffset() is None:
        _refuse("naive-time", value.isoformat())
    return value.astimezone(dt.UTC)


def _date(value: object, _: Any) -> dt.date:
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            _refuse("not-a-date", value)
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        _refuse("not-a-date", value)
    return value


def _secret(value: object, _: Any) -> Secret:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        _refuse("not-text", type(value).__name__)
    return Secret(str(value), "")


def _money(value: object, _: Any) -> Money:
    if not isinstance(value, abc.Mapping) or set(value) != {"minor", "currency"}:
        _refuse("not-an-amount", type(value).__name__, suggestion='{"minor": 330, "currency": "JPY"}')
    return from_minor(_integer(value["minor"], int), _text(value["currency"], str))


def _plain_money(money: Money) -> dict[str, Any]:
    return {"minor": to_minor(money), "currency": money.currency.code}


def _no_secret(_: Secret) -> NoReturn:
    raise TypeError("a secret cannot be stored")


def _path(value: object, kind: Any) -> Path:
    return Path(_text(value, kind))


def _ref(value: object, kind: Any) -> Ref:
    return Ref.parse(_text(value, kind), path="")


def _translations(value: object, _: Any) -> Text:
    if not isinstance(value, abc.Mapping):
        _refuse("not-a-table", value)
    return Text(value)


# --- the converter ---------------------------------------------------------------------------------------------------

_CONVERTER: Final = cattrs.Converter(forbid_extra_keys=True)


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


@_CONVERTER.register_structure_hook_factory(_is_enum)
def _enum_hook(kind: type[enum.Enum]) -> Callable[[object, Any], enum.Enum]:
    members = {member.value: member for member in kind}

    def read(value: object, _: Any) -> enum.Enum:
        if isinstance(value, enum.Enum | bool) or value not in members:
            _refuse("not-one-of", value, ", ".join(map(str, members)))
        return members[value]

    return read


def _is_sequence(kind: Any) -> bool:
    return _origin(kind) in {tuple, list, set, frozenset, abc.Sequence}


def _origin(kind: Any) -> Any:
    return typing.get_origin(kind) or kind


@_CONVERTER.register_structure_hook_factory(_is_sequence)
def _sequence_hook(kind: Any) -> Callable[[object, Any], Any]:
    origin, arguments = _origin(kind), typing.get_args(kind) or (Any, ...)
    fixed = origin is tuple and arguments[-1] is not Ellipsis
    make = tuple if origin is abc.Sequence else origin

    def read(value: object, _: Any) -> Any:
        if isinstance(value, EnvText):
            value = [EnvText(part.strip()) for part in value.split(",") if part.strip()]
        if not isinstance(value, list | tuple | set | frozenset):
            _refuse("not-a-list", value)
        if fixed and len(value) != len(arguments):
            _refuse("not-a-list", len(value), len(arguments))
        kinds = arguments if fixed else (arguments[0],) * len(value)
        return make(_each(enumerate(value), kinds, kind))

    return read


def _is_mapping(kind: Any) -> bool:
    return _origin(kind) in {dict, abc.Mapping}


@_CONVERTER.register_structure_hook_factory(_is_mapping)
def _mapping_hook(kind: Any) -> Callable[[object, Any], Any]:
    keys, values = typing.get_args(kind) or (str, Any)

    def read(value: object, _: Any) -> Any:
        if not isinstance(value, abc.Mapping):
            _refuse("not-a-table", value)
        names = [_CONVERTER.structure(key, keys) for key in value]
        made = _each(value.items(), (values,) * len(value), kind)
        return dict(zip(names, made, strict=True))

    return read


def _each(items: Iterable[tuple[Any, Any]], kinds: Iterable[Any], whole: Any) -> list[Any]:
    made, errors = [], []
    for (index, item), kind in zip(items, kinds, strict=True):
        try:
            made.append(_CONVERTER.structure(item, kind))
        except Exception as error:  # noqa: BLE001 -- collected, so that all are named
            error.__notes__ = [IterableValidationNote("", index, kind)]
            errors.append(error)
    if errors:
        raise IterableValidationError("", errors, whole)
    return made


@_CONVERTER.register_structure_hook_factory(attrs.has)
def _class_hook(kind: Any) -> Callable[[object, Any], Any]:
    read_mapping = make_dict_structure_fn(kind, _CONVERTER, _cattrs_forbid_extra_keys=True)

    def read(value: object, kind: Any) -> Any:
        if not isinstance(value, abc.Mapping):
            _refuse("not-a-table", value)
        return read_mapping(value, kind)

    return read


for _kind, _read, _write in (
    (str, _text, None),
    (int, _integer, None),
    (float, _number, None),
    (bool, _switch, None),
    (Decimal, _decimal, str),
    (dt.timedelta, _seconds, lambda span: int(span.total_seconds())),
    (dt.date, _date, dt.date.isoformat),
    (dt.datetime, _instant, dt.datetime.isoformat),
    (Path, _path, str),
    (Secret, _secret, _no_secret),
    (Money, _money, _plain_money),
    (Ref, _ref, str),
    (Text, _translations, Text.as_dict),
):
    _CONVERTER.register_structure_hook(_kind, _read)
    if _write is not None:
        _CONVERTER.register_unstructure_hook(_kind, _write)


# --- what was wrong --------------------------------------------------------------------------------------------------


def _problems(error: BaseException, path: str) -> Iterator[Problem]:
    path = _below(path, error)
    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from _problems(inner, path)
        return
    if isinstance(error, InvalidInputError):
        for problem in error.problems:
            yield attrs.evolve(problem, path=_joined(path, problem.path))
    elif isinstance(error, ForbiddenExtraKeysError):
        fields = [field.name for field in attrs.fields(error.cl)]
        for key in sorted(error.extra_fields):
            near = difflib.get_close_matches(key, fields, n=1)
            yield Problem(code="unknown-key", path=_joined(path, key), suggestion=", ".join(near or fields))
    elif isinstance(error, KeyError):
        yield Problem(code="missing", path=path)
    elif isinstance(error, StructureHandlerNotFoundError):
        yield Problem(code="unsupported-type", path=path, limit=getattr(error.type_, "__name__", error.type_))
    else:
        yield Problem(code="not-acceptable", path=_of_attribute(path, error), limit=type(error).__name__)


def _below(path: str, error: BaseException) -> str:
    """The path of what an error is about: cattrs notes the field or the index on it."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return _joined(path, note.name)
        if isinstance(note, IterableValidationNote):
            return f"{path}[{note.index}]" if isinstance(note.index, int) else _joined(path, note.index)
    return path


def _of_attribute(path: str, error: BaseException) -> str:
    """Validators of attrs name the attribute among their arguments."""
    named = next((argument for argument in error.args if isinstance(argument, attrs.Attribute)), None)
    return path if named is None else _joined(path, named.name)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name and not name.startswith("[") else f"{path}{name}"
