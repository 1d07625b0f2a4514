"""The list of checks. Each is a plain function of a bench, so that pytest and :func:`run_checks` run the same."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

if TYPE_CHECKING:
    from eckit.testing.payments.bench import Bench

CheckFunction: TypeAlias = "Callable[[Bench], None]"

_NAME: Final = re.compile(r"c\d\d_[a-z0-9_]+")
GROUPS: Final = {
    "A": "Declaration",
    "B": "Once only",
    "C": "In doubt",
    "D": "Notices",
    "F": "Money back",
    "H": "Safety",
    "I": "Model",
}
"""Groups, by letter; E and G are about vouchers, banks and subscriptions."""


@attrs.frozen(kw_only=True)
class Check:
    """One check.

    :ivar id: ``C21``. ``name``: ``c21_dropped_answer_is_in_doubt``. ``rule``: what must hold, in one sentence or two.
    :ivar group: its letter in :data:`GROUPS`.
    :ivar slow: it starts processes or plays many games; a quick look leaves it out.
    """

    id: str
    name: str
    rule: str
    group: str
    slow: bool
    run: CheckFunction = attrs.field(eq=False, repr=False)


_checks: Final[dict[str, Check]] = {}


def check(group: str, *, slow: bool = False) -> Callable[[CheckFunction], CheckFunction]:
    """Register a function ``c21_dropped_answer_is_in_doubt(bench)``, whose docstring is the rule, as a check."""

    def register(function: CheckFunction) -> CheckFunction:
        name = function.__name__
        if not _NAME.fullmatch(name) or not function.__doc__ or group not in GROUPS:
            raise ValueError(f"{name}: a check is named c00_like_this, has a docstring and a known group")
        check_id = name[:3].upper()
        if check_id in _checks:
            raise ValueError(f"{check_id} is registered twice")
        rule = " ".join(function.__doc__.split())
        _checks[check_id] = Check(id=check_id, name=name, rule=rule, group=group, slow=slow, run=function)
        return function

    return register


def all_checks() -> tuple[Check, ...]:
    """Every check, by number."""
    import eckit.testing.payments.checks  # noqa: F401 -- registers them

    return tuple(_checks[check_id] for check_id in sorted(_checks))
