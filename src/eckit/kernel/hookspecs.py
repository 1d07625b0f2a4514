"""How a hook is declared: its failure policy and family stand in the spec, and a plugin cannot change them."""

import enum
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar

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
    """Declare a hook. ``failure`` is needed for ``propose_``; ``check_`` and ``choose_`` are CLOSED without it."""

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
