"""Who only listens changes nothing: the others hear the event, the core goes on, and who failed hears it again."""

import contextlib
import datetime as dt
import typing
from collections.abc import Iterator
from typing import Any, Final

import attrs
import pytest

from eckit import Ref, mint
from eckit.kernel import host_hooks
from eckit.kernel.events import EVENTS, Event
from eckit.kernel.hookspecs import Kind
from eckit.kernel.ids import PREFIXES
from eckit.kernel.relay import hooks_of
from eckit.shop import CAPABILITIES
from tests.acceptance.faulty import FAULTS, MUTATES, OVERRUNS, RAISES, REFUSES, WRITES, Told
from tests.acceptance.lab import CUT_OFF_S, Lab, Labs, provoke
from tests.acceptance.trial import STAFF, START
from tests.databases import Server

SPECS: Final = (*host_hooks.SPECS, *(spec for capability in CAPABILITIES for spec in capability.SPECS))
HOOKS: Final = tuple(sorted(spec.name for spec in SPECS if spec.kind is Kind.HAPPENED))
TOUCHED: Final = frozenset({"eckit_outbox", "eckit_subscriber", "eckit_history", "eckit_mail"})
"""What the relay notes of events and of those who hear them, and the core's own mails."""


@pytest.fixture(scope="module")
def labs(database_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labs]:
    """Shops with a plugin that hears everything, and goes wrong at one thing; others hear it too."""
    made = Labs(database_server, tmp_path_factory.mktemp("labs"), heard=HOOKS)
    yield made
    made.close()


def _made(kind: Any, name: str) -> Any:
    """Something that may stand in a field of an event."""
    if kind is dt.datetime:
        return START
    if kind is Ref:
        return Ref("channel", mint("channel"))
    if typing.get_origin(kind) is tuple:
        return (_made(typing.get_args(kind)[0], name.removesuffix("s")),)
    if isinstance(kind, typing.NewType):
        owner = name.removesuffix("_id")
        return mint(owner) if owner in PREFIXES else mint("event")
    return {int: 1, bool: False, str: "JPY" if name == "currency" else "thing"}[kind]


def _events() -> dict[str, Event]:
    """Hook → an event that it hears; of the abilities of the core that have one."""
    found: dict[str, Event] = {}
    for kind in EVENTS.values():
        if kind.__module__.startswith("eckit."):
            hints = typing.get_type_hints(kind)
            event = kind(**{field.name: _made(hints[field.name], field.name) for field in attrs.fields(kind)})
            found |= dict.fromkeys(set(hooks_of(event)) & set(HOOKS), event)
    return found


def test_every_hook_of_an_event_is_heard(lab: Lab) -> None:
    """A hook that is added later is heard here too."""
    assert set(HOOKS) == set(_events())
    heard = {one.plugin for hook in HOOKS for one in lab.shop.plugins.implementations(hook)}
    assert {"hearing", "attentive"} <= heard


@pytest.mark.parametrize(
    ("hook", "fault"),
    [*((hook, RAISES) for hook in HOOKS), *(("order_placed", fault) for fault in FAULTS if fault != RAISES)],
)
def test_a_listener_that_goes_wrong_hurts_nobody(lab: Lab, hook: str, fault: str) -> None:
    """PLG-01: the relay notes who failed and goes on; the others hear it once, and it hears it again later."""
    with lab.shop.write(STAFF) as work:
        work.announce(_events()[hook])
    told, attentive = lab.told, lab.attentive
    heard, others = told.calls[hook], attentive.calls[hook]

    with slow(told):
        outcome = provoke(lab, fault, hook, lab.shop.relay_events)

    assert outcome.error is None
    assert outcome.touched <= TOUCHED
    assert heard + 1 == told.calls[hook]
    assert others + 1 == attentive.calls[hook]
    assert told.stopped == (fault == MUTATES)
    lab.trial.pass_time(dt.timedelta(minutes=5))
    lab.shop.relay_events()
    again = fault in (RAISES, REFUSES, OVERRUNS, MUTATES)  # talkative is not failed
    assert heard + 1 + again == told.calls[hook]
    assert others + 1 == attentive.calls[hook]


@pytest.mark.parametrize("hook", HOOKS)
def test_an_event_cannot_be_changed_by_who_hears_it(hook: str) -> None:
    """Nothing that can be reached from it: the others hear the same."""
    event, before = _events()[hook], _events()[hook].payload().keys()
    told = Told()
    for fault in (MUTATES, WRITES):
        told.to(fault, hook)
        with contextlib.suppress(AttributeError, TypeError):
            told.go(hook, None, event)
        assert (fault == MUTATES) <= told.stopped
        assert [] == told.soft
    assert before == event.payload().keys()


@contextlib.contextmanager
def slow(told: Told) -> Iterator[None]:
    """A listener that overruns takes longer than a conversation may."""
    before, told.slow_s = told.slow_s, 1.5 * CUT_OFF_S
    yield
    told.slow_s = before
