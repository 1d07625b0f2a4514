"""Real processes that share a bench's database, to race with each other and to be killed."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from eckit.kernel.ids import PaymentId
from eckit.order.model import Order
from eckit.payment.model import CardToken, Instrument, Payment, StoredInstrument
from eckit.testing.payments.bench import Bench, CheckFailedError

READY_LIMIT_S: Final = 20.0
KILLED: Final = -9


@attrs.frozen(kw_only=True)
class Job:
    """One flow of the shop, to be run by a process of its own.

    :ivar faults: what to arm, as ``ECKIT_FAULTS`` says it: ``capture.after_sent=kill``.
    """

    flow: str
    arguments: Mapping[str, Any] = attrs.field(factory=dict, hash=False)
    faults: str = ""


@attrs.frozen(kw_only=True)
class Ended:
    """How a process ended: its exit code (minus the signal), and the payment's state or the error's code."""

    code: int
    state: str = ""
    error: str = ""


class Nursery:
    """Makes processes that are ready within milliseconds; a context manager, started when it is first used."""

    def __init__(self) -> None:
        self._mother: subprocess.Popen[str] | None = None
        self._stack = contextlib.ExitStack()
        self._place = Path()
        self._jobs = 0

    def close(self) -> None:
        """End the mother of the processes, and with her all of them."""
        self._stack.close()
        if self._mother is not None:
            self._mother.communicate()
            self._mother = None

    def run(self, bench: Bench, *jobs: Job) -> list[Ended]:
        """Start a process for each job, let them begin at the same instant, and wait for all.

        :raises CheckFailedError: a process did not get ready, or ended in no known way.
        """
        gate = self._path("gate")
        told = [self._start(bench, job, gate) for job in jobs]
        _wait_until_ready([ready for _, ready, _ in told])
        gate.touch()
        codes = self._reap()
        return [_ended(codes[str(number)], result) for number, _, result in told]

    def _start(self, bench: Bench, job: Job, gate: Path) -> tuple[int, Path, Path]:
        self._jobs += 1
        ready, result = self._path("ready"), self._path("result")
        self._say(
            {
                "number": self._jobs,
                "url": bench.url,
                "settings": bench.harness.settings(bench.proxy.url),
                "plugins": bench.harness.plugins,
                "currencies": bench.currencies,
                "allow": [bench.proxy.host],
                "now": bench.clock.now().isoformat(),
                "faults": job.faults,
                "flow": job.flow,
                "arguments": job.arguments,
                "gate": str(gate),
                "ready": str(ready),
                "result": str(result),
            }
        )
        return self._jobs, ready, result

    def _path(self, what: str) -> Path:
        self._open()
        return Path(tempfile.mktemp(prefix=f"{what}-", dir=self._place))  # noqa: S306 -- in a directory of our own

    def _open(self) -> subprocess.Popen[str]:
        if self._mother is None:
            self._place = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="eckit-kit-")))
            path = os.pathsep.join(filter(None, sys.path))
            command = [sys.executable, "-m", "eckit.testing.payments.child"]
            environment = {name: value for name, value in os.environ.items() if not name.startswith("ECKIT_FAULTS")}
            self._mother = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment | {"PYTHONPATH": path},
            )
        return self._mother

    def _say(self, line: Mapping[str, Any]) -> None:
        pipe = self._open().stdin
        if pipe is None:
            raise CheckFailedError("the processes' mother has no standard input")
        pipe.write(json.dumps(line) + "\n")
        pipe.flush()

    def _reap(self) -> dict[str, int]:
        self._say({"reap": True})
        pipe = self._open().stdout
        line = "" if pipe is None else pipe.readline()
        if not line:
            raise CheckFailedError("the processes' mother is gone")
        codes: dict[str, int] = json.loads(line)
        return codes


def _wait_until_ready(files: Sequence[Path]) -> None:
    until = time.monotonic() + READY_LIMIT_S
    while not all(file.exists() for file in files):
        if time.monotonic() > until:
            raise CheckFailedError("a process did not get ready; its last words are on standard error")
        time.sleep(0.002)


def _ended(code: int, result: Path) -> Ended:
    if code == 0:
        return Ended(code=code, **json.loads(result.read_text(encoding="utf-8")))
    if code != KILLED:
        raise CheckFailedError(f"a process ended with {code}; its last words are on standard error")
    return Ended(code=code)


# -- jobs -------------------------------------------------------------------------------------------------------------


def taking(order: Order, instrument: Instrument | None, faults: str = "") -> Job:
    """Take the payment of an order."""
    return Job(flow="take_payment", arguments={"order_id": order.id, "instrument": _plain(instrument)}, faults=faults)


def capturing(payment: Payment, faults: str = "") -> Job:
    """Capture all that is reserved."""
    return Job(flow="capture_payment", arguments={"payment_id": payment.id}, faults=faults)


def voiding(payment: Payment, faults: str = "") -> Job:
    """Release all that is reserved."""
    return Job(flow="void_payment", arguments={"payment_id": payment.id}, faults=faults)


def refunding(payment: Payment, minor: int, key: str, faults: str = "") -> Job:
    """Give so much back."""
    arguments = {"payment_id": PaymentId(payment.id), "amount": [minor, payment.currency], "key": key}
    return Job(flow="refund_payment", arguments=arguments, faults=faults)


def _plain(instrument: Instrument | None) -> dict[str, str] | None:
    match instrument:
        case CardToken():
            return {"token": instrument.token.reveal()}
        case StoredInstrument():
            return {"reference": instrument.reference}
    return None
