"""Shops on trial, on both databases, with one sandbox provider for all tests of a worker."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from eckit.cli.notices import NoticeServer
from eckit_sandbox import SandboxProcess
from tests.acceptance.hearing import hearing
from tests.acceptance.lab import Lab, Labs
from tests.acceptance.stage import Bases
from tests.acceptance.trial import Trial
from tests.databases import Server


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A provider in a process of its own."""
    with SandboxProcess(tmp_path_factory.mktemp("sandbox")) as process:
        yield process


@pytest.fixture
def provider(sandbox_process: SandboxProcess) -> SandboxProcess:
    """The provider, which has forgotten everything before this test."""
    sandbox_process.reset()
    sandbox_process.clear()
    return sandbox_process


@pytest.fixture
def begun(migrated_url: str) -> Iterator[Callable[..., Trial]]:
    """Makes a shop on this test's database; closed at the end."""
    made: list[Trial] = []

    def begin(provider: Any = None, **options: Any) -> Trial:
        made.append(Trial.begun(migrated_url, provider, migrated=True, **options))
        return made[-1]

    yield begin
    for trial in made:
        trial.shop.close()


@pytest.fixture
def trial(begun: Callable[..., Trial], provider: SandboxProcess) -> Trial:
    """A shop with a provider to pay at."""
    return begun(provider)


@pytest.fixture
def heard(trial: Trial) -> Iterator[NoticeServer]:
    """The trial's shop hears notices by HTTP."""
    with hearing(trial) as server:
        yield server


@pytest.fixture(scope="session")
def bases(
    database_server: Server, sandbox_process: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bases]:
    """Shops to copy."""
    made = Bases(database_server, sandbox_process, tmp_path_factory.mktemp("bases"))
    yield made
    made.drop()


@pytest.fixture(scope="module")
def labs(database_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labs]:
    """Shops with a plugin that goes wrong when told to, one on each database for a whole file of tests.

    Whatever went wrong in them, the auditor finds nothing in the end.
    """
    made = Labs(database_server, tmp_path_factory.mktemp("labs"))
    yield made
    found = made.audit()
    made.close()
    assert [] == found


@pytest.fixture
def lab(labs: Labs, database: str) -> Lab:
    """The shop on this test's database, in which the plugin behaves again."""
    return labs.of(database)
