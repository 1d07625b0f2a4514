"""How a hook is declared: its failure policy and family stand in the spec, and a plugin cannot change them."""

import enum
import types
import typing
from collections import abc
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, get_args, get_origin

import attrs
import pluggy

PROJECT = "eckit"
F = TypeVar("F", bound=Callable[..., Any])

hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a plugin's function or method as the implementation of the hook of that name."""

_mark = pluggy.HookspecMarker(PROJECT)


class Failure(enum.Enum):
    """What happens when an implementation raises, overruns or answers nonsense."""

    CLOSED = "closed"
    """The operation fails and names the plugin: everything that makes an amount."""
    DROP = "drop"
    """Its answer is left out, and a failure record goes with the result."""


CLOSED, DROP = Failure.CLOSED, Failure.DROP


class Kind(enum.Enum):
    """The five kinds of hook, told by the first word of the name."""

    REGISTER = "register"
    PROPOSE = "propose"
    CHECK = "check"
    CHOOSE = "choose"
    HAPPENED = "happened"


@attrs.frozen(kw_only=True)
class HookSpec:
    """A hook as declared.

    :ivar family: interface family, whose version plugins declare in ``eckit_interface``.
    :ivar version: the family's version here.
    :ivar answer: the type an implementation must return.
    """

    name: str
    kind: Kind
    family: str
    failure: Failure
    answer: Any
    arguments: tuple[str, ...]
    doc: str
    function: Callable[..., Any]
    version: int = 1


def hookspec(*, failure: Failure | None = None, firstresult: bool = False) -> Callable[[F], F]:
    """Declare a hook. ``failure`` is needed for ``propose_`` and may be given for ``check_`` and ``choose_`` (CLOSED)."""

    def mark(function: F) -> F:
        function.__eckit_failure__ = failure  # type: ignore[attr-defined]
        return _mark(firstresult=firstresult)(function)

    return mark


def declared(module: types.ModuleType, family: str, version: int = 1) -> list[HookSpec]:
    """The hooks a capability's ``hooks`` module declares, all of one version of the family."""
    found = []
    for name, function in vars(module).items():
        if not hasattr(function, "__eckit_failure__"):
            continue
        kind = _kind(name)
        failure = function.__eckit_failure__ or (DROP if kind is Kind.HAPPENED else CLOSED)
        code = function.__code__
        found.append(
            HookSpec(
                name=name,
                kind=kind,
                family=family,
                failure=failure,
                answer=typing.get_type_hints(function).get("return", type(None)),
                arguments=code.co_varnames[: code.co_argcount],
                doc=function.__doc__ or "",
                function=function,
                version=version,
            )
        )
    return found


def _kind(name: str) -> Kind:
    first = name.partition("_")[0]
    return Kind(first) if first in {"register", "propose", "check", "choose"} else Kind.HAPPENED


Check: TypeAlias = Callable[[object], bool]
"""Whether a value is of a type; containers are looked into."""


def conforms(value: object, hint: Any) -> bool:
    """Whether a plugin's answer is of the declared type; containers are looked into."""
    return checker(hint)(value)


def checker(hint: Any) -> Check:
    """The check for a declared type, made once and used for every answer."""
    if hint is Any:
        return _anything
    if hint is None or hint is type(None):
        return _nothing
    origin, args = get_origin(hint), get_args(hint)
    if origin in (typing.Union, types.UnionType):
        checks = tuple(map(checker, args))
        return lambda value: any(check(value) for check in checks)
    if origin is tuple:
        return _tuple_checker(args)
    if origin in (frozenset, list, set):
        inner = checker(args[0])
        return lambda value: isinstance(value, origin) and all(map(inner, value))
    if origin is typing.Literal:
        return lambda value: any(value == arg and type(value) is type(arg) for arg in args)
    if origin in (abc.Mapping, dict):
        key, item = map(checker, args)
        return lambda value: isinstance(value, origin) and all(map(key, value)) and all(map(item, value.values()))
    if origin is type:
        return lambda value: isinstance(value, type)
    if origin is not None:
        return lambda value: isinstance(value, origin)
    if isinstance(hint, typing.NewType):
        return checker(hint.__supertype__)
    return _class_checker(hint)


def _anything(value: object) -> bool:
    return True


def _nothing(value: object) -> bool:
    return value is None


def _tuple_checker(args: tuple[Any, ...]) -> Check:
    if len(args) == 2 and args[1] is Ellipsis:
        item = checker(args[0])
        return lambda value: isinstance(value, tuple) and all(map(item, value))
    checks = tuple(map(checker, args))
    return lambda value: (
        isinstance(value, tuple)
        and len(value) == len(checks)
        and all(check(item) for check, item in zip(checks, value, strict=True))
    )


def _class_checker(hint: Any) -> Check:
    if getattr(hint, "_is_protocol", False):
        names = typing.get_protocol_members(hint) if hasattr(typing, "get_protocol_members") else _members(hint)
        methods = {name: callable(getattr(hint, name, None)) for name in names}
        return lambda value: all(_has(value, name, method) for name, method in methods.items())
    if hint is int:
        return lambda value: isinstance(value, int) and not isinstance(value, bool)
    if isinstance(hint, type):
        return lambda value: isinstance(value, hint)
    raise TypeError(f"a hook cannot promise {hint!r}: answers of that type cannot be checked")


def _has(value: object, name: str, method: bool) -> bool:
    """Whether it has the protocol's method as a method, or its attribute at all."""
    return hasattr(value, name) and (not method or callable(getattr(value, name)))


def _members(protocol: type) -> set[str]:
    """What a protocol and those it extends ask for; Python 3.13 has a function for it."""
    found: set[str] = set()
    for base in protocol.__mro__:
        if getattr(base, "_is_protocol", False) and base is not typing.Protocol:
            found |= {name for name in (*vars(base), *getattr(base, "__annotations__", {})) if not name.startswith("_")}
    return found
