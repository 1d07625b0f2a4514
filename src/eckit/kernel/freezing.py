"""Mappings inside frozen facts, which nobody a fact is given to can write into, and the one text of a value."""

import copyreg
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


def frozen_map(value: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """An unchangeable copy of a mapping, lists and mappings in it included; the converter of a fact's mapping fields.

    Writing into it raises ``TypeError``. It equals the plain dict.
    """
    return MappingProxyType({key: _frozen(one) for key, one in value.items()})


def _frozen(value: Any) -> Any:
    kind = type(value)
    if kind is str or kind is int:
        return value
    if kind is dict or kind is MappingProxyType:
        return frozen_map(value)
    if kind is list:
        return tuple([_frozen(one) for one in value])
    return frozenset(value) if kind is set else value


def _again(value: "MappingProxyType[Any, Any]") -> tuple[Any, ...]:
    return frozen_map, (dict(value),)


copyreg.pickle(MappingProxyType, _again)  # so that facts can be copied and pickled; Python itself refuses


def canonical(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, no NaN; what digests are made of."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: object) -> dict[Any, Any]:
    if isinstance(value, MappingProxyType):
        return dict(value)
    raise TypeError(f"no JSON of {type(value).__name__}")
