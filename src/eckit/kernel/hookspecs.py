"""How a hook is declared: its failure policy and family stand in the spec, and a plugin cannot change them."""

import enum
import types
import typing
from collections.abc import Callable
from typing import Any, Final, TypeVar

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


_WITH_AN_OPERATION: Final = frozenset({Kind.PROPOSE, Kind.CHECK, Kind.CHOOSE})
"""Asked while something is done that can be refused: not at start, and not when it has happened."""


@attrs.frozen(kw_only=True)
class HookSpec:
    """A hook as declared.

    :ivar family: interface family, whose version plugins declare in ``eckit_interface``.
    :ivar version: the family's version here.
    :ivar answer: the type an implementation must return.
    :ivar may_refuse: whether an implementation's RefusedError refuses the operation; else it is a failure like others.
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
    may_refuse: bool = False


def hookspec(*, failure: Failure | None = None, firstresult: bool = False, may_refuse: bool = True) -> Callable[[F], F]:
    """Declare a hook. ``failure`` is needed for ``propose_``; ``check_`` and ``choose_`` are CLOSED without it.

    :param may_refuse: False where the operation goes on whatever a plugin says, so that a refusal is a failure like
        any other. Where a failure is dropped, and where there is no operation to refuse, it is so anyway.
    """

    def mark(function: F) -> F:
        function.__eckit_failure__ = failure  # type: ignore[attr-defined]
        function.__eckit_may_refuse__ = may_refuse  # type: ignore[attr-defined]
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
        may_refuse = function.__eckit_may_refuse__ and failure is CLOSED and kind in _WITH_AN_OPERATION
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
                may_refuse=may_refuse,
            )
        )
    return found


def _kind(name: str) -> Kind:
    first = name.partition("_")[0]
    return Kind(first) if first in {"register", "propose", "check", "choose"} else Kind.HAPPENED
