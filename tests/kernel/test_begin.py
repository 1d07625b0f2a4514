"""What tests of one capability begin with."""

from typing import Any

import pytest

from eckit.kernel.errors import CompositionError
from eckit.kernel.hookspecs import hookimpl
from eckit.testing.begin import START, default_plugins, make_begin
from tests.kernel.shop import SYSTEM, plugin


def test_the_cores_hooks_and_defaults_are_there_with_the_tests_own_plugins(migrated_url: str) -> None:
    """One call gives Works on a database, at noon in Tokyo."""

    @hookimpl
    def order_placed(event: Any, shop: Any) -> None:
        """Hear of an order."""

    begin = make_begin(migrated_url, plugins=[plugin("mine", interface={"order": 1}, order_placed=order_placed)])
    names = {found.name for found in default_plugins()}
    assert names
    assert names | {"mine"} == set(begin.plugins.infos)
    assert ["mine"] == [
        found.plugin for found in begin.plugins.implementations("order_placed") if found.plugin == "mine"
    ]
    with begin.write(SYSTEM) as work:
        assert START == work.now
        work.bump("x")


def test_a_plugin_that_does_not_fit_stops_the_test(migrated_url: str) -> None:
    """A misspelt hook in a test's plugin would be a test of nothing."""
    with pytest.raises(CompositionError, match="order_placed"):
        make_begin(migrated_url, plugins=[plugin("mine", order_plced=hookimpl(lambda event: None))])
