"""Every error can be told to a person, in English and in Japanese, with nothing left open."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import attrs
import pytest

import eckit
from eckit.kernel import texts
from eckit.kernel.errors import EckitError, InvalidInputError, ObjectedError, Objection, Problem, invalid
from eckit.kernel.money import Money
from eckit.kernel.secrets import Secret

SOURCE = Path(eckit.__path__[0])
LEFT_OPEN = re.compile(r"\{[a-z_]*\}")


def modules() -> Iterator[str]:
    """Every module of the core; running a migration or the command line is not importing it."""
    for module in pkgutil.walk_packages(eckit.__path__, "eckit."):
        if not module.name.startswith(("eckit.migrations", "eckit.__main__")):
            yield module.name


def below(kind: type[EckitError]) -> Iterator[type[EckitError]]:
    for inner in kind.__subclasses__():
        if inner.__module__.startswith("eckit."):
            yield inner
            yield from below(inner)


for _name in modules():
    importlib.import_module(_name)
# attrs makes slotted classes anew, so a class may be there twice under one name
KINDS = {f"{kind.__module__}.{kind.__name__}": kind for kind in (EckitError, *below(EckitError))}


def sample(kind: type[EckitError]) -> EckitError:
    """An error of this kind with facts of the right sort in it."""
    facts: dict[str, Any] = {"problems": (Problem(code="missing", path="name"),), "objections": (Objection(code="x"),)}
    needed = [field for field in attrs.fields(kind) if field.name in facts or field.default is attrs.NOTHING]
    return kind(**{field.name: facts.get(field.name) or made(field.type) for field in needed})


class Anything:
    """Stands for a large fact, such as a quote: whatever is asked of it is 330 yen."""

    def __getattr__(self, name: str) -> Any:
        return Money(330, "JPY")


def made(kind: Any) -> Any:
    """A value of a type."""
    if get_origin(kind) is tuple:
        return (made(get_args(kind)[0]),)
    if kind is Money:
        return Money(330, "JPY")
    if attrs.has(kind):
        needed = [field for field in attrs.fields(kind) if field.default is attrs.NOTHING]
        return kind(**{field.name: made(field.type) for field in needed}) if len(needed) < 5 else Anything()
    return {int: 7, bool: True}.get(kind, "TEA-50")


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_error_has_a_text_an_owner_can_act_on(name: str, language: str) -> None:
    """DESIGN §2: what happened and what to do, in both languages, with every fact put in."""
    kind = KINDS[name]
    assert f"error.{kind.code}" in texts.keys(language), f"{name} has no text in {language}"
    shown = sample(kind).text(language)
    assert not LEFT_OPEN.search(shown), shown
    assert len(shown) > 2


def test_one_code_is_one_error() -> None:
    """Callers tell errors by their code."""
    codes: dict[str, str] = {}
    for name, kind in KINDS.items():
        assert codes.setdefault(kind.code, name) == name


_CODES = re.compile(r'\b(?:invalid|_refuse)\(\s*"([a-z][a-z0-9-]+)"|Problem\(\s*code="([a-z][a-z0-9-]+)"')


def used_codes() -> set[str]:
    """The codes of problems in the core's sources, where they are written out."""
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        if "testing" not in path.parts:
            found |= {first or second for first, second in _CODES.findall(path.read_text(encoding="utf-8"))}
    return found


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("code", sorted(used_codes()))
def test_every_problem_has_a_text(code: str, language: str) -> None:
    """Bad input is answered with the field, what is wrong with it and what would be right."""
    assert f"problem.{code}" in texts.keys(language)
    shown = Problem(code=code, path="lines[0].sku", value="x", limit="y", suggestion="z").text(language)
    assert not LEFT_OPEN.search(shown), shown


def test_an_error_shows_values_short_on_one_line_and_without_secrets() -> None:
    """Texts are safe to show to whoever asked: no card number, no secret, no line break."""
    text = "4111 1111 1111 1111\n" + "x" * 200
    problem = invalid("too-long", "name", text, limit=Secret("sk_live_1234567890")).problems[0]
    assert "4111" not in problem.value
    assert "\n" not in problem.value
    assert len(problem.value) <= 80
    assert "sk_live" not in problem.text() + problem.limit


def test_all_problems_and_objections_are_told() -> None:
    """Somebody who has three things to mend hears of three."""
    problems = tuple(Problem(code="missing", path=path) for path in ("name", "country", "lines"))
    shown = str(InvalidInputError(problems=problems))
    assert all(problem.path in shown for problem in problems)
    objections = (Objection(code="a", label="Too late."), Objection(code="b", label="Too far."))
    assert "Too late. Too far." == str(ObjectedError(objections=objections))
