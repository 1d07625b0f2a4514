"""The door of a verb: what is looked at, what is said, and what passes."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import attrs
import pytest
from moneyed import Money

from eckit.kernel.doors import MAX_CODE, MAX_TEXT, checked, expect_limit, expect_within
from eckit.kernel.errors import InvalidInputError
from eckit.kernel.ids import CartId, PartyId
from eckit.kernel.refs import Ref
from eckit.kernel.secrets import MASK
from eckit.kernel.text import Text

NOW = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)


class Color(StrEnum):
    """An open vocabulary of two."""

    RED = "red"
    BLUE = "blue"


@attrs.frozen(kw_only=True)
class Thing:
    """A fact that may hold one of its own kind."""

    name: str
    color: Color = Color.RED
    hint: str = attrs.field(default="", repr=False)
    settings: Mapping[str, Any] = attrs.field(factory=dict)
    inside: "Thing | None" = None


@checked
def verb(
    work: object,
    cart_id: CartId,
    text: str = "",
    *,
    count: int | None = None,
    on: bool = True,
    at: dt.datetime | None = None,
    day: dt.date | None = None,
    price: Money | None = None,
    lines: Sequence[tuple[str, int]] = (),
    once: Iterable[str] = (),
    refs: Mapping[str, str | None] | None = None,
    thing: Thing | None = None,
    party: Thing | PartyId | None = None,
    ref: Ref | None = None,
    title: Text | None = None,
    password: str = "",
) -> str:
    """Says that it was reached."""
    return "reached"


CART = CartId("crt_" + "0" * 26)
GOOD: tuple[dict[str, Any], ...] = (
    {},
    {"text": "á\n日本", "count": -(2**63) + 1, "on": False, "at": NOW, "day": NOW.date(), "price": Money(5, "JPY")},
    {"lines": [("TEA", 1)], "refs": {"erp": None}, "thing": Thing(name="a", inside=Thing(name="b"))},
    {"party": PartyId("pty_" + "0" * 26)},
    {"party": Thing(name="a", color="blue")},  # type: ignore[arg-type]
    {"thing": Thing(name="a", settings={"deep": 1, "flat": "text"}), "ref": Ref("receipt", "1")},
    {"title": Text.of("x" * (MAX_TEXT + 1)), "text": "x" * MAX_TEXT},
)
BAD: tuple[tuple[dict[str, Any], str, str, str], ...] = (
    ({"text": "a\ud800"}, "control-character", "text", "U+D800"),
    ({"text": "a\x00"}, "control-character", "text", "U+0000"),
    ({"text": 5}, "not-text", "text", "int"),
    ({"text": "x" * (MAX_TEXT + 1)}, "too-long", "text", "x" * 77 + "…"),
    ({"count": True}, "not-a-whole-number", "count", "True"),
    ({"count": float("nan")}, "not-a-whole-number", "count", "nan"),
    ({"count": "１"}, "not-a-whole-number", "count", "１"),
    ({"count": 2**63}, "number-out-of-range", "count", str(2**63)),
    ({"on": "yes"}, "not-a-switch", "on", "yes"),
    ({"at": NOW.replace(tzinfo=None)}, "naive-time", "at", "2026-04-01T00:00:00"),
    ({"at": "2026-04-01"}, "not-a-time", "at", "2026-04-01"),
    ({"day": NOW}, "not-a-date", "day", "datetime"),
    ({"price": 5}, "not-money", "price", "int"),
    ({"lines": "TEA"}, "not-a-list", "lines", "TEA"),
    ({"lines": [("TEA", 1), ("TEA", "2")]}, "not-a-whole-number", "lines[1][1]", "2"),
    ({"refs": {"erp": 5}}, "not-text", "refs[erp]", "int"),
    ({"refs": {"a\x00": None}}, "control-character", "refs", "U+0000"),
    ({"refs": []}, "not-a-table", "refs", "list"),
    ({"thing": "red"}, "wrong-kind", "thing", "str"),
    ({"thing": Thing(name="a", inside=Thing(name="b\x00"))}, "control-character", "thing.inside.name", "U+0000"),
    ({"thing": Thing(name="a", color="green")}, "not-one-of", "thing.color", "green"),  # type: ignore[arg-type]
    ({"thing": Thing(name="a", settings={"k": "\ud800"})}, "control-character", "thing.settings[k]", "U+D800"),
    ({"thing": Thing(name="a", hint="h" * (MAX_TEXT + 1))}, "too-long", "thing.hint", MASK),
    ({"party": CART[:8]}, "wrong-id", "party", None),
    ({"ref": Ref("k" * (MAX_CODE + 1), "1")}, "too-long", "ref.kind", "k" * 77 + "…"),
    ({"title": "Tea"}, "wrong-kind", "title", "str"),
    ({"password": "p" * (MAX_TEXT + 1)}, "too-long", "password", MASK),
)


@pytest.mark.parametrize("given", GOOD, ids=str)
def test_what_is_of_its_type_passes(given: dict[str, Any]) -> None:
    """The verb itself judges what it means."""
    assert "reached" == verb(object(), CART, **given)


@pytest.mark.parametrize(("given", "code", "path", "value"), BAD, ids=lambda one: ascii(one)[:40])
def test_what_is_not_is_named(given: dict[str, Any], code: str, path: str, value: str | None) -> None:
    """By parameter and field, with the value or what it is; a secret is masked."""
    with pytest.raises(InvalidInputError) as caught:
        verb(object(), CART, **given)

    (problem,) = caught.value.problems
    assert (code, path) == (problem.code, problem.path)
    assert problem.value == (given[path][:8] if value is None else value)


def test_all_that_is_wrong_is_named_at_once() -> None:
    """By position as by name."""
    with pytest.raises(InvalidInputError) as caught:
        verb(object(), CartId("ord_1"), "\x00", count=1.5)  # type: ignore[arg-type]

    assert ["cart_id", "text", "count"] == [problem.path for problem in caught.value.problems]


def test_what_can_be_read_once_is_left_to_the_verb() -> None:
    """A generator reaches it unread."""
    assert "reached" == verb(object(), CART, once=iter(["a"]))


def test_a_misspelled_parameter_is_the_programs_error() -> None:
    """As it would be without a door."""
    with pytest.raises(TypeError, match="txet"):
        verb(object(), CART, txet="a")  # type: ignore[call-arg]


@pytest.mark.parametrize("limit", [0, -1, 201, 10**30, True, 1.0, "10", None])
def test_a_limit_is_a_number_within_bounds(limit: object) -> None:
    """Zero asks for nothing, and more than the most is not cut in silence."""
    with pytest.raises(InvalidInputError) as caught:
        expect_limit(limit, 200)

    assert [("limit", str(limit))] == [(problem.path, problem.value) for problem in caught.value.problems]
    assert 200 == expect_limit(200, 200)
    assert -3 == expect_within(-3, -3, 3, path="position")
