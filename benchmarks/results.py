"""What a scenario found: printed as a table, kept as JSON."""

import statistics
from collections.abc import Sequence
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Result:
    """One ratio of eckit to a floor, or one number with a bound.

    :ivar value: the median over the rounds.
    :ivar bar: the first bar, beyond which a run fails; None: there is only a target.
    :ivar target: what is aimed at.
    :ivar facts: rates, CPU times, counts; whatever tells more.
    """

    scenario: str
    measure: str
    value: float
    target: float | None = None
    bar: float | None = None
    rounds: tuple[float, ...] = ()
    facts: dict[str, Any] = attrs.field(factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether the target is; None without one."""
        return None if self.target is None else self.value <= self.target

    @property
    def failed(self) -> bool:
        """Whether the first bar is missed."""
        return self.bar is not None and self.value > self.bar

    def to_json(self) -> dict[str, Any]:
        """As the artifact has it."""
        return {**attrs.asdict(self), "rounds": list(self.rounds), "met": self.met, "failed": self.failed}


def ratio(scenario: str, measure: str, ours: Sequence[float], floor: Sequence[float], **more: Any) -> Result:
    """The median of the rounds' ratios."""
    rounds = tuple(round(mine / its, 3) for mine, its in zip(ours, floor, strict=True))
    return Result(scenario=scenario, measure=measure, value=statistics.median(rounds), rounds=rounds, **more)
