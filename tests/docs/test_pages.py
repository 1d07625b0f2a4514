"""What the documentation shows is true: its code runs, its commands do what is printed, its words are the house's."""

import re
from pathlib import Path

import pytest

from tests.docs import pages as shown
from tests.docs.shop import Pages

WRITTEN = shown.written_pages()


def _name(page: Path) -> str:
    return page.relative_to(shown.ROOT).as_posix()


@pytest.mark.parametrize("page", WRITTEN, ids=_name)
def test_everything_a_page_shows_runs(page: Path, pages: Pages) -> None:
    """A page is run from its top to its end, in an empty folder, with a shop of the tutorial at hand."""
    assert page.exists()
    shown.run(page, pages.namespace)


@pytest.mark.parametrize("page", WRITTEN, ids=_name)
def test_a_block_is_run_or_is_a_picture(page: Path) -> None:
    """There is no code that nobody runs: a language is one that is run, or plain text."""
    assert set() == set(shown.languages(page)) - shown.RUN - shown.ONLY_SHOWN


@pytest.mark.parametrize("page", WRITTEN, ids=_name)
def test_plain_text_is_no_code_in_disguise(page: Path) -> None:
    """What looks like a program is run like one."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"^```(?:\{code-block\} )?text\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        assert None is re.search(r"^\s*(?:from \S+ import|import \S|def \S|with \S.*:$|class \S)", block, re.MULTILINE)


def test_code_that_does_not_run_is_found(tmp_path: Path, pages: Pages) -> None:
    """The test above would fail: Python that raises, a command that fails, other output, settings that are none."""
    for number, block in enumerate(
        (
            "```python\nassert 1 == 2\n```\n",
            "```console\n$ false\n```\n",
            "```console\n$ echo one\ntwo\n```\n",
            "```console\n$ python3 dev.py nothing\n```\n",
            "```toml\nnot = toml\n```\n",
            '```toml\nshop_id = "shp_0"\n```\n',
        )
    ):
        page = tmp_path / f"{number}.md"
        page.write_text(block, encoding="utf-8")
        with pytest.raises(Exception):  # noqa: B017, PT011 - each fails in its own way
            shown.run(page, dict)


def test_commands_and_python_share_their_folder(tmp_path: Path, pages: Pages) -> None:
    """What a command writes, the Python below it reads."""
    page = tmp_path / "both.md"
    page.write_text(
        "```console\n$ echo tea > goods.txt && echo done\ndone\n```\n\n"
        '```python\nfrom pathlib import Path\n\nassert "tea" in Path("goods.txt").read_text()\n```\n',
        encoding="utf-8",
    )
    assert 2 == shown.run(page, dict)


# -- words ------------------------------------------------------------------------------------------------------------

BRITISH = (
    "authoris",
    "cancelled",
    "cancelling",
    "catalogue",
    "colour",
    "favour",
    "fulfilment",
    "honour",
    "organis",
    "behaviour",
)


@pytest.mark.parametrize("page", WRITTEN, ids=_name)
def test_one_spelling(page: Path) -> None:
    """The project writes American English; the glossary lists the other words to tell what to use instead."""
    text = page.read_text(encoding="utf-8").lower()
    if page.name == "glossary.md":
        text = text.partition("## words not used")[0]
    assert [] == [word for word in BRITISH if word in text]


@pytest.mark.parametrize("page", WRITTEN, ids=_name)
def test_nobody_is_told_to_install_the_other_eckit(page: Path) -> None:
    """The distribution name `eckit` is another project's."""
    assert None is re.search(
        r"\b(?:pip|uv|uvx|pipx)\b[^\n]*\b(?:install|add)\b[^\n]*\beckit(?![-\w])", page.read_text(encoding="utf-8")
    )


def test_words_of_the_glossary_stand_in_order() -> None:
    """Each section is sorted, no word is explained twice, and every word has both languages."""
    glossary = (shown.DOCS / "glossary.md").read_text(encoding="utf-8").partition("## Words not used")[0]
    seen: list[str] = []
    for section in glossary.split("\n## ")[1:]:
        rows = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in section.splitlines()
            if line.startswith("| **")
        ]
        words = [row[0].strip("*") for row in rows]
        assert sorted(words, key=str.lower) == words
        assert all(cell for row in rows for cell in row)
        seen += words
    assert len(set(seen)) == len(seen)
