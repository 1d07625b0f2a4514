"""Whatever payment says, it says in English and Japanese."""

import re
from pathlib import Path

import pytest

import eckit.payment
from eckit.kernel import texts
from eckit.payment import errors
from eckit.payment.rules import DECLINE_CODES

ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__module__ == errors.__name__]
SOURCES = [
    *Path(eckit.payment.__file__).parent.rglob("*.py"),
    *(
        Path(eckit.payment.__file__).parent.parent / "flows" / f"{name}.py"
        for name in ("ask_gateway", "take_payment", "move_money", "refund_payment", "receive_notice")
    ),
]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_text_is_there(language: str) -> None:
    """Each error, problem, objection and decline code has a text of its own in both languages."""
    source = "".join(path.read_text() for path in SOURCES)
    wanted = {f"error.{kind.code}" for kind in ERRORS} | {f"decline.{code}" for code in DECLINE_CODES}
    wanted |= {f"problem.{code}" for code in re.findall(r'invalid\(\s*"(payment-[a-z-]+|card-number)"', source)}
    wanted |= {f"objection.{code}" for code in re.findall(r'Objection\(code="(payment-[a-z-]+)"', source)}
    assert set() == wanted - texts.keys(language)


@pytest.mark.parametrize("code", sorted(DECLINE_CODES))
def test_a_decline_tells_the_buyer_nothing_of_the_bank(code: str) -> None:
    """No raw code, no word of suspicion: what to do next."""
    said = texts.say(f"decline.{code}", "en") + texts.say(f"decline.{code}", "ja")
    assert not re.search(r"fraud|stolen|lost|盗難|不正|[0-9]{2}", said)
