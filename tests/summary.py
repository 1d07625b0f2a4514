"""Says on which databases a run's tests ran, on the terminal and, with `--summary-to`, in a file for `dev.py`."""

import json
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.databases import DATABASES, NO_POSTGRES

_ran_key: Final = pytest.StashKey[Counter[str]]()


class Tally:
    """Counts the tests that ran on each database."""

    def __init__(self) -> None:
        self.ran: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and not report.skipped:
            self.ran.update(str(kind) for name, kind in report.user_properties if name == "database")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("eckit").addoption("--summary-to", metavar="FILE", help="write the run's numbers there, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    tally = Tally()
    config.stash[_ran_key] = tally.ran
    config.pluginmanager.register(tally, "eckit-tally")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    ran = config.stash[_ran_key]
    if ran:
        terminalreporter.line("ran on " + ", on ".join(f"{kind}: {ran[kind]}" for kind in DATABASES))
    if file := config.getoption("--summary-to"):
        stats = {name: len(reports) for name, reports in terminalreporter.stats.items() if name}
        Path(file).write_text(json.dumps({"stats": stats, "ran": {kind: ran[kind] for kind in DATABASES}}))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line of a run without PostgreSQL says so."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and config.getoption("--no-postgres") and not hasattr(config, "workerinput"):
        reporter.line(NO_POSTGRES)
