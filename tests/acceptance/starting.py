"""Opening a shop with plugins that cannot be used: refused, or without them."""

from typing import Any

import pytest

from eckit import CompositionError, PluginError
from eckit.shop import Shop
from tests.acceptance.lab import SKU, Lab
from tests.acceptance.trial import filled, open_shop


def opened(lab: Lab, *plugins: Any, strict: bool = True) -> Shop:
    return open_shop(lab.trial.place, plugins=plugins, strict=strict, clock=lab.trial.clock)


def refused(lab: Lab, *plugins: Any) -> str:
    """What is said when the shop does not start."""
    with pytest.raises((CompositionError, PluginError)) as caught:
        opened(lab, *plugins).close()
    return caught.value.text("en") + caught.value.text("ja") + str(caught.value.facts())


def sells_without(lab: Lab, *plugins: Any) -> None:
    """Not strict, the shop starts without the plugins at fault, and sells."""
    shop = opened(lab, *plugins, strict=False)
    try:
        assert not {plugin.name for plugin in plugins} & set(shop.plugins.infos)
        assert {plugin.name for plugin in plugins} <= set(shop.plugins.disabled)
        assert filled(shop, [(SKU, 1)], option="flat.standard").placed()[1].number
    finally:
        shop.close()
