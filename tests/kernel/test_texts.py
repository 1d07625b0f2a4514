"""Texts are found by key and language, filled with facts and nothing else, and complete in English and Japanese."""

import re
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from eckit.kernel import texts
from eckit.kernel.errors import Problem
from eckit.kernel.money import Money
from eckit.kernel.secrets import Secret
from eckit.kernel.text import Text
from eckit.kernel.texts import TextFileError, Texts, conflicts, keys, say

HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'


def write(folder: Path, name: str, **messages: str) -> Path:
    """A .po file; ``__`` in a keyword stands for a point."""
    folder.mkdir(exist_ok=True)
    lines = [f'msgid "{key.replace("__", ".")}"\nmsgstr "{text}"\n' for key, text in messages.items()]
    (folder / name).write_text(HEADER + "\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two capabilities in English and Japanese."""
    place = tmp_path / "locale"
    write(place, "order.en.po", order__placed="Order {number} was placed.", order__thanks="Thank you.")
    write(place, "order.ja.po", order__placed="ご注文 {number} を承りました。", order__thanks="")
    write(place, "mail.en.po", mail__greeting="Dear {name},")
    write(place, "mail.zh_Hant.po", mail__greeting="{name} 您好：")
    return place


@pytest.mark.parametrize(
    ("key", "locale", "expected"),
    [
        ("order.placed", "en", "Order A-1 was placed."),
        ("order.placed", "ja", "ご注文 A-1 を承りました。"),
        ("order.placed", "ja-JP", "ご注文 A-1 を承りました。"),
        ("order.placed", "ja_JP", "ご注文 A-1 を承りました。"),
        ("order.placed", "de", "Order A-1 was placed."),
        ("order.placed", "../../etc/passwd", "Order A-1 was placed."),
        ("order.thanks", "ja", "Thank you."),
        ("mail.greeting", "zh-Hant-TW", "A-1 您好："),
        ("mail.nothing", "ja", "mail.nothing"),
    ],
)
def test_text_is_said_in_the_nearest_language(folder: Path, key: str, locale: str, expected: str) -> None:
    """ja-JP, ja, English, and at last the key, which is seen and stops nothing."""
    assert expected == Texts(folder).say(key, locale, number="A-1", name="A-1")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{name}", "Taro {secret}"),
        ("{name} {name}", "Taro {secret} Taro {secret}"),
        ("{other}", "{other}"),
        ("{name.__class__}", "{name.__class__}"),
        ("{name!r}", "{name!r}"),
        ("{name:>10}", "{name:>10}"),
        ("{name[0]}", "{name[0]}"),
        ("{0} {} {{name}}", "{0} {} {Taro {secret}}"),
        ("%(name)s 100 %", "%(name)s 100 %"),
    ],
)
def test_facts_are_put_in_and_nothing_is_reached(tmp_path: Path, template: str, expected: str) -> None:
    """INJ-04: plain names only, once; a value is never read as a template, and an unknown name stays visible."""
    say_it = Texts(write(tmp_path / "t", "t.en.po", t=template)).say
    assert expected == say_it("t", "en", name="Taro {secret}", secret="hidden")


def test_facts_are_written_as_the_language_writes_them(tmp_path: Path) -> None:
    """Money, translatable texts and numbers; a secret stays one. Facts may be called key and locale."""
    here = Texts(write(tmp_path / "t", "t.en.po", t="{total} {product} {count} {key} {locale}"))
    facts = {"total": Money(1080, "JPY"), "product": Text.of("Tea", ja="茶"), "count": 3}
    assert "￥1,080 茶 3 ******** x" == here.say("t", "ja", **facts, key=Secret("k1"), locale="x")
    assert "¥1,080 Tea 0.10 ******** x" == here.say(
        "t", "en", **{**facts, "count": Decimal("0.10")}, key=Secret("k1"), locale="x"
    )


def test_later_folder_wins_and_takes_effect_at_once(folder: Path, tmp_path: Path) -> None:
    """A host rewords what it likes; the rest stays."""
    said = Texts(folder)
    assert "Thank you." == said.say("order.thanks", "en")
    said.add_folder(write(tmp_path / "host", "words.en.po", order__thanks="Cheers!"))
    assert "Cheers!" == said.say("order.thanks", "en")
    assert "Order 5 was placed." == said.say("order.placed", "en", number=5)
    said.add_folder(folder)  # already there: does not move to the end
    assert "Cheers!" == said.say("order.thanks", "en")


def test_keys_are_those_with_a_text(folder: Path) -> None:
    """An empty or fuzzy translation is none."""
    said = Texts(folder)
    assert {"order.placed", "order.thanks", "mail.greeting"} == said.keys("en")
    assert {"order.placed"} == said.keys("ja")
    assert frozenset() == said.keys("de")
    assert {"en", "ja", "zh-hant"} == said.languages()
    path = folder / "fuzzy.ja.po"
    path.write_text(HEADER + '#, fuzzy\nmsgid "mail.greeting"\nmsgstr "推測"\n', encoding="utf-8")
    assert {"order.placed"} == Texts(folder).keys("ja")


def test_two_texts_for_one_key_are_a_conflict(folder: Path) -> None:
    """In one folder nobody can tell which is meant: both files are named, and such a folder is not added."""
    assert () == Texts(folder).conflicts("en")
    write(folder, "cart.en.po", order__thanks="Thanks!", order__placed="Order {number} was placed.")
    conflict = "'order.thanks' has two different texts, in cart.en.po and order.en.po"
    said = Texts(folder)
    assert (conflict,) == said.conflicts("en")
    assert "Thanks!" == said.say("order.thanks", "en")
    other = Texts()
    with pytest.raises(TextFileError, match=re.escape(conflict)):
        other.add_folder(folder)
    assert frozenset() == other.languages()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.en.po", "msgid no quotes\n"),
        ("bytes.en.po", HEADER + 'msgid "a"\nmsgstr "\udcff"\n'),
        ("plural.en.po", HEADER + 'msgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"\nmsgstr[1] "d"\n'),
    ],
)
def test_file_that_cannot_be_used_is_named(tmp_path: Path, name: str, content: str) -> None:
    """An operator sees which file to mend, when the folder is added."""
    (tmp_path / name).write_text(content, encoding="utf-8", errors="surrogateescape")
    said = Texts()
    with pytest.raises(TextFileError, match=name):
        said.add_folder(tmp_path)
    assert "a" == said.say("a", "en")


def test_folder_that_is_wrong_is_refused_when_added(tmp_path: Path) -> None:
    """There is no such folder, or a file in it does not tell its language."""
    with pytest.raises(TextFileError, match="no folder of texts at 'missing'"):
        Texts().add_folder(tmp_path / "missing")
    (tmp_path / "order.po").write_text(HEADER, encoding="utf-8")
    with pytest.raises(TextFileError, match=r"'order.po' is not named"):
        Texts().add_folder(tmp_path)


def test_texts_load_once_for_many_threads(folder: Path) -> None:
    """Threads that ask first at the same time all get the text."""
    said = Texts(folder)
    barrier = threading.Barrier(8)
    got: list[str] = []

    def ask() -> None:
        barrier.wait(10)
        got.append(said.say("order.thanks", "en"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ["Thank you."] * 8 == got


# --- the core's own texts --------------------------------------------------------------------------------------------

PLACEHOLDER = re.compile(r"\{[a-z_]+\}")


def test_english_and_japanese_have_the_same_keys() -> None:
    """Whatever eckit says, it says in both."""
    assert keys("en") == keys("ja")
    assert "problem.too-long" in keys("en")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_core_says_one_thing_for_one_key(language: str) -> None:
    """Two capabilities may say the same, not different things."""
    assert () == conflicts(language)


@pytest.mark.parametrize("key", sorted(keys("en")))
def test_translation_uses_the_same_facts(key: str) -> None:
    """A translator may move a fact, not lose or invent one."""
    assert set(PLACEHOLDER.findall(say(key, "en"))) == set(PLACEHOLDER.findall(say(key, "ja")))


KERNEL = Path(texts.__file__).parent
INTRODUCED = sorted(
    {
        code
        for name in ("money", "text", "secrets", "clock", "http", "addresses")
        for code in re.findall(
            r'(?:invalid|_UnreadableError)\(\s*"([a-z-]+)"', (KERNEL / f"{name}.py").read_text("utf-8")
        )
    }
)


@pytest.mark.parametrize("code", INTRODUCED)
@pytest.mark.parametrize("locale", ["en", "ja"])
def test_every_problem_of_these_modules_can_be_told(code: str, locale: str) -> None:
    """A shop owner reads which field, what was given, and what to do."""
    problem = Problem(code=code, path="price", value="VALUE", limit=3, suggestion="SUGGESTION")
    told = problem.text(locale)
    assert "price" in told
    assert not PLACEHOLDER.search(told)
    assert f"problem.{code}" in keys(locale)


def test_the_list_of_problems_is_found() -> None:
    """The pattern above finds them all, or the test before this one proves nothing."""
    assert {"unknown-currency", "ambiguous-amount", "too-long", "weak-secret", "naive-time", "not-a-host"} <= set(
        INTRODUCED
    )
    assert len(INTRODUCED) >= 25
