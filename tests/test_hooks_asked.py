"""Every hook is asked by something a shop can do, or says that it is not."""

import ast
import functools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import eckit
from eckit.kernel import host_hooks
from eckit.kernel.events import EVENTS
from eckit.kernel.hookspecs import HookSpec, Kind
from eckit.kernel.relay import hooks_of
from eckit.shop import CAPABILITIES

SOURCE = Path(eckit.__path__[0])
NOT_ASKED = {"propose_closed_days", "register_pages"}
"""Documented, and asked by nothing so far. Their own documentation says so; nothing else may be here unseen."""
SPECS: dict[str, HookSpec] = {
    spec.name: spec for spec in (*host_hooks.SPECS, *(spec for capability in CAPABILITIES for spec in capability.SPECS))
}


@functools.cache
def _functions(below: Path = SOURCE) -> tuple[tuple[str, frozenset[str]], ...]:
    """Each function of the core with every name in it, and each class with those outside its functions."""
    found: list[tuple[str, frozenset[str]]] = []
    for file in sorted(below.rglob("*.py")):
        if "testing" in file.relative_to(SOURCE).parts:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                found.append((node.name, frozenset(_names(node))))
            elif isinstance(node, ast.ClassDef):
                methods = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
                rest = {name for part in node.body if not isinstance(part, ast.FunctionDef) for name in _names(part)}
                found.append((node.name, frozenset(methods | rest)))
    return tuple(found)


def _names(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr
        elif isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.startswith("register_"):
            yield part.value  # `plugins.collect("register_carriers", …)`


def _reached_from(*starts: str) -> set[str]:
    """Every name that what is named so leads to, by the names in the functions and classes so called."""
    leads: defaultdict[str, set[str]] = defaultdict(set)
    for name, names in _functions():
        leads[name] |= names
    seen, todo = set(starts), list(starts)
    while todo:
        fresh = leads[todo.pop()] - seen
        seen |= fresh
        todo += fresh
    return seen


def test_every_hook_is_asked_by_something_a_shop_can_do() -> None:
    """From ``Shop``, its flows, desks and composition, and from the command line; a plugin's answer is never idle."""
    reached = _reached_from("Shop", *(name for name, _ in _functions(SOURCE / "cli")))
    asked = {name for name, spec in SPECS.items() if spec.kind is not Kind.HAPPENED and name in reached}
    questions = {name for name, spec in SPECS.items() if spec.kind is not Kind.HAPPENED}
    assert NOT_ASKED == questions - asked


def test_every_hook_that_tells_has_its_event() -> None:
    """``order_confirmed`` is told by ``order.confirmed``; ``payment_changed`` by all events of a payment."""
    telling = {name for name, spec in SPECS.items() if spec.kind is Kind.HAPPENED}
    sources = [kind for kind in EVENTS.values() if kind.__module__.startswith("eckit.")]
    told = {hook for kind in sources for hook in hooks_of(kind.__new__(kind))}
    assert set() == telling - told
    assert len(telling) > 20


def test_a_hook_that_is_not_asked_says_so_and_no_other() -> None:
    """In its documentation, which plugin authors read."""
    assert NOT_ASKED == {name for name, spec in SPECS.items() if "Not asked yet" in spec.doc}
