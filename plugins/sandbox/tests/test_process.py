"""The child process: quick to start, restartable, and never left behind."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from eckit_sandbox.client import Client, NotSentError
from eckit_sandbox.process import SandboxError, SandboxProcess


def sell(client: Client, provider: SandboxProcess, reference: str, token: str = "tok_ok") -> None:
    mine = Client(client.transport, provider.base_url, provider.account, provider.api_key)
    mine.begin(reference=reference, amount=9, currency="JPY", token=token, capture=True)


def ended(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody has collected does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_killed_provider_comes_back_with_everything(tmp_path: Path, client: Client) -> None:
    """After ``kill -9`` the ledger is complete, and port, key and secret are the same."""
    with SandboxProcess(tmp_path / "p") as provider:
        before = (provider.base_url, provider.api_key, provider.secret)
        for number in range(20):
            sell(client, provider, f"r{number}")
        provider.kill()
        assert len(provider.ledger()) == 20
        with pytest.raises(NotSentError):
            sell(client, provider, "r20")
        provider.start()
        assert (provider.base_url, provider.api_key, provider.secret) == before
        sell(client, provider, "r0")
        assert len(provider.ledger()) == 20


def test_reset_forgets_everything(tmp_path: Path, client: Client) -> None:
    """After a reset the provider is as new, but for its address and secrets; what was pending never comes."""
    with SandboxProcess(tmp_path / "p", pending_seconds=0.1) as provider:
        before = (provider.base_url, provider.api_key, provider.secret)
        sell(client, provider, "r1")
        sell(client, provider, "r2", token="tok_pending_ok")
        provider.script({"do": "rate_limit"})
        provider.set_clock(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        provider.notify("http://127.0.0.1:9/")
        provider.reset()
        time.sleep(0.2)
        state = provider.state()
        assert (provider.ledger(), provider.requests(), state["rules"], state["notices"]) == ((), [], [], [])
        assert (state["notify_url"], state["now"] > "2025") == (None, True)
        sell(client, provider, "r1")
        assert [entry.payment for entry in provider.ledger()] == ["r1"]
        assert (provider.base_url, provider.api_key, provider.secret) == before
        assert "Traceback" not in (provider.directory / "provider.log").read_text(encoding="utf-8")


def test_stopping_twice_is_harmless(tmp_path: Path) -> None:
    """Starting twice is an error; stopping is not."""
    provider = SandboxProcess(tmp_path / "p")
    provider.start()
    pid = provider.pid
    with pytest.raises(SandboxError, match="running already"):
        provider.start()
    provider.stop()
    provider.stop()
    provider.kill()
    assert ended(pid, 1)
    with pytest.raises(SandboxError, match="not running"):
        _ = provider.pid
    provider.remove()
    assert not provider.directory.exists()


def test_secrets_are_for_the_owner_only(provider: SandboxProcess) -> None:
    """The file with key and secret is not readable by others."""
    assert (provider.directory / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_failed_start_tells_why(tmp_path: Path) -> None:
    """The child's last words are in the error."""
    with pytest.raises(SandboxError, match="this machine only"):
        SandboxProcess(tmp_path / "p", "http://example.com/").start()


def test_hanging_answers_do_not_delay_the_end(provider: SandboxProcess, client: Client) -> None:
    """A provider in the middle of a long misbehavior still stops at once."""
    provider.script({"do": "act_then_hang(60)"})
    impatient = Client(client.transport, provider.base_url, "shop", provider.api_key, timeout=0.1)
    with pytest.raises(Exception, match="TimeoutError"):
        impatient.query("r1")
    began = time.monotonic()
    provider.stop()
    assert time.monotonic() - began < 2


def test_provider_ends_when_its_input_is_closed(tmp_path: Path) -> None:
    """Started by hand, it ends with the pipe it was given."""
    with started_by_hand(tmp_path) as child:
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(3) == 0


def test_provider_ends_by_itself_after_its_time(tmp_path: Path) -> None:
    """Nothing is left behind by a forgotten demo."""
    with started_by_hand(tmp_path, "--max-seconds", "0.3") as child:
        assert child.wait(3) == 0


def test_provider_ends_on_a_signal(tmp_path: Path) -> None:
    """``kill`` ends it in good order."""
    with started_by_hand(tmp_path) as child:
        child.send_signal(signal.SIGTERM)
        assert child.wait(3) == 0


def test_a_signal_in_the_middle_of_waiting_ends_it(tmp_path: Path) -> None:
    """It comes at every step that the main thread takes in waiting, as it may; it is never waited for twice."""
    code = f"""
import os, signal, sys
from eckit_sandbox.provider.__main__ import main

def at_each_step(frame, *_):
    handler = signal.getsignal(signal.SIGTERM)
    if callable(handler) and frame.f_code.co_filename.endswith(("threading.py", "queue.py", "__main__.py")):
        handler(signal.SIGTERM, frame)
    return at_each_step

sys.settrace(at_each_step)
os._exit(main(["--ledger", {str(tmp_path / "ledger")!r}, "--secret-file", {str(tmp_path / "secret")!r}]))
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        try:
            assert child.wait(20) == 0
        finally:
            child.kill()


@contextmanager
def started_by_hand(folder: Path, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    port_file = folder / "port"
    command = [sys.executable, "-m", "eckit_sandbox.provider", "--ledger", str(folder / "ledger")]
    command += ["--secret-file", str(folder / "secret"), "--port-file", str(port_file), *more]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline().strip() == port_file.read_bytes().strip()
            yield child
        finally:
            child.kill()


def test_provider_ends_with_its_parent(tmp_path: Path) -> None:
    """When the process that started it is killed, the provider goes, though a sibling holds the pipe open."""
    code = f"""
import os, sys, time
from eckit_sandbox.process import SandboxProcess
provider = SandboxProcess({str(tmp_path / "p")!r})
provider.start()
sibling = os.fork()
if sibling == 0:
    time.sleep(30)
    os._exit(0)
print(provider.pid, sibling, flush=True)
time.sleep(30)
"""
    parent = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout:
        pid, sibling = (int(word) for word in parent.stdout.readline().split())
    try:
        parent.kill()
        parent.wait()
        assert ended(pid, 3)
    finally:
        os.kill(sibling, signal.SIGKILL)


def test_provider_imports_the_standard_library_only() -> None:
    """It shares no code with the shop it is compared with, which also keeps its start quick."""
    code = """
import sys
before = set(sys.modules)
import eckit_sandbox.provider.__main__
strange = {name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)
print(*sorted(strange))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["eckit_sandbox"]
