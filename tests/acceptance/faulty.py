"""A plugin with one of everything that goes wrong when told to, in the one place it is told; well-behaved otherwise."""

import operator
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from eckit import ObjectedError, Objection

RAISES, REFUSES, OVERRUNS, WRONG = "raises", "refuses", "overruns", "wrong type"
MUTATES, WRITES = "mutates", "writes"
FAULTS: Final = (RAISES, REFUSES, OVERRUNS, WRONG, MUTATES, WRITES)
"""refuses: raises an error of eckit's that refuses the operation, which not every operation can be. mutates: sets an
attribute of every fact it can reach. writes: into every mapping, list and set it can reach.
"""

SECRET: Final = "a secret of the machine: /etc/shadow"
OBJECTION: Final = Objection(code="faulty-says-no", label="The plugin faulty says no.")
"""What it says when it refuses."""


@attrs.define
class Told:
    """What a plugin is told to do wrong and where, and what became of it."""

    fault: str = ""
    where: str = ""
    slow_s: float = 0.05
    calls: Counter[str] = attrs.field(factory=Counter)
    wrong: int = 0
    """How often it was called where and while it was to go wrong."""
    tried: int = 0
    """How many things it tried to change."""
    stopped: bool = False
    """Whether any of these tries was refused, so that it raised."""
    soft: list[str] = attrs.field(factory=list)
    """What it could change."""

    def to(self, fault: str, where: str) -> None:
        """Go wrong from now on."""
        self.fault, self.where = fault, where
        self.wrong = self.tried = 0
        self.stopped = False
        self.soft = []

    def behave(self) -> None:
        """Go wrong no more."""
        self.fault = self.where = ""

    def go(self, where: str, good: Any, *facts: Any) -> Any:
        """The good answer, or what goes wrong."""
        self.calls[where] += 1
        if where != self.where:
            return good
        self.wrong += 1
        if self.fault == RAISES:
            raise ZeroDivisionError(SECRET)
        if self.fault == REFUSES:
            raise ObjectedError(objections=(OBJECTION,))
        if self.fault == OVERRUNS:
            time.sleep(self.slow_s)
        if self.fault == WRONG:
            return 3.14
        if self.fault == MUTATES:
            self._change(_attributes(facts))
        if self.fault == WRITES:
            self._change(_entries(facts))
        return good

    def _change(self, changes: Iterator[tuple[str, Any]]) -> None:
        """Try every change, then stumble over the first that was refused, as a plugin that means it would."""
        first: Exception | None = None
        for what, change in changes:
            self.tried += 1
            try:
                change()
            except (AttributeError, TypeError) as error:
                first = first or error
            else:
                self.soft.append(what)
        if first is not None:
            self.stopped = True
            raise first


def _attributes(facts: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """Setting an attribute of each fact; a plain value has none of this name."""
    for path, thing in _reached(facts):
        names = [field.name for field in attrs.fields(type(thing))] if attrs.has(type(thing)) else []
        if names or "." not in path:
            name = names[0] if names else "lines"
            yield f"{path}.{name}", lambda thing=thing, name=name: setattr(thing, name, ())


def _entries(facts: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """Writing into each mapping, list and set."""
    for path, thing in _reached(facts):
        if isinstance(thing, Mapping):
            yield path, lambda thing=thing: operator.setitem(thing, "spoiled", 1)
        elif isinstance(thing, list):
            yield path, lambda thing=thing: thing.append("spoiled")
        elif isinstance(thing, set):
            yield path, lambda thing=thing: thing.add("spoiled")


def _reached(facts: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """Everything that can be got at from facts, each once, with the way to it."""
    waiting = [(str(number), fact) for number, fact in enumerate(facts)]
    seen: set[int] = set()
    while waiting:
        path, thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        yield path, thing
        if attrs.has(type(thing)):
            names = [field.name for field in attrs.fields(type(thing))]
            waiting += [(f"{path}.{name}", getattr(thing, name)) for name in names]
        elif isinstance(thing, Mapping):
            waiting += [(f"{path}.[{key}]", value) for key, value in thing.items()]
        elif isinstance(thing, tuple | list | set | frozenset):
            waiting += [(f"{path}.[{number}]", value) for number, value in enumerate(thing)]
