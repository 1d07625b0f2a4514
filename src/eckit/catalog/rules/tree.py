"""The category tree: each category has at most one parent, and every way up ends at a root."""

from collections.abc import Mapping
from typing import TypeVar

K = TypeVar("K", bound=str)


def ancestors(parents: Mapping[K, K | None], start: K) -> list[K]:
    """The way up from a category, itself first. Ends even where stored data has a cycle."""
    way: list[K] = []
    here: K | None = start
    while here is not None and here not in way:
        way.append(here)
        here = parents.get(here)
    return way


def makes_cycle(parents: Mapping[K, K | None], category: K, parent: K | None) -> bool:
    """Whether a category would stand below itself under this parent."""
    return parent is not None and category in ancestors(parents, parent)
