"""Secrets do not show themselves, comparisons tell nothing, and a signature serves one purpose."""

import copy
import json
import logging
import pickle
import traceback

import attrs
import pytest
from hypothesis import given, strategies as st
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from eckit.kernel.errors import InvalidInputError
from eckit.kernel.secrets import MASK, Secret, constant_time_equal, sign, verify

VALUE = "sk_live_51H8abcdefghijk"
KEY = Secret("0123456789abcdef-key")


@attrs.frozen(kw_only=True)
class Settings:
    """What a plugin might keep."""

    name: str
    key: Secret


SETTINGS = Settings(name="acme", key=Secret(VALUE))


def shown_in_a_traceback() -> str:
    """As error reporters show it: with the locals of each frame."""

    def connect(settings: Settings) -> None:
        raise RuntimeError(f"cannot reach the provider with {settings}")

    with pytest.raises(RuntimeError) as error:
        connect(SETTINGS)
    return "".join(traceback.TracebackException.from_exception(error.value, capture_locals=True).format())


@pytest.mark.parametrize(
    "shown",
    [
        str(SETTINGS.key),
        repr(SETTINGS.key),
        f"{SETTINGS.key} {SETTINGS.key!r} {SETTINGS.key!s:>20} {SETTINGS.key:x<5}",
        "%s %r" % (SETTINGS.key, SETTINGS.key),  # noqa: UP031 -- the old way is what is tried
        f"{SETTINGS.key}",
        repr(SETTINGS),
        repr(attrs.asdict(SETTINGS)),
        repr(attrs.astuple(SETTINGS)),
        json.dumps(attrs.asdict(SETTINGS), default=str),
        json.dumps(attrs.asdict(SETTINGS), default=repr),
        repr(dir(SETTINGS.key)),
        repr(copy.copy(SETTINGS)),
        repr(copy.deepcopy(SETTINGS)),
        repr([SETTINGS.key, {"key": SETTINGS.key}]),
        shown_in_a_traceback(),
        logging.makeLogRecord({"msg": "%s %r", "args": (SETTINGS.key, SETTINGS)}).getMessage(),
        ImmutableSandboxedEnvironment().from_string("{{ s }} {{ s.key }} {{ s.key|string }}").render(s=SETTINGS),
    ],
)
def test_secret_shows_itself_nowhere(shown: str) -> None:
    """SEC-03: repr, str, format, asdict, json, tracebacks with locals, logs, templates."""
    assert VALUE not in shown
    assert "51H8" not in shown


def test_secret_is_given_on_request() -> None:
    """At the moment of use, and by a call that can be searched for."""
    assert VALUE == Secret(VALUE).reveal()
    assert MASK == str(Secret(VALUE))


def test_serializers_do_not_know_secrets() -> None:
    """INJ-16 and SEC-03: json and pickle refuse instead of writing it down."""
    for settings in (SETTINGS.key, SETTINGS):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps(settings, protocol)
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps({"key": SETTINGS.key})
    with pytest.raises(TypeError):
        vars(SETTINGS.key)


def test_templates_may_not_reveal() -> None:
    """INJ-04: in a jinja2 sandbox the method is no safe callable and the slot no safe attribute."""
    sandbox = ImmutableSandboxedEnvironment()
    for template in ("{{ s.key.reveal() }}", "{{ s.key|attr('reveal')() }}", "{{ s.key._Secret__value.x }}"):
        with pytest.raises(SecurityError):
            sandbox.from_string(template).render(s=SETTINGS)
    assert "" == sandbox.from_string("{{ s.key._Secret__value }}").render(s=SETTINGS)


def test_secrets_are_compared_as_values() -> None:
    """Equal by content, never to text, usable in sets."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert 1 == len({Secret("a"), Secret("a")})


def test_secret_is_not_empty() -> None:
    """An unset environment variable is noticed at the start; the error names the setting."""
    for value in ("", "  ", "\n"):
        with pytest.raises(InvalidInputError) as error:
            Secret(value, path="stripe.api_key")
        assert [("missing", "stripe.api_key")] == [(problem.code, problem.path) for problem in error.value.problems]
    with pytest.raises(TypeError):
        Secret(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        ("abc", "abc", True),
        ("abc", b"abc", True),
        ("パス", "パス", True),
        ("\ud800", "\ud800", True),
        ("abc", "abd", False),
        ("abc", "abcd", False),
        ("", "", False),
        ("", "abc", False),
        (b"", b"", False),
        ("abc", "パス", False),
        (None, None, False),
        (5, 5, False),
        (["a"], "a", False),
    ],
)
def test_comparison_never_raises_and_nothing_equals_nothing(a: object, b: object, equal: bool) -> None:
    """An empty token opens nothing, and a request's strange value is just wrong."""
    assert equal is constant_time_equal(a, b)  # type: ignore[arg-type]
    assert equal is constant_time_equal(b, a)  # type: ignore[arg-type]


def test_signature_is_for_one_key_purpose_and_message() -> None:
    """SEC-09: a keyed MAC with a purpose."""
    signature = sign(KEY, "order.view", b"ord_1")
    assert verify(KEY, "order.view", b"ord_1", signature)
    assert verify(KEY, "order.view", b"ord_1", signature.encode())
    assert not verify(KEY, "order.view", b"ord_2", signature)
    assert not verify(KEY, "order.pay", b"ord_1", signature)
    assert not verify(Secret("another key of 16"), "order.view", b"ord_1", signature)
    for wrong in ("", signature[:-1], signature + "=", "パス", "\ud800"):
        assert not verify(KEY, "order.view", b"ord_1", wrong)


def test_signature_is_a_known_one() -> None:
    """Links in mails that were sent stay valid: the form of a signature does not change by accident."""
    assert "03szCwEWnW7HcEoG8JAMNV40MyDZ_re9pHRJFWMqCD4" == sign(KEY, "order.view", b"ord_1")


@given(
    st.binary(max_size=40),
    st.binary(max_size=40),
    st.sampled_from(["a", "a.b", "b"]),
    st.sampled_from(["a", "a.b", "b"]),
)
def test_different_things_have_different_signatures(one: bytes, other: bytes, first: str, second: str) -> None:
    """No purpose and message run together like another pair."""
    assert (one == other and first == second) == (sign(KEY, first, one) == sign(KEY, second, other))


@pytest.mark.parametrize("purpose", ["", "Order.View", "order view", "order\x00", "順序", ".order"])
def test_purpose_has_a_form(purpose: str) -> None:
    """Lower-case words with points, so that it holds no NUL."""
    with pytest.raises(InvalidInputError) as error:
        sign(KEY, purpose, b"x")
    assert "not-a-purpose" == error.value.problems[0].code


def test_weak_key_is_refused() -> None:
    """A key that can be guessed signs nothing; it is not in the error."""
    with pytest.raises(InvalidInputError) as error:
        sign(Secret("password"), "order.view", b"x")
    assert "weak-secret" == error.value.problems[0].code
    assert "password" not in str(error.value)
    with pytest.raises(InvalidInputError):
        sign(Secret("x" * 15), "order.view", b"x")
    assert sign(Secret("x" * 16), "order.view", b"x")
