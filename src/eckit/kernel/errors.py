"""The five kinds of error, and the two small facts they carry: Problem and Objection.

A kind says what a caller can do about it; a leaf in a capability says what happened, with a stable ``code`` that is
also the key of its text (``error.<code>``) in English and Japanese. Texts are safe to show: no SQL, path or secret is
in them.
"""

import re
from typing import Any, ClassVar, Final

import attrs

from eckit.kernel.cards import mask_cards
from eckit.kernel.texts import say

_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")


def _shown(value: object) -> str:
    """A value as an error may show it: short, on one line, never a secret's content (secrets mask themselves)."""
    text = mask_cards(str(value)).replace("\n", " ").replace("\r", " ").replace("\x00", "␀")
    text = _HALF_PAIR.sub("\ufffd", text)  # half of a surrogate pair can be written nowhere
    return text if len(text) <= 80 else f"{text[:77]}…"


@attrs.frozen(kw_only=True)
class Problem:
    """One thing wrong with one input.

    :ivar code: stable code, for example ``too-long``; its text is ``problem.<code>``.
    :ivar path: the field, as the caller named it: ``lines[0].steps``.
    :ivar value: what was given, shortened for showing.
    :ivar limit: the bound that was crossed, where there is one.
    :ivar suggestion: what would be right, where that is known.
    """

    code: str
    path: str = ""
    value: str = attrs.field(default="", converter=_shown)
    limit: str = attrs.field(default="", converter=_shown)
    suggestion: str = ""

    def text(self, locale: str = "en") -> str:
        """A sentence for people, naming field and value."""
        facts = {"path": self.path, "value": self.value, "limit": self.limit, "suggestion": self.suggestion}
        return say(f"problem.{self.code}", locale, **facts)


@attrs.frozen(kw_only=True)
class Objection:
    """A plugin's or rule's reason against something, with a text people may see.

    :ivar code: stable code; its text is ``objection.<code>`` unless ``label`` is given.
    :ivar plugin: who objects; filled in by the call layer.
    """

    code: str
    label: str = ""
    path: str = ""
    plugin: str = ""

    def text(self, locale: str = "en") -> str:
        """A sentence for people."""
        return self.label or say(f"objection.{self.code}", locale, path=self.path, plugin=self.plugin)


@attrs.define(kw_only=True, eq=False)
class EckitError(Exception):
    """Base of everything eckit raises on purpose."""

    code: ClassVar[str] = "error"

    def facts(self) -> dict[str, Any]:
        """What the error knows, by name, as its text uses it; where a card number was typed there is none."""
        known = {field.name: getattr(self, field.name) for field in attrs.fields(type(self))}
        return {name: mask_cards(value) if isinstance(value, str) else value for name, value in known.items()}

    def text(self, locale: str = "en") -> str:
        """What happened and what to do, safe to show to the person who asked."""
        shown = {name: _shown(value) for name, value in self.facts().items()}
        return say(f"error.{self.code}", locale, **shown)

    def __str__(self) -> str:
        return self.text("en")


@attrs.define(kw_only=True, eq=False)
class NotFoundError(EckitError):
    """There is no such thing, or this actor may not know of it: the two are not told apart."""

    code: ClassVar[str] = "not-found"
    kind: str = ""
    id: str = ""


@attrs.define(kw_only=True, eq=False)
class RefusedError(EckitError):
    """A rule said no. Nothing was changed; asking again without a change gives the same answer."""

    code: ClassVar[str] = "refused"


@attrs.define(kw_only=True, eq=False)
class ConflictError(EckitError):
    """Somebody else was faster. Load again, look, and decide anew."""

    code: ClassVar[str] = "conflict"
    what: str = ""


@attrs.define(kw_only=True, eq=False)
class UncertainError(EckitError):
    """An outside party may have acted. Look it up; never send again."""

    code: ClassVar[str] = "uncertain"
    what: str = ""


@attrs.define(kw_only=True, eq=False)
class PluginError(EckitError):
    """A plugin failed where its answer was needed. Names the plugin; the cause is in ``__cause__``."""

    code: ClassVar[str] = "plugin-failed"
    plugin: str = ""
    hook: str = ""
    reason: str = ""


@attrs.define(kw_only=True, eq=False)
class BusyError(ConflictError):
    """The database could not serialise this with others. Nothing was changed; send the whole request again."""

    code: ClassVar[str] = "busy"


@attrs.define(kw_only=True, eq=False)
class MovedError(ConflictError):
    """Something an answer rested on changed meanwhile. Flows start again from the top, a bounded number of times."""

    code: ClassVar[str] = "moved"


@attrs.define(kw_only=True, eq=False)
class DatabaseUnavailableError(ConflictError):
    """The database cannot be reached or is not the one this version needs. Nothing was changed."""

    code: ClassVar[str] = "database-unavailable"


@attrs.define(kw_only=True, eq=False)
class InvalidInputError(RefusedError):
    """Input that cannot be accepted; every problem found is named. Nothing was changed."""

    code: ClassVar[str] = "invalid-input"
    problems: tuple[Problem, ...] = ()

    def text(self, locale: str = "en") -> str:
        """All problems, one sentence each."""
        return " ".join(problem.text(locale) for problem in self.problems)


@attrs.define(kw_only=True, eq=False)
class NotAllowedError(RefusedError):
    """The actor lacks the permission, or the amount is above the actor's limit."""

    code: ClassVar[str] = "not-allowed"
    permission: str = ""


@attrs.define(kw_only=True, eq=False)
class ObjectedError(RefusedError):
    """Rules or plugins object; all objections are given."""

    code: ClassVar[str] = "objected"
    objections: tuple[Objection, ...] = ()

    def text(self, locale: str = "en") -> str:
        """All objections, one sentence each."""
        return " ".join(objection.text(locale) for objection in self.objections)


@attrs.define(kw_only=True, eq=False)
class NotInTransitionError(RefusedError):
    """The state table has no such transition."""

    code: ClassVar[str] = "no-such-transition"
    what: str = ""
    state: str = ""
    event: str = ""


@attrs.define(kw_only=True, eq=False)
class CompositionError(RefusedError):
    """The shop cannot be composed of these settings and plugins; every reason is given."""

    code: ClassVar[str] = "cannot-compose"
    problems: tuple[Problem, ...] = ()

    def text(self, locale: str = "en") -> str:
        """All reasons, one sentence each."""
        return " ".join(problem.text(locale) for problem in self.problems)


def invalid(code: str, path: str, value: object, *, limit: object = "", suggestion: str = "") -> InvalidInputError:
    """The error for one bad input; ``raise invalid("too-long", "name", text, limit=200)``."""
    problem = Problem(code=code, path=path, value=value, limit=limit, suggestion=suggestion)
    return InvalidInputError(problems=(problem,))
