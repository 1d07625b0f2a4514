"""Every parameter of every public verb, and every field of a fact in it, with what it can never be and what is strange.

The verbs are those of the library itself, so that none can be forgotten.
"""

import datetime as dt
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from eckit import Actor, EckitError, InvalidInputError
from eckit.kernel.database import ConstraintError, DatabaseUnavailableError, OutOfRangeError
from eckit.kernel.errors import BusyError, PluginError
from eckit.kernel.secrets import MASK
from tests.acceptance.fingerprint import fingerprint
from tests.acceptance.good_arguments import arguments, facts
from tests.acceptance.scene import Scene
from tests.acceptance.sweeping import LONG, NEVER, ODD, SECRET, Bad, bad_values, operations, parameters
from tests.acceptance.trial import STAFF, Trial

NO_INPUT: Final = {
    "check": "takes nothing",
    "close": "takes nothing",
    "expire_holds": "takes nothing",
    "purge": "takes nothing",
    "catalog.analyze": "takes nothing",
    "catalog.categories": "takes nothing",
    "catalog.price_lists": "takes nothing",
    "stock.expire": "takes nothing",
    "stock.locations": "takes nothing",
}
"""Verbs that are not swept, and why."""

OF_THE_HOST: Final = {
    "compose": "settings and plugins; tests/kernel/test_settings.py and tests/kernel/test_composing.py",
    "join": "a connection; tests/kernel/test_joining.py",
}
"""What a program gives and no request: tested where it is made."""

HASHING: Final = frozenset({"customer.register", "customer.sign_in"})
FEW: Final = {**ODD, str: ("", "=1+1", "１２３")}
"""For verbs that take their time over whatever they are given."""

ACCIDENTS: Final = (ConstraintError, OutOfRangeError, DatabaseUnavailableError, BusyError, PluginError)
"""What a database or a plugin says of a value that should never have come so far."""


class _UndoError(Exception):
    """It was taken: give it back."""


def test_every_verb_is_swept_or_has_no_input(trial: Trial) -> None:
    """A new verb is swept at once; a reason for not sweeping one is given only where there is nothing to sweep."""
    scene = Scene.of(trial)
    pool = facts(scene)
    without = {name for name in operations() if not any(_probes(name, NEVER, pool))}

    assert without - set(OF_THE_HOST) == set(NO_INPUT)
    assert set(OF_THE_HOST) <= set(operations())


def test_good_arguments_are_no_bad_input(trial: Trial) -> None:
    """What is spoiled was good before: with few exceptions no verb finds anything wrong with the input itself."""
    scene = Scene.of(trial)
    pool = facts(scene)
    wrong = set()
    for name in _swept():
        try:
            _ask(scene, name, arguments(name, scene, pool))
        except InvalidInputError:
            wrong.add(name)
        except (EckitError, _UndoError):
            continue  # taken, or refused for what it would do

    no_plugin_registers_one = {name for name in wrong if name.endswith(".save_facet")}
    assert wrong - no_plugin_registers_one == {"cart.remove_group"}  # the only delivery there is


def test_what_can_never_be_is_refused_by_name(trial: Trial) -> None:
    """INJ-01, ENC-01, ACC-04: halves of surrogate pairs, NUL, overlong text, wrong types: path, value, nothing written.

    ``NaN``, numbers beyond 64 bits, text for a number, naive instants and ids of another kind are among them.
    """
    scene = Scene.of(trial)
    pool = facts(scene)
    before = _tables(trial)
    wrong = [
        f"{name}: {bad}: {complaint}"
        for name in _swept()
        for bad, complaint in _answers(scene, name, NEVER, pool, _of_refusal)
        if complaint
    ]

    assert [] == wrong
    assert {} == _changed(before, _tables(trial))


def test_what_is_strange_is_answered_on_purpose(trial: Trial) -> None:
    """ACC-06: empty text, formulas, full-width digits, markup, absurd numbers: no verb leaves it to the database."""
    scene = Scene.of(trial)
    pool = facts(scene)
    wrong = [
        f"{name}: {bad}: {complaint}"
        for name in _swept()
        for bad, complaint in _answers(scene, name, FEW if name in HASHING else ODD, pool, _of_accident)
        if complaint
    ]

    assert [] == wrong
    assert [] == trial.audit()


# --- asking ----------------------------------------------------------------------------------------------------------


def _swept() -> list[str]:
    return [name for name in operations() if name not in {*NO_INPUT, *OF_THE_HOST}]


def _probes(name: str, values: Mapping[Any, tuple[Any, ...]], pool: Mapping[Any, Any]) -> Iterator[Bad]:
    """Bad values for each parameter; the fields of an actor are spoiled where every actor comes in."""
    spoiled = {**pool, Actor: STAFF} if name in {"read", "write"} else pool
    for parameter, hint in parameters(operations()[name]).items():
        yield from bad_values(parameter, hint, spoiled, values)


def _answers(
    scene: Scene,
    name: str,
    values: Mapping[Any, tuple[Any, ...]],
    pool: Mapping[Any, Any],
    judge: Callable[[Bad, Exception | None], str],
) -> Iterator[tuple[Bad, str]]:
    """Each bad value of a verb with what is wrong about the answer to it; empty if nothing."""
    good = arguments(name, scene, pool)
    for bad in _probes(name, values, pool):
        try:
            _ask(scene, name, good | {bad.parameter: bad.value})
        except _UndoError:
            yield bad, judge(bad, None)
        except Exception as error:  # noqa: BLE001 - whatever comes is what is judged
            yield bad, judge(bad, error)
        else:
            yield bad, judge(bad, None)


def _ask(scene: Scene, name: str, given: Mapping[str, Any]) -> None:
    """Ask a verb; what a verb of a desk has written is given back."""
    desk, _, verb = name.rpartition(".")
    if name in {"read", "write"}:
        with getattr(scene.trial.shop, name)(**given) as work:
            work.channel.setup()
    elif not desk:
        _to_its_end(getattr(scene.trial.shop, verb)(**given))
    else:
        with scene.trial.shop.write(STAFF) as work:
            _to_its_end(getattr(getattr(work, desk), verb)(**given))
            raise _UndoError


def _to_its_end(answer: object) -> None:
    if inspect.isgenerator(answer):
        list(answer)


# --- judging ---------------------------------------------------------------------------------------------------------


def _of_refusal(bad: Bad, error: Exception | None) -> str:
    """It must be refused as input, by the name of the field, showing the value unless it is a secret."""
    if not isinstance(error, InvalidInputError):
        return "accepted" if error is None else f"{type(error).__name__}: {error}"[:150]
    texts = [error.text(locale) for locale in ("en", "ja")]
    for text in texts:
        text.encode()  # half of a pair in it could not be sent to anybody
        if "problem." in text:
            return f"no text: {text}"
    about = [problem for problem in error.problems if bad.field in problem.path]
    if not about:
        return f"names {[problem.path for problem in error.problems]}"
    if bad.field in SECRET:
        return "" if all(problem.value == MASK for problem in about) else f"shows {about[0].value!r}"
    return "" if any(_shows(problem.value, bad.culprit) for problem in about) else f"shows {about[0].value!r}"


def _shows(shown: str, culprit: object) -> bool:
    """Whether what is shown is the value: its beginning, its type where it is no short text, or its bad character."""
    if isinstance(culprit, str) and culprit != LONG and not culprit.isprintable():
        return shown in {"U+D800", "U+0000"} or "\ufffd" in shown or "␀" in shown
    written = culprit.isoformat() if isinstance(culprit, dt.datetime) else str(culprit)
    return shown == type(culprit).__name__ or (bool(shown) and written.startswith(shown[:10]))


def _of_accident(_: Bad, error: Exception | None) -> str:
    """It may be taken or refused, but by the verb: not by the database, not by Python."""
    if error is None or (isinstance(error, EckitError) and not isinstance(error, ACCIDENTS)):
        return ""
    return f"{type(error).__name__}: {error}"[:150]


def _tables(trial: Trial) -> dict[str, str]:
    with trial.shop.database.reading() as connection:
        return fingerprint(connection)


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    return {table: rows for table, rows in after.items() if rows != before[table]}
