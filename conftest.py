"""What every suite of the project shares: the core's, the plugins', the documentation's."""

import re
from typing import Any

import pytest
from hypothesis import settings

pytest_plugins = ["tests.compiling", "tests.databases", "tests.skips", "tests.summary"]

settings.register_profile("eckit", deadline=None, print_blob=True)
settings.load_profile("eckit")

_MINTED = re.compile(r"\b[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}\b")


def pytest_make_parametrize_id(config: pytest.Config, val: Any, argname: str) -> str | None:
    """Names that are the same in every process, so that workers agree on the tests there are: no new ids, no bytes."""
    if isinstance(val, bytes):
        return argname
    if isinstance(val, str) and _MINTED.search(val):
        return _MINTED.sub(lambda found: f"{found[0][:4]}…", val)
    return None
