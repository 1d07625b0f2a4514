"""Texts that are clean already, because they were read from cells that were cleaned or from where they were stored."""

from collections.abc import Iterable

from eckit.kernel.text import Text


def made_of(cleaned: Iterable[tuple[str, str]]) -> Text:
    """A text of cleaned translations; the usual way cleans each again, a fifth of an import's time."""
    made = Text.__new__(Text)
    object.__setattr__(made, "translations", tuple(sorted(cleaned)))
    return made
