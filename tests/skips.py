"""A skipped test must be expected: a run fails if it skips one that `tests/SKIPS.md` does not list."""

import re
from pathlib import Path
from typing import Final

import attrs
import pytest

from tests.databases import NO_POSTGRES

LIST: Final = Path(__file__).with_name("SKIPS.md")
MOST: Final = 10
_ROW: Final = re.compile(r"^\| `(?P<test>[^`]+)` \| (?P<reason>[^|]+?) +\|$", re.MULTILINE)


@attrs.frozen(order=True)
class Skip:
    """A test and why it is skipped. Parametrized cases of a test count as one."""

    test: str
    reason: str


def listed(text: str) -> frozenset[Skip]:
    """The rows of the list: ``| `tests/test_x.py::test_y` | reason |``."""
    return frozenset(Skip(row["test"], row["reason"]) for row in _ROW.finditer(text))


def seen(reports: list[pytest.TestReport | pytest.CollectReport]) -> frozenset[Skip]:
    """What a run skipped, apart from what `--no-postgres` left out."""
    skips = (Skip(report.nodeid.partition("[")[0], _reason(report)) for report in reports)
    return frozenset(skip for skip in skips if skip.reason != NO_POSTGRES)


def complaints(seen: frozenset[Skip], listed: frozenset[Skip]) -> list[str]:
    """What is wrong with a run's skips, one sentence each; none if all is well."""
    unlisted = [f"{skip.test} was skipped ({skip.reason}) but is not listed so" for skip in sorted(seen - listed)]
    too_many = [f"{len(listed)} skips are listed, more than {MOST}"] if len(listed) > MOST else []
    return unlisted + too_many


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    message = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return message.removeprefix("Skipped: ")


def _complaints(config: pytest.Config) -> list[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = [] if reporter is None else reporter.stats.get("skipped", [])
    return complaints(seen(reports), listed(LIST.read_text(encoding="utf-8")))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput") and _complaints(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if found := _complaints(config):
        terminalreporter.section(f"skips, against {LIST.parent.name}/{LIST.name}", red=True)
        for complaint in found:
            terminalreporter.line(complaint)
