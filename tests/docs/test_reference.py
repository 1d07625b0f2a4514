"""The reference says what the code says: nothing is missing, nothing is stale."""

import inspect
import re
from pathlib import Path

import attrs
import pytest

from docs import generate
from docs.pages import commands, errors, events, facts, hooks, operations, settings, states, writing
from eckit.kernel import texts
from eckit.kernel.errors import EckitError
from eckit.kernel.hookspecs import HookSpec
from eckit.kernel.settings import ShopSettings
from tests.docs.pages import DOCS

HINT = "run: python docs/generate.py"


def page(name: str) -> str:
    """A page as it is kept."""
    return generate.file_of(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", generate.PAGES)
def test_a_page_written_from_the_code_is_current(name: str) -> None:
    """Docstrings are the source; the page is kept so that it can be read without running anything."""
    assert generate.is_current(name), HINT


def test_the_program_names_and_writes_what_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--check`` ends with 1 and writes nothing; without it the page is written, and only that."""
    monkeypatch.setattr(generate, "PAGES", {"states": states.page, "events": events.page})
    monkeypatch.setattr(generate, "file_of", lambda name: tmp_path / f"{name}.md")
    (tmp_path / "events.md").write_text(events.page(), encoding="utf-8")
    assert 1 == generate.main(["--check"])
    assert "stale: states.md\n" == capsys.readouterr().out
    assert 0 == generate.main([])
    assert "wrote: states.md\n" == capsys.readouterr().out
    assert 0 == generate.main(["--check"])


@pytest.mark.parametrize("spec", hooks.specs(), ids=lambda spec: spec.name)
def test_every_hook_is_documented(spec: HookSpec) -> None:
    """A reader finds a hook by the call they will write, with its policy and what it says itself."""
    assert f"\n## {spec.name}({', '.join(inspect.signature(spec.function).parameters)})\n" in page("hooks")
    assert spec.doc.strip()


def test_every_event_a_hook_hears_exists() -> None:
    """A past-tense hook is named after an event; ``payment_changed`` hears all of a payment's."""
    heard = {spec.name for spec in hooks.specs() if spec.kind.value == "happened"}
    announced = {name.replace(".", "_") for name in events.events()}
    assert set() == heard - announced - {"payment_changed"}


@pytest.mark.parametrize("kind", errors.every_error(), ids=lambda kind: kind.code)
def test_every_error_has_a_text_in_both_languages(kind: type[EckitError]) -> None:
    """Whoever reads an error can act on it, in English and in Japanese."""
    missing = [language for language in ("en", "ja") if f"error.{kind.code}" not in texts.keys(language)]
    says_its_parts = kind.text is not EckitError.text
    assert [] == missing or says_its_parts
    assert f"\n## {kind.code}\n" in page("errors")


def test_one_code_is_one_error() -> None:
    """A code names what happened: two classes with one code would be one word for two things."""
    codes = [kind.code for kind in errors.every_error()]
    assert sorted(set(codes)) == sorted(codes)


def test_every_text_in_english_has_a_japanese_one() -> None:
    """And the other way round."""
    assert texts.keys("en") == texts.keys("ja")


@pytest.mark.parametrize("name", operations.shop_methods())
def test_every_method_of_a_shop_is_documented(name: str) -> None:
    """With its signature and what it says itself."""
    assert f"\n## shop.{name}\n" in page("operations")
    assert operations.shop_methods()[name].__doc__


@pytest.mark.parametrize("desk", operations.desks())
def test_every_verb_of_a_desk_is_documented(desk: str) -> None:
    """With its signature and what it says itself."""
    for name, verb in operations.verbs(operations.desks()[desk]).items():
        assert f"\n## work.{desk}.{name}\n" in page("operations")
        assert verb.__doc__, name


def test_every_setting_is_documented() -> None:
    """Of the shop and of the plugins that come with it."""
    for kind in (ShopSettings, *settings.settings_classes().values()):
        for field in attrs.fields(kind):
            inner = settings.inner(field.type)
            wanted = f"## [{field.name}]" if attrs.has(inner) else f"| `{field.name}` |"
            assert wanted in page("settings") or field.name == "plugins"


def test_every_state_table_is_drawn() -> None:
    """With all of its transitions."""
    for kind, moves in states.tables().items():
        section = page("states").partition(f"\n## {kind.__name__}\n")[2].partition("\n## ")[0]
        assert len(moves) == len(re.findall(r"^\| \*\*\S+\*\* \| \S+ \| \*\*\S+\*\* \|$", section, re.MULTILINE))


def test_every_command_is_documented() -> None:
    """The core's and the plugins'."""
    for path in (*commands.commands(), *commands.plugin_commands()):
        assert f"\n## {path}\n" in page("commands")


def test_every_public_fact_is_documented() -> None:
    """What can be imported from ``eckit`` and is no error, event or function."""
    for found in facts.facts().values():
        for name, thing in found:
            assert f"\n## {name}\n" in page("facts")
            assert writing.own_doc(thing), name


def test_no_page_of_the_reference_is_left_over() -> None:
    """A page that nobody writes any more would grow stale."""
    assert set(generate.PAGES) == {file.stem for file in (DOCS / "reference").glob("*.md")}


# -- the examples in hookspecs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spec", [spec for spec in hooks.specs() if "Example::" in spec.doc], ids=lambda spec: spec.name
)
def test_an_example_of_a_hook_is_an_implementation_of_it(spec: HookSpec) -> None:
    """It compiles, has the hook's name, and asks for arguments that the hook has."""
    import eckit

    code = writing.prose(spec.doc).partition("```python\n")[2].partition("\n```")[0]
    namespace = {"hookimpl": eckit.hookimpl}
    exec(compile(code, spec.name, "exec"), namespace)
    function = namespace[spec.name]
    assert set(inspect.signature(function).parameters) <= set(spec.arguments)


# -- how docstrings become Markdown -----------------------------------------------------------------------------------


def test_fields_of_a_docstring_become_a_list() -> None:
    """Roles become code, special characters outside of code mean nothing."""
    said = writing.prose(
        """Take <all> of it, *really*; see :meth:`Shop.read`.

        :param a: one, ``two``.
        :return: a list.
        :raises ValueError: it is
            not one.

        Afterwards.
        """
    )
    assert said == (
        "Take \\<all> of it, \\*really\\*; see `Shop.read`.\n\n"
        "- `a`: one, `two`.\n- *gives*: a list.\n- *raises* `ValueError`: it is not one.\n\nAfterwards."
    )


def test_types_are_written_as_people_write_them() -> None:
    """Without modules, and the same on every Python."""

    def ask(a: int, *rest: str, b: "dict[str, int | None] | None" = None) -> tuple[str, ...]: ...

    assert (
        writing.signature(ask) == "ask(a: int, *rest: str, b: dict[str, int | None] | None = None) -> tuple[str, ...]"
    )
