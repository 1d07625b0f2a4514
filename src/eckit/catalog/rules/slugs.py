"""Codes made from names: handles of products, codes of categories."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

MAX_HANDLE: Final = 80
MAX_CODE: Final = 200
PATH_MARK: Final = ">"

_NO_WORD: Final = re.compile(r"[^\w.]+")


def slug(name: str, *, max_length: int = MAX_HANDLE) -> str:
    """The name as a code: ``Non-Fiction`` is ``non-fiction``. Letters of all scripts stay; empty if there is none.

    The same name always gives the same code, whatever its width or case.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return _NO_WORD.sub("-", folded)[:max_length].strip("-.")


def category_code(path: Sequence[str]) -> str:
    """The code of the category that a path of names leads to: ``("Books", "Fiction")`` is ``books>fiction``.

    A category keeps its code when it is moved, so the code says where it stood first, not where it stands.
    """
    return PATH_MARK.join(slug(name, max_length=len(name) * 4) for name in path)


def search_words(texts: Sequence[str]) -> str:
    """What is looked through for a text that people type: folded in width and case, one text per line."""
    words = "\n".join(texts)
    return words.lower() if words.isascii() else unicodedata.normalize("NFKC", words).casefold()
