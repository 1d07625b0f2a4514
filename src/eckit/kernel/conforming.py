"""Whether what a plugin answered is of the type that was declared."""

import types
import typing
from collections import abc
from collections.abc import Callable
from typing import Any, TypeAlias, get_args, get_origin

Check: TypeAlias = Callable[[object], bool]
"""Whether a value is of one declared type."""


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
    if hint is float:  # PEP 484: an int will do
        return lambda value: isinstance(value, float | int) and not isinstance(value, bool)
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
