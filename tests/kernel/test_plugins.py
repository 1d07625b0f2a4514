"""The call layer: whatever a plugin does, it is caught, named and counted, and the core's facts stay as they were."""

import decimal
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import ModuleType
from typing import Any, Literal, NewType, Protocol

import attrs
import pytest

from eckit.kernel.composing import compose_plugins
from eckit.kernel.conforming import conforms
from eckit.kernel.database import Database
from eckit.kernel.errors import InvalidInputError, ObjectedError, PluginError, RefusedError, invalid
from eckit.kernel.hookspecs import CLOSED, DROP, declared, hookimpl, hookspec
from eckit.kernel.plugins import RESTING, ConversationTimeoutError, FailureRecord, Limits, Plugins
from eckit.kernel.work import WorkOpenError
from tests.kernel.shop import SYSTEM, begin_on, plugin


@attrs.frozen(kw_only=True)
class Draft:
    """What the plugins are asked about."""

    total: int = 100
    codes: tuple[str, ...] = ()


hooks = ModuleType("hooks")


def declare(function: Any, **options: Any) -> None:
    setattr(hooks, function.__name__, hookspec(**options)(function))


def propose_fees(draft: Draft) -> tuple[int, ...]:
    """Fees: make an amount, so a failure ends the operation."""


def propose_carriers(draft: Draft) -> tuple[str, ...]:
    """Ways to deliver: one that fails is left out."""


def check_draft(draft: Draft) -> tuple[str, ...]:
    """Objections."""


def check_offer(draft: Draft) -> tuple[str, ...]:
    """Objections to one offer: the others are made whatever is said."""


def choose_number(draft: Draft) -> str | None:
    """One number."""


declare(propose_fees, failure=CLOSED)
declare(propose_carriers, failure=DROP)
declare(check_draft)
declare(check_offer, may_refuse=False)
declare(choose_number, firstresult=True)
SPECS = declared(hooks, "shop")
LIMITS = Limits(inline_s=0.05, overruns=3, rest_s=0.2, conversation_s=0.2)


def composed(*plugins: Any, limits: Limits = LIMITS) -> Plugins:
    return compose_plugins(SPECS, plugins, limits=limits, order=[plugin.name for plugin in plugins])


def of(name: str, **functions: Any) -> Any:
    marked = {key: hookimpl(function) for key, function in functions.items()}
    return plugin(name, interface={"shop": 1}, **marked)


def fails(draft: Draft) -> Any:
    raise ZeroDivisionError("with a secret in it")


# --- answers ---------------------------------------------------------------------------------------------------------


def test_answers_come_sorted_by_plugin_whatever_the_order_of_registration() -> None:
    """PLG-07: results never depend on load order."""
    plugins = [of(name, propose_fees=lambda draft, fee=fee: (fee,)) for name, fee in (("b", 2), ("a", 1), ("c", 3))]
    for order in (plugins, plugins[::-1]):
        assert [(1,), (2,), (3,)] == list(composed(*order).call.propose_fees(draft=Draft()))


def test_an_implementation_takes_only_the_arguments_it_wants() -> None:
    """A hook may gain arguments: who knows none of them goes on working, and who knows more than there are, too."""
    assert [(9,)] == list(composed(of("a", propose_fees=lambda later=9: (later,))).call.propose_fees(draft=Draft()))
    assert [(7,)] == list(composed(of("a", propose_fees=lambda: (7,))).call.propose_fees(draft=Draft()))


def test_nobody_asked_is_an_empty_answer() -> None:
    """A shop without plugins works."""
    assert () == composed().call.propose_fees(draft=Draft()).given
    assert () == composed().call.choose_number(draft=Draft()).given


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda draft: None, "answered NoneType"),
        (lambda draft: [1], "answered list"),
        (lambda draft: ("1",), "answered tuple"),
        (lambda draft: (True,), "answered tuple"),
        (fails, "ZeroDivisionError"),
        (lambda draft: sys.exit(3), "SystemExit"),
        (lambda draft: Draft().total.nothing, "AttributeError"),
    ],
)
def test_a_failure_where_an_amount_is_made_ends_the_operation_and_names_the_plugin(answer: Any, reason: str) -> None:
    """PLG-03: closed means that silence or nonsense is never zero; what it raised is the cause and not in the text."""
    with pytest.raises(PluginError) as failed:
        composed(of("good", propose_fees=lambda: (1,)), of("bad", propose_fees=answer)).call.propose_fees(draft=Draft())
    assert ("bad", "propose_fees", reason) == (failed.value.plugin, failed.value.hook, failed.value.reason)
    assert "secret" not in str(failed.value)


def test_a_failure_where_answers_may_be_missing_is_recorded_beside_the_others() -> None:
    """PLG-09: two carriers answer, one raises: two answers and one record."""
    plugins = composed(
        of("a", propose_carriers=lambda draft: ("land",)),
        of("b", propose_carriers=fails),
        of("c", propose_carriers=lambda draft: ("sea",)),
    )
    answers = plugins.call.propose_carriers(draft=Draft())
    assert [("land",), ("sea",)] == list(answers)
    assert (FailureRecord(plugin="b", hook="propose_carriers", reason="ZeroDivisionError"),) == answers.failures


def test_a_plugin_may_refuse_on_purpose_only_where_the_operation_can_be_refused() -> None:
    """A refusal of a closed hook reaches the caller as it is; a droppable answer is only left out."""

    def refuses(draft: Draft) -> Any:
        raise ObjectedError

    for hook in ("propose_fees", "check_draft", "choose_number"):
        with pytest.raises(ObjectedError):
            getattr(composed(of("a", **{hook: refuses})).call, hook)(draft=Draft())
    answers = composed(of("a", propose_carriers=refuses)).call.propose_carriers(draft=Draft())
    assert ("ObjectedError",) == tuple(record.reason for record in answers.failures)
    with pytest.raises(PluginError, match="ObjectedError") as failed:
        composed(of("a", check_offer=refuses)).call.check_offer(draft=Draft())
    assert isinstance(failed.value.__cause__, ObjectedError)


def test_the_first_in_rank_that_answers_is_chosen() -> None:
    """``choose_``: plugins ranked in settings; None passes the question on, and a failure does not."""
    first, second = of("z", choose_number=lambda draft: "Z1"), of("a", choose_number=lambda draft: "A1")
    assert ["Z1"] == list(composed(first, second).call.choose_number(draft=Draft()))
    assert ["A1"] == list(composed(second, first).call.choose_number(draft=Draft()))
    assert ["A1"] == list(composed(of("z", choose_number=lambda: None), second).call.choose_number(draft=Draft()))
    with pytest.raises(PluginError, match="z"):
        composed(of("z", choose_number=fails), second).call.choose_number(draft=Draft())


# --- mutation and surroundings ---------------------------------------------------------------------------------------


def test_a_plugin_cannot_change_what_it_is_shown() -> None:
    """DESIGN §9: a plugin's mutation changes no core data: facts are frozen, and trying is a failure."""

    def mutates(draft: Any) -> Any:
        draft.total = 0

    draft = Draft(codes=("A",))
    with pytest.raises(PluginError) as failed:
        composed(of("bad", propose_fees=mutates)).call.propose_fees(draft=draft)
    assert "FrozenInstanceError" == failed.value.reason
    assert Draft(codes=("A",)) == draft


def test_a_plugin_cannot_change_how_others_compute() -> None:
    """Each implementation has a decimal context of its own, with 28 digits and half-even rounding."""
    seen: list[int] = []

    def careless(draft: Draft) -> tuple[int, ...]:
        decimal.getcontext().prec = 2
        return (int(Decimal(1) / Decimal(3) * 100),)

    def careful(draft: Draft) -> tuple[int, ...]:
        seen.append(decimal.getcontext().prec)
        return ()

    with decimal.localcontext(decimal.Context(prec=5)):
        composed(of("a", propose_fees=careless), of("b", propose_fees=careful)).call.propose_fees(draft=Draft())
        assert 5 == decimal.getcontext().prec
    assert [28] == seen


# --- the breaker -----------------------------------------------------------------------------------------------------


def test_overruns_are_counted_and_open_the_breaker_until_it_has_rested() -> None:
    """A slow carrier is left out after three overruns in a row and asked again after its rest."""
    slow, asked = [True], []

    def answers(draft: Draft) -> tuple[str, ...]:
        asked.append(1)
        if slow:
            time.sleep(0.06)
        return ("land",)

    plugins = composed(of("slow", propose_carriers=answers), of("quick", propose_carriers=lambda: ("sea",)))
    for _ in range(3):
        assert 2 == len(plugins.call.propose_carriers(draft=Draft()).given)  # late answers count
    resting = plugins.call.propose_carriers(draft=Draft())
    assert [("sea",)] == list(resting)
    assert (FailureRecord(plugin="slow", hook="propose_carriers", reason=RESTING),) == resting.failures
    track = plugins.tracks["slow", "propose_carriers"]
    assert (3, 3, 0) == (track.calls, track.overruns, track.failures)
    assert track.worst_s >= 0.06
    slow.clear()
    time.sleep(0.2)
    for _ in range(4):
        assert 2 == len(plugins.call.propose_carriers(draft=Draft()).given)
    assert 7 == len(asked)


def test_the_breaker_never_leaves_out_what_makes_an_amount() -> None:
    """A fee that was left out would be a wrong total: closed hooks are asked every time."""
    plugins = composed(of("bad", propose_fees=fails))
    for _ in range(5):
        with pytest.raises(PluginError, match="ZeroDivisionError"):
            plugins.call.propose_fees(draft=Draft())
    assert 5 == plugins.tracks["bad", "propose_fees"].failures


def test_one_plugins_breaker_is_not_anothers() -> None:
    """Tracks are kept for each plugin and hook."""
    plugins = composed(of("bad", propose_carriers=fails, propose_fees=lambda: (1,)))
    for _ in range(4):
        plugins.call.propose_carriers(draft=Draft())
    assert [(1,)] == list(plugins.call.propose_fees(draft=Draft()))


# --- objects a plugin registered -------------------------------------------------------------------------------------


def test_a_guarded_call_is_measured_and_its_failure_names_the_plugin() -> None:
    """``answer``, ``quote`` and ``judge`` of registered objects go through the same layer, refusals included."""
    plugins = composed()
    assert 3 == plugins.guarded("tax", "answer", lambda a, b: a + b, 1, 2)
    assert 28 == plugins.guarded("tax", "answer", lambda: decimal.getcontext().prec)

    def refuses() -> None:
        raise RefusedError

    for function, reason in ((refuses, "RefusedError"), (lambda: 1 / 0, "ZeroDivisionError"), (exit, "SystemExit")):
        with pytest.raises(PluginError) as failed:
            plugins.guarded("tax", "answer", function)
        assert ("tax", "answer", reason) == (failed.value.plugin, failed.value.hook, failed.value.reason)
        assert failed.value.__cause__ is not None
    track = plugins.tracks["tax", "answer"]
    assert (5, 3) == (track.calls, track.failures)


def test_an_object_that_is_only_offered_rests_as_a_hook_does() -> None:
    """PLG-09: a carrier that fails again and again is not asked while its breaker is open; what makes amounts is."""
    plugins, asked = composed(), []

    def fails() -> None:
        asked.append(1)
        raise OSError("down")

    for reason in ("OSError", "OSError", "OSError", RESTING, RESTING):
        with pytest.raises(PluginError) as failed:
            plugins.guarded("sea", "quote", fails, failure=DROP)
        assert reason == failed.value.reason
    for _ in range(4):
        with pytest.raises(PluginError, match="OSError"):
            plugins.guarded("sea", "quote", fails)
    plugins.tracks["sea", "quote"].rests_until = 0.0
    assert "land" == plugins.guarded("sea", "quote", lambda: "land", failure=DROP)
    assert 7 == len(asked)


# --- conversations ---------------------------------------------------------------------------------------------------


def test_a_conversation_is_cut_off_at_its_hard_limit() -> None:
    """A provider that hangs costs its limit; an answer that comes too late is dropped; others can talk."""
    plugins, release = composed(), threading.Event()
    started = time.monotonic()
    with pytest.raises(ConversationTimeoutError) as cut:
        plugins.converse("gate", "authorize", release.wait, 5)
    assert time.monotonic() - started < 1
    assert ("gate", "authorize") == (cut.value.plugin, cut.value.what)
    for _ in range(40):
        with pytest.raises(ConversationTimeoutError):
            plugins.converse("gate", "authorize", release.wait, 5, limit_s=0.001)
    assert "well" == plugins.converse("other", "capture", lambda: "well")
    release.set()


def test_a_conversation_that_raises_is_a_failure_of_the_plugins() -> None:
    """Whatever an SDK raises, a TimeoutError of its own too, names the plugin and keeps the cause."""
    for error in (ValueError("x"), TimeoutError(), SystemExit(3)):

        def talk(error: BaseException = error) -> None:
            raise error

        with pytest.raises(PluginError) as failed:
            composed().converse("gate", "authorize", talk)
        assert type(error).__name__ == failed.value.reason
        assert error is failed.value.__cause__


def test_a_conversation_is_refused_while_a_transaction_is_open(opened: Database) -> None:
    """CON-12: the layer refuses, not just the HTTP client; in a Work for reading, too."""
    begin, asked = begin_on(opened), []
    with begin.read(SYSTEM), pytest.raises(WorkOpenError):
        begin.converse("gate", "authorize", asked.append, 1)
    with begin.write(SYSTEM), pytest.raises(WorkOpenError):
        begin.converse("gate", "authorize", asked.append, 1)
    assert [] == asked
    assert 3 == begin.converse("gate", "authorize", lambda a, b: a + b, 1, 2)


def test_a_plugin_that_hangs_does_not_keep_the_process_from_ending() -> None:
    """A worker thread that never comes back is left behind at the end of the program."""
    program = """
import time
from eckit.kernel.composing import compose_plugins
from eckit.kernel.plugins import ConversationTimeoutError
try:
    compose_plugins([]).converse("gate", "authorize", time.sleep, 60, limit_s=0.05)
except ConversationTimeoutError:
    print("cut off")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert "cut off\n" == done.stdout


# --- facts loaded once per stamp -------------------------------------------------------------------------------------


def test_facts_are_loaded_once_for_each_version_of_their_stamp() -> None:
    """``load`` is not called again until the plugin's stamp moves."""
    plugins, loaded = composed(), []

    def load() -> int:
        loaded.append(1)
        return len(loaded)

    assert [1, 1, 2, 2] == [plugins.cached("tax", "rates", stamp, load) for stamp in (0, 0, 1, 1)]
    plugins.close()
    assert 3 == plugins.cached("tax", "rates", 1, load)


# --- things registered -----------------------------------------------------------------------------------------------


def test_two_plugins_that_claim_one_code_are_both_named() -> None:
    """PLG-07: two plugins claiming one code is an error at start."""
    things = ModuleType("things")

    def register_things(settings: Any) -> tuple[str, ...]:
        """Things."""

    things.register_things = hookspec()(register_things)  # type: ignore[attr-defined]
    specs = declared(things, "thing")
    one, two = (
        plugin(name, interface={"thing": 1}, register_things=hookimpl(lambda settings: ("x", "y")))
        for name in ("one", "two")
    )
    plugins = compose_plugins(specs, [one])
    plugins.collect("register_things", "thing", code=str)
    assert ["x", "y"] == [thing.code for thing in plugins.things("thing")]
    found = plugins.thing("thing", "x")
    assert found is not None
    assert ("one", "x") == (found.plugin, found.thing)
    assert plugins.thing("thing", "gone") is None
    both = compose_plugins(specs, [one, two])
    with pytest.raises(PluginError, match="one, two"):
        both.collect("register_things", "thing", code=str)


@pytest.mark.parametrize("code", ["", "a\x00b", "a\ud800", "x" * 81, "e\u0301", 7, None])
def test_a_code_that_no_table_holds_stops_the_start(code: Any) -> None:
    """Empty, too long, not storable, or not in the one spelling that is compared: the plugin is named."""
    things = ModuleType("things")

    def register_things(settings: Any) -> tuple[str, ...]:
        """Things."""

    things.register_things = hookspec()(register_things)  # type: ignore[attr-defined]
    bad = plugin("bad", interface={"thing": 1}, register_things=hookimpl(lambda settings: ("x",)))
    plugins = compose_plugins(declared(things, "thing"), [bad])
    with pytest.raises(PluginError, match="is no code") as failed:
        plugins.collect("register_things", "thing", code=lambda thing: code)
    assert "bad" == failed.value.plugin
    assert "x" * 80 in plugins.collect("register_things", "thing", code=lambda thing: "x" * 80)


def test_a_refusal_while_registering_is_a_failure_that_names_the_plugin() -> None:
    """At start there is no operation to refuse."""
    things = ModuleType("things")

    def register_things(settings: Any) -> tuple[str, ...]:
        """Things."""

    def refuses(settings: Any) -> tuple[str, ...]:
        raise invalid("missing", "x", "")

    things.register_things = hookspec()(register_things)  # type: ignore[attr-defined]
    bad = plugin("bad", interface={"thing": 1}, register_things=hookimpl(refuses))
    plugins = compose_plugins(declared(things, "thing"), [bad])
    with pytest.raises(PluginError, match="bad") as failed:
        plugins.collect("register_things", "thing", code=str)
    assert isinstance(failed.value.__cause__, InvalidInputError)


# --- declared types --------------------------------------------------------------------------------------------------


class Quotes(Protocol):
    """What a carrier can do."""

    code: str

    def quote(self, weight: int) -> int: ...


class Carrier:
    """One that can."""

    code = "land"

    def quote(self, weight: int) -> int:
        return weight


class Half:
    """One that has the name and not the method."""

    code = "sea"
    quote = 3


Sku = NewType("Sku", str)


@pytest.mark.parametrize(
    ("hint", "good", "bad"),
    [
        (int, [1], [True, "1", 1.0, None]),
        (bool, [True], [1]),
        (str | None, ["x", None], [1]),
        (Sku, ["x"], [1]),
        (None, [None], [0]),
        (tuple[int, ...], [(), (1, 2)], [[1], ("1",), 1]),
        (tuple[int, str], [(1, "a")], [(1,), ("a", 1), (1, "a", 2)]),
        (frozenset[str], [frozenset("a")], [{"a"}, frozenset({1})]),
        (list[int], [[1]], [(1,), ["a"]]),
        (Mapping[str, int], [{"a": 1}], [{"a": "b"}, {1: 1}, []]),
        (Sequence[int], [[1], (1,)], [1]),
        (Literal["a", 1], ["a", 1], ["b", True]),
        (type, [int], [1]),
        (Quotes, [Carrier()], [Half(), object()]),
        (tuple[Quotes, ...], [(Carrier(),)], [(Half(),)]),
        (Draft, [Draft()], [object()]),
        (object, [1, None], []),
    ],
    ids=lambda it: re.sub(r" at 0x[0-9a-f]+", "", str(it)),
)
def test_an_answer_is_checked_against_the_declared_type(hint: Any, good: list[Any], bad: list[Any]) -> None:
    """Validated facts out: containers are looked into, and a Protocol's methods must be methods."""
    assert all(conforms(value, hint) for value in good)
    assert not any(conforms(value, hint) for value in bad)


def test_a_hook_cannot_promise_what_cannot_be_checked() -> None:
    """A spec with such a type is a mistake of ours, found when the shop is composed."""
    with pytest.raises(TypeError, match="cannot be checked"):
        conforms(1, "a name in quotes")
