"""Known failures around the purchase: clocks, files, forged notices, what a cart still opens afterwards."""

import datetime as dt
import logging
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from eckit import RawRequest
from eckit.cli.notices import NoticeServer
from tests.acceptance.trial import METHOD, START, Trial

ROOT = Path(__file__).parents[2]

_TRACED = """
import json, os, sys
writes = []

def watch(event, arguments):
    wanted = os.O_WRONLY | os.O_RDWR | os.O_CREAT
    if event == "open" and isinstance(arguments[0], (str, bytes)) and arguments[2] & wanted:
        writes.append(os.fsdecode(arguments[0]))

sys.addaudithook(watch)
os.chdir(sys.argv[2])
from eckit import Actor
from tests.acceptance.trial import STAFF, Place, card, filled, open_shop
shop = open_shop(Place.of(sys.argv[1]))
buyer, order = filled(shop, [("TEA-50", 1)]).placed()
paid = shop.take_payment(buyer, order.id, instrument=card(), return_url="https://shop.example/return")
assert paid.status.state.value == "authorized", paid
[parcel] = shop.ship_order(STAFF, order.id, number="1234567890")
shop.record_delivery(STAFF, order.id, parcel_id=parcel.id)
shop.relay_events()
shop.send_mails()
shop.audit(STAFF)
shop.close()
print(json.dumps(writes))
"""


def test_nothing_is_written_but_the_database(trial: Trial, tmp_path: Path) -> None:
    """SEC-08: a library writes no files unless it is given a place: ordering, paying, shipping, mails and audit in a
    read-only folder, every opening of a file traced (who is root could write there all the same): none for writing.
    """
    trial.goods("TEA-50", 648, 5)
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o555)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, "-c", _TRACED, trial.place.to_json(), str(folder)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )

    assert 0 == done.returncode, done.stderr
    assert "[]" == done.stdout.strip().splitlines()[-1]
    assert [] == list(folder.iterdir())


@pytest.mark.parametrize("minutes", [-10, -4, 4, 10])
def test_a_wrong_clock_is_noticed(trial: Trial, minutes: int, caplog: pytest.LogCaptureFixture) -> None:
    """TIM-03: within the tolerance notices are believed, outside refused; either way a warning names the skew."""
    trial.goods("TEA-50", 648, 5)
    buyer, order = trial.order(("TEA-50", 1))
    trial.provider.set_clock(START - dt.timedelta(minutes=minutes))
    with NoticeServer().serving() as server, caplog.at_level(logging.WARNING, "eckit.payment.gateway"):
        server.shop = trial.shop
        statuses: list[int] = []
        answer = server.answer
        server.answer = lambda gateway, raw: _noted(statuses, answer(gateway, raw))  # type: ignore[method-assign]
        trial.provider.notify(server.url)
        trial.pay(buyer, order)
        trial.provider.wait_for_notices(2)
        trial.provider.notify(None)
        trial.provider.clear()

    assert {200 if abs(minutes) < 5 else 400} == {200 if status == 200 else 400 for status in statuses}
    found = [re.search(r"clock is ([+-]\d+) s off", record.getMessage()) for record in caplog.records]
    named = {int(one[1]) for one in found if one}
    assert named
    assert all(abs(skew - minutes * 60) <= 5 for skew in named), named


def _noted(statuses: list[int], answer: tuple[int, bytes]) -> tuple[int, bytes]:
    statuses.append(answer[0])
    return answer


def test_any_signature_is_refused_alike(trial: Trial) -> None:
    """PAY-06: a thousand signature headers of any bytes: one and the same refusal, and never an exception."""
    chance = random.Random(7)
    headers = ["", "t=1", "v1=", "t=1,v1=" + "é" * 64, "x" * 10_000, "t=9999999999999999,v1=" + "0" * 64]
    headers += ["".join(chr(chance.randrange(256)) for _ in range(chance.randrange(80))) for _ in range(1_000)]

    answers = {
        trial.shop.receive_notice(METHOD, RawRequest(body=b"{}", headers={"sandbox-signature": header}))
        for header in headers
    }

    assert 1 == len(answers)
    assert 400 <= next(iter(answers)).status < 500
