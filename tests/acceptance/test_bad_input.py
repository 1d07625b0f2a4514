"""Bad input gets a typed error that names field and value, and changes nothing; case by case."""

import re
import sys
from typing import Final

import pytest

from eckit import EckitError, ImportRefusedError, InvalidInputError, NotFoundError
from tests.acceptance.bad_answers import ANSWERS
from tests.acceptance.bad_cases import CASES
from tests.acceptance.fingerprint import fingerprint
from tests.acceptance.scene import AnsweredError, Case, Scene
from tests.acceptance.sweeping import operations
from tests.acceptance.trial import Trial

_ID: Final = re.compile(r"\b([a-z]{3})_[0-9a-hjkmnp-tv-z]{26}\b")
_NO_VERBS: Final = frozenset({"CardToken", "Ref.parse"})
"""What is made before a verb is asked, and refuses by itself."""


def test_there_are_enough_of_them() -> None:
    """At least sixty, each of a verb there is and with an answer of its own; printed."""
    names = [_name(case) for case in CASES]
    for verb in sorted({verb for verb, _, _ in CASES}):
        sys.stdout.write(f"{verb}: {'; '.join(what for name, what, _ in CASES if name == verb)}\n")
    assert len(names) >= 60
    assert sorted(names) == sorted(ANSWERS)
    assert {verb for verb, _, _ in CASES} <= set(operations()) | _NO_VERBS


def test_bad_input_is_refused_and_changes_nothing(trial: Trial) -> None:
    """ACC-04, ACC-06, ACC-09, ENC-07: each refusal names field and value; all tables are as before."""
    scene = Scene.of(trial)
    with trial.shop.database.reading() as connection:
        before = fingerprint(connection)
    answers = {_name(case): _answer(scene, case) for case in CASES}

    with trial.shop.database.reading() as connection:
        after = fingerprint(connection)
    assert answers == ANSWERS
    assert {} == {table: rows for table, rows in after.items() if rows != before[table]}


def _name(case: Case) -> str:
    verb, what, _ = case
    return f"{verb} ({what})"


def _answer(scene: Scene, case: Case) -> str:
    """What a case is answered: of input ``field = value``, ids without their digits; of other refusals the code."""
    _, _, call = case
    try:
        call(scene)
    except EckitError as error:
        return _said(error)
    except Exception as error:  # noqa: BLE001 - everything else is the failure this test looks for
        return f"{type(error).__name__}: {error}"[:150]
    return "accepted"


def _said(error: EckitError) -> str:
    if isinstance(error, InvalidInputError):
        return "; ".join(f"{problem.path} = {_short(problem.value)}" for problem in error.problems)
    if isinstance(error, ImportRefusedError):
        return "; ".join(f"line {one.line}: {one.path} = {_short(one.value)}" for one in error.report.problems)
    if isinstance(error, NotFoundError):
        return f"no {error.kind} {_short(error.id)}".strip()
    if isinstance(error, AnsweredError):
        return f"answered {error.status}"
    return f"refused: {error.code}"


def _short(value: str) -> str:
    return _ID.sub(r"\1_…", value)[:20]


@pytest.mark.parametrize("locale", ["en", "ja"])
def test_each_refusal_can_be_read(trial: Trial, locale: str) -> None:
    """ACC-15: each has a text; none shows SQL, a path of the machine, a class's name or a secret."""
    scene = Scene.of(trial)
    secrets = (scene.order.token, scene.cart.token, *scene.guest.tokens, "4111111111111111", "wrong password")
    forbidden = ("select ", "insert ", "sqlite", "psycopg", "traceback", "/src/", "eckit.", "problem.", "error.")
    shown: list[str] = []
    for _, _, call in CASES:
        try:
            call(scene)
        except AnsweredError:
            continue
        except EckitError as error:
            shown.append(error.text(locale))

    assert [] == [text for text in shown if any(word in text.lower() for word in forbidden)]
    assert [] == [text for text in shown if any(secret in text for secret in secrets)]
    assert all(shown)
