"""Start the provider: ``python -m eckit_sandbox.provider --ledger FILE --secret-file FILE``."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import re
import secrets
import signal
import sys
import threading
import time
from pathlib import Path

from eckit_sandbox.provider.bodies import ACCOUNT
from eckit_sandbox.provider.clock import read_instant
from eckit_sandbox.provider.desk import Provider, Settings
from eckit_sandbox.provider.notices import Policy
from eckit_sandbox.provider.refusals import RefusalError
from eckit_sandbox.provider.server import ProviderServer


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m eckit_sandbox.provider", description=__doc__)
    parser.add_argument("--ledger", type=Path, required=True, help="SQLite file, made if it does not exist")
    parser.add_argument("--secret-file", type=Path, required=True, help="JSON with api_key and notify_secret, or new")
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free one")
    parser.add_argument("--port-file", type=Path, help="where the port is written once requests are served")
    parser.add_argument("--notify", metavar="URL", help="where notices go; this machine only")
    parser.add_argument("--notify-attempts", type=int, default=6)
    parser.add_argument("--notify-backoff", type=float, default=0.2, metavar="SECONDS")
    parser.add_argument("--mode", choices=("test", "live"), default="test")
    parser.add_argument("--account", action="append", metavar="NAME", help="may be given several times; default: shop")
    parser.add_argument("--pending-seconds", type=float, help="default: pending things wait for /control/resolve")
    parser.add_argument("--now", type=read_instant, metavar="INSTANT", help="the provider's time at the start")
    parser.add_argument("--max-seconds", type=float, default=14_400, help="end after this time; default: 4 hours")
    parser.add_argument("--parent", type=int, metavar="PID", help="end when this is not the parent any more")
    parser.add_argument("--keep-running", action="store_true", help="do not end when standard input is closed")
    options = parser.parse_args(words)
    options.account = tuple(options.account or ("shop",))
    for name in options.account:
        if not re.fullmatch(ACCOUNT, name):
            parser.error("--account: letters, digits, dots and dashes only")
    return options


def secrets_of(file: Path) -> tuple[str, str]:
    """Return (API key, notify secret) from the file, which is made, readable by its owner only, if need be."""
    if not file.exists():
        made = {"api_key": f"key_{secrets.token_hex(16)}", "notify_secret": f"whsec_{secrets.token_hex(16)}"}
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(made, out)
    known = json.loads(file.read_text(encoding="utf-8"))
    return str(known["api_key"]), str(known["notify_secret"])


def settings_of(options: argparse.Namespace) -> Settings:
    """Return the provider's settings."""
    api_key, notify_secret = secrets_of(options.secret_file)
    return Settings(
        ledger=options.ledger,
        accounts=options.account,
        mode=options.mode,
        api_key=api_key,
        notify_secret=notify_secret,
        notify_url=options.notify,
        pending_seconds=options.pending_seconds,
        policy=Policy(options.notify_attempts, options.notify_backoff),
    )


def watch(options: argparse.Namespace, ends: queue.SimpleQueue[str]) -> None:
    """Say so in ``ends`` when the parent is gone or standard input is closed."""

    def parent() -> None:
        while os.getppid() == options.parent:
            time.sleep(0.5)
        ends.put("the parent is gone")

    def standard_input() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        ends.put("standard input is closed")

    if options.parent:
        threading.Thread(target=parent, name="parent", daemon=True).start()
    if not options.keep_running:
        threading.Thread(target=standard_input, name="stdin", daemon=True).start()


def tell_port(port: int, file: Path | None) -> None:
    """Write the port to the file in one step, and print it."""
    if file is not None:
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.write_text(f"{port}\n", encoding="ascii")
        draft.replace(file)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def main(words: list[str] | None = None) -> int:
    """Serve until told to end."""
    options = arguments(words)
    provider = Provider(settings_of(options))
    if options.now is not None:
        provider.clock.set(options.now)
    server = ProviderServer(provider, options.port)
    try:
        provider.open(f"http://127.0.0.1:{server.server_port}")
    except RefusalError as refusal:
        sys.stderr.write(f"{refusal.message}\n")
        return 2
    # no event: a signal may come while the wait for it holds the lock that setting it needs
    ends: queue.SimpleQueue[str] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ends.put("a signal"))
    watch(options, ends)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="server", daemon=True).start()
    tell_port(server.server_port, options.port_file)
    with contextlib.suppress(queue.Empty):
        ends.get(timeout=options.max_seconds)
    server.shutdown()
    provider.close()
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # threads still serving or reading standard input must not delay the end
