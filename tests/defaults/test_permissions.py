"""Every permission the core asks for is registered, and none that it does not ask for."""

import re
from pathlib import Path

import eckit
from eckit.defaults.permissions import plugin

_AREAS = "cart|catalog|channel|currency|customer|messages|order|payment|promotion|shipping|shop|stock"
_ASKED = re.compile(rf'"((?:{_AREAS})\.(?:read|write|audit|take|capture|void|resolve|refund))"')


def test_permissions_are_those_the_core_asks_for() -> None:
    """Found where services and flows name them; operations of payments are not permissions."""
    root = Path(eckit.__file__).parent
    sources = [*root.glob("flows/*.py"), *root.glob("*/service.py"), *root.glob("*/service/*.py")]
    named = {
        code
        for source in sources
        for line in source.read_text(encoding="utf-8").splitlines()
        if "did(" not in line
        for code in _ASKED.findall(line)
    }

    registered = {permission.code for permission in plugin.register_permissions()}
    assert set() == registered - named - {"cart.read", "cart.write"}
    assert set() == {code for code in named - registered if code not in {"cart.take", "payment.refund"}}
