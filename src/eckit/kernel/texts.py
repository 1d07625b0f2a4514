"""What eckit says to people: texts by key, in several languages, from gettext ``.po`` files.

A key such as ``error.out-of-stock`` or ``mail.order_confirmed.subject`` is the ``msgid``. The core's files stand in
``eckit/locale`` as ``<capability>.<language>.po``; a plugin or a host adds a folder of its own, and a later folder
wins, so a host may reword anything. Files are read once per language, when the language is first asked for.

Facts are put in for ``{name}`` and nothing else: no attributes, no indexes, no format specs, so neither a translator
nor a customer's name can reach into an object. A placeholder without a fact stays visible.
"""

import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FALLBACK_LANGUAGE: Final = "en"

_CORE_FOLDER: Final = Path(__file__).resolve().parent.parent / "locale"
_FILE_NAME: Final = re.compile(r"(?P<name>[A-Za-z0-9_-]+)\.(?P<language>[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*)\.po")
_PLACEHOLDER: Final = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


class TextFileError(Exception):
    """A file of texts cannot be used: it cannot be read, or two files of one folder differ about a key."""


class Texts:
    """Texts from a list of folders, read when first needed; later folders win. Safe to use from several threads."""

    def __init__(self, *folders: Path) -> None:
        self._lock = threading.Lock()
        self._folders: tuple[Path, ...] = ()
        self._files: dict[str, tuple[tuple[Path, ...], ...]] = {}
        self._catalogs: dict[str, Mapping[str, str]] = {}
        for folder in folders:
            self._add(folder)

    def add_folder(self, folder: Path) -> None:
        """Add a folder of ``<name>.<language>.po`` files, which wins over those added before; once is enough.

        Its files are read here and now, so that a plugin with a broken one stops the start and not a mail.

        :raises TextFileError: there is no such folder, or a file in it cannot be used.
        """
        added = Texts(folder)
        for language in sorted(added.languages()):
            added.keys(language)
            if conflicts := added.conflicts(language):
                raise TextFileError("; ".join(conflicts))
        self._add(folder)

    def _add(self, folder: Path) -> None:
        folder = folder.resolve()
        if not folder.is_dir():
            raise TextFileError(f"there is no folder of texts at {folder.name!r}")
        with self._lock:
            if folder not in self._folders:
                self._files = _files_by_language((*self._folders, folder))
                self._folders = (*self._folders, folder)
                self._catalogs = {}

    def say(self, key: str, locale: str, /, **facts: object) -> str:
        """The text of a key in a locale, with its facts put in.

        Looks for ``ja-JP``, then ``ja``, then English; the key itself where there is no text at all, so that a missing
        text is seen and never stops an operation. Facts are converted with ``str``; money and translatable texts are
        written as the locale writes them.
        """
        for language in (*_widening(locale), FALLBACK_LANGUAGE):
            template = self._catalog(language).get(key)
            if template is not None:
                return _fill(template, locale, facts) if facts else template
        return key

    def keys(self, language: str) -> frozenset[str]:
        """The keys with a text in exactly this language (``ja``, not ``ja-JP`` widened)."""
        return frozenset(self._catalog(_normal(language)))

    def conflicts(self, language: str) -> tuple[str, ...]:
        """Where two files of one folder differ about a key, in words; the first file's text is the one said."""
        found: list[str] = []
        for paths in self._files.get(_normal(language), ()):
            _read_folder(paths, found)
        return tuple(found)

    def languages(self) -> frozenset[str]:
        """The languages any file is in."""
        return frozenset(self._files)

    def _catalog(self, language: str) -> Mapping[str, str]:
        found = self._catalogs.get(language)
        if found is not None:
            return found
        if language not in self._files:  # not cached: a caller's locale may be any string
            return {}
        with self._lock:
            if language not in self._catalogs:
                self._catalogs = {**self._catalogs, language: _read_all(self._files[language])}
            return self._catalogs[language]


def _normal(language: str) -> str:
    return language.replace("_", "-").lower()


def _widening(locale: str) -> tuple[str, ...]:
    """``zh-Hant-TW`` → ``zh-hant-tw``, ``zh-hant``, ``zh``."""
    parts = _normal(locale).split("-")[:4]
    return tuple("-".join(parts[:length]) for length in range(len(parts), 0, -1))


def _files_by_language(folders: tuple[Path, ...]) -> dict[str, tuple[tuple[Path, ...], ...]]:
    """For each language, its files, folder by folder."""
    found: dict[str, list[tuple[Path, ...]]] = {}
    for folder in folders:
        here: dict[str, list[Path]] = {}
        for path in sorted(folder.glob("*.po")):
            name = _FILE_NAME.fullmatch(path.name)
            if name is None:
                raise TextFileError(f"{path.name!r} is not named <name>.<language>.po")
            here.setdefault(_normal(name["language"]), []).append(path)
        for language, paths in here.items():
            found.setdefault(language, []).append(tuple(paths))
    return {language: tuple(groups) for language, groups in found.items()}


def _read_all(groups: tuple[tuple[Path, ...], ...]) -> Mapping[str, str]:
    merged: dict[str, str] = {}
    for paths in groups:
        merged.update(_read_folder(paths, []))
    return merged


def _read_folder(paths: tuple[Path, ...], conflicts: list[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    origin: dict[str, str] = {}
    for path in paths:
        for key, text in _read_file(path).items():
            if texts.setdefault(key, text) != text:
                conflicts.append(f"{key!r} has two different texts, in {origin[key]} and {path.name}")
            origin.setdefault(key, path.name)
    return texts


def _read_file(path: Path) -> dict[str, str]:
    from babel.messages.pofile import PoFileError, read_po  # slow to load, and often not needed

    try:
        with path.open("rb") as file:
            catalog = read_po(file, abort_invalid=True)
    except (OSError, PoFileError, UnicodeDecodeError) as error:
        raise TextFileError(f"{path.name} cannot be read: {error}") from error
    texts: dict[str, str] = {}
    for message in catalog:
        if not isinstance(message.id, str):
            raise TextFileError(f"{path.name}: {message.id[0]!r} has plural forms, which texts by key do not use")
        if message.id and message.string and not message.fuzzy:
            texts[message.id] = str(message.string)
    return texts


def _fill(template: str, locale: str, facts: Mapping[str, object]) -> str:
    def put_in(match: re.Match[str]) -> str:
        name = match[1]
        return _written(facts[name], locale) if name in facts else match[0]

    return _PLACEHOLDER.sub(put_in, template)


def _written(value: object, locale: str) -> str:
    if isinstance(value, str):
        return value
    # Here and not above: errors need texts, and these two need errors.
    from eckit.kernel import money, text

    if isinstance(value, text.Text):
        return value.get(locale)
    if isinstance(value, money.Money):
        return money.format_money(value, locale)
    return str(value)


_TEXTS: Final = Texts(_CORE_FOLDER)


def say(key: str, locale: str, /, **facts: object) -> str:
    """The text of a key in a locale: see :meth:`Texts.say`. Uses the core's folder and those added to it."""
    return _TEXTS.say(key, locale, **facts)


def keys(language: str) -> frozenset[str]:
    """The keys with a text in exactly this language."""
    return _TEXTS.keys(language)


def conflicts(language: str) -> tuple[str, ...]:
    """Keys with two different texts in one folder, in words: see :meth:`Texts.conflicts`."""
    return _TEXTS.conflicts(language)


def add_folder(folder: Path) -> None:
    """Add a plugin's or host's folder of texts to those of this process: see :meth:`Texts.add_folder`."""
    _TEXTS.add_folder(folder)
