"""reference/hooks.md: every question the core asks plugins, and every piece of news it gives them."""

import importlib.util
import inspect
from collections.abc import Iterator

from docs.pages.writing import CAPABILITIES, NOTE, prose, shown, table
from eckit.kernel import host_hooks
from eckit.kernel.hookspecs import Failure, HookSpec, Kind, declared

_ASKED = {
    Kind.REGISTER: "once, when the shop is composed; a plugin that fails stops the start",
    Kind.PROPOSE: "every time the operation runs; answers come sorted by plugin",
    Kind.CHECK: "before the operation; any objection stops it, all are shown",
    Kind.CHOOSE: "in the rank of the settings, until one plugin answers something but `None`",
    Kind.HAPPENED: "after the commit, from the outbox; at least once",
}
_FAILURE = {
    (Kind.REGISTER, Failure.CLOSED): "the shop does not start; the plugin is named",
    (Kind.HAPPENED, Failure.DROP): "tried again later, then parked; the others hear it all the same",
}
_BY_POLICY = {
    Failure.CLOSED: "`CLOSED`: the operation fails and names the plugin",
    Failure.DROP: "`DROP`: its answer is left out, and a failure record goes with the result",
}


def specs() -> list[HookSpec]:
    """Every hook there is, by family in the order of the river, the host's own last."""
    found: list[HookSpec] = []
    for name in CAPABILITIES:
        if importlib.util.find_spec(f"eckit.{name}.hooks") is not None:
            found += declared(importlib.import_module(f"eckit.{name}.hooks"), name)
    return [*found, *host_hooks.SPECS]


def heading(spec: HookSpec) -> str:
    """How a reader finds a hook: by the call they will write."""
    return f"## {spec.name}({', '.join(inspect.signature(spec.function).parameters)})"


def page() -> str:
    """The page."""
    return NOTE + "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield "# Hooks\n"
    yield (
        "The first word of a hook's name tells how answers are used: `register_` gives things once, `propose_` "
        "offers, `check_` objects, `choose_` picks one; a name in the past tense is news. "
        "[Plugins](../explanation/plugins.md) tells how they are called, and what becomes of a plugin that fails.\n"
    )
    yield (
        "A plugin is any object or module with `name`, `version` and `eckit_interface = {family: version}`; "
        "functions marked `@eckit.hookimpl` implement the hooks of their name, and may leave out arguments they do "
        "not need.\n"
    )
    found = specs()
    families = list(dict.fromkeys(spec.family for spec in found))
    rows = [
        (
            f"`{family}`",
            str(next(spec.version for spec in found if spec.family == family)),
            ", ".join(f"[{spec.name}](#{_anchor(spec)})" for spec in found if spec.family == family),
        )
        for family in families
    ]
    yield table(("family", "version", "hooks"), rows) + "\n"
    for spec in found:
        yield from _hook(spec)


def _anchor(spec: HookSpec) -> str:
    name, _, arguments = heading(spec).removeprefix("## ").partition("(")
    words = [name, *arguments.rstrip(")").split(", ")]
    return "-".join([name + words[1], *words[2:]]).lower()


def _hook(spec: HookSpec) -> Iterator[str]:
    yield heading(spec) + "\n"
    yield prose(spec.doc) + "\n"
    gives = "" if spec.kind is Kind.HAPPENED else f"`{shown(spec.answer)}`"
    facts = [
        ("family", f"`{spec.family}`, version {spec.version}"),
        ("asked", _ASKED[spec.kind]),
        ("answer", gives),
        ("if a plugin fails", _FAILURE.get((spec.kind, spec.failure), _BY_POLICY[spec.failure])),
    ]
    yield table(("", ""), [fact for fact in facts if fact[1]]) + "\n"
