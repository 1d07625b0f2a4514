"""Processes of the kit: ``python -m eckit.testing.payments.child`` starts once and makes a new process for each job.

A job is a line of JSON on standard input: a database, settings, an instant, fault points to be armed, and one flow of
the shop to run. Its process composes the shop, says that it is ready by making a file, waits for the starting gate
(another file), runs the flow and writes what came of it to a third. ``{"reap": true}`` waits for all processes and
prints how each ended. It all ends with its standard input.
"""

import contextlib
import datetime as dt
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

from moneyed import Money

from eckit.kernel import faults
from eckit.kernel.clock import FixedClock
from eckit.kernel.errors import EckitError
from eckit.kernel.ids import OrderId, PaymentId
from eckit.kernel.money import from_minor
from eckit.kernel.secrets import Secret
from eckit.payment.model import CardToken, PaymentResult, StoredInstrument
from eckit.shop import Shop
from eckit.testing.payments.bench import RETURN_URL, compose, load
from eckit.testing.payments.seeding import STAFF

GATE_LIMIT_S: Final = 20.0


def main() -> None:
    """Make processes until standard input ends."""
    running: dict[int, int] = {}
    for line in sys.stdin:
        job = json.loads(line)
        if "reap" in job:
            print(json.dumps({number: _ended(pid) for number, pid in running.items()}), flush=True)  # noqa: T201
            running.clear()
            continue
        _warm_up(job["plugins"])
        pid = os.fork()
        if pid == 0:
            try:
                _run(job)
            finally:
                os._exit(70)  # only if _run was left by an exception that it does not know
        running[job["number"]] = pid


def _warm_up(plugins: list[str]) -> None:
    """Import here, once, what each process would have to import for itself."""
    load(plugins)
    for name in ("httpx2", "httpcore2", "psycopg", "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql"):
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(name)


def _ended(pid: int) -> int:
    """A process's exit code; minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _run(job: dict[str, Any]) -> None:
    clock = FixedClock(dt.datetime.fromisoformat(job["now"]))
    plugins = load(job["plugins"])
    shop = compose(job["url"], job["settings"], plugins, clock, tuple(job["currencies"]), allow=tuple(job["allow"]))
    faults.arm_from({"ECKIT_FAULTS": job["faults"]})
    Path(job["ready"]).touch()
    _wait_for(Path(job["gate"]))
    try:
        told = _told(_call(shop, job))
    except EckitError as error:
        told = {"error": error.code}
    Path(job["result"]).write_text(json.dumps(told), encoding="utf-8")
    shop.close()
    os._exit(0)


def _wait_for(gate: Path) -> None:
    until = time.monotonic() + GATE_LIMIT_S
    while not gate.exists():
        if time.monotonic() > until:
            os._exit(71)
        time.sleep(0.001)


def _call(shop: Shop, job: dict[str, Any]) -> object:
    arguments = job["arguments"]
    match job["flow"]:
        case "take_payment":
            instrument = _instrument(arguments["instrument"])
            order_id = OrderId(arguments["order_id"])
            return shop.take_payment(STAFF, order_id, instrument=instrument, return_url=RETURN_URL)
        case "capture_payment":
            return shop.capture_payment(STAFF, PaymentId(arguments["payment_id"]))
        case "void_payment":
            return shop.void_payment(STAFF, PaymentId(arguments["payment_id"]))
        case "refund_payment":
            payment_id, amount = PaymentId(arguments["payment_id"]), _money(arguments["amount"])
            return shop.refund_payment(STAFF, payment_id, amount, key=arguments["key"], reason="conformance")
        case "chase":
            return shop.chase()
    raise ValueError(job["flow"])


def _money(given: list[Any]) -> Money:
    return from_minor(given[0], given[1])


def _instrument(given: dict[str, str] | None) -> CardToken | StoredInstrument | None:
    if given is None:
        return None
    if "token" in given:
        return CardToken(token=Secret(given["token"]))
    return StoredInstrument(reference=given["reference"])


def _told(result: object) -> dict[str, str]:
    return {"state": result.status.state.value} if isinstance(result, PaymentResult) else {}


if __name__ == "__main__":
    main()
