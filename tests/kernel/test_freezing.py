"""Mappings inside facts: nobody writes into them, and they can be copied, pickled and told as JSON all the same."""

import copy
import pickle
from typing import Any

import pytest

from eckit.kernel.freezing import canonical, frozen_map

GIVEN: dict[str, Any] = {"a": 1, "inside": {"list": [1, {"deep": "x"}], "set": {"y"}}}


def test_nothing_in_it_can_be_written() -> None:
    """Not the mapping, not one inside, not a list; and what it was made of is not part of it."""
    made = frozen_map(GIVEN)
    for place in (made, made["inside"], made["inside"]["list"][1]):
        with pytest.raises(TypeError):
            place["new"] = 1
    assert isinstance(made["inside"]["list"], tuple)
    assert frozenset("y") == made["inside"]["set"]
    own = {"a": 1}
    kept = frozen_map(own)
    own["a"] = 2
    assert {"a": 1} == kept


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_it_travels(again: Any) -> None:
    """A fact may be kept in a host's cache or handed to another process; it is as unchangeable there."""
    made = again(frozen_map(GIVEN))
    assert frozen_map(GIVEN) == made
    with pytest.raises(TypeError):
        made["new"] = 1


def test_its_json_is_that_of_the_plain_mapping() -> None:
    """Sorted, without spaces; what is no JSON stays none."""
    assert '{"a":{"b":[1]}}' == canonical(frozen_map({"a": {"b": [1]}}))
    with pytest.raises(TypeError, match="no JSON of object"):
        canonical(object())
