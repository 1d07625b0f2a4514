"""A. Declaration: settings and references."""

import random
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from unittest import mock

import attrs

from eckit.kernel.errors import InvalidInputError
from eckit.kernel.ids import PaymentId
from eckit.kernel.secrets import Secret
from eckit.kernel.settings import plugin_settings
from eckit.payment import rules
from eckit.payment.model import ChecksConfig, OperationKind
from eckit.testing.payments import mishaps
from eckit.testing.payments.asking import BUYER, CapturingIo, Direct, ask, renamed
from eckit.testing.payments.bench import Bench, CheckFailedError, expect, load
from eckit.testing.payments.registry import check
from eckit.testing.payments.seeding import SHOP

MANY: Final = 10_000
SOME: Final = 1_000
FEW: Final = 100
_LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM: Final = random.Random()  # noqa: S311 -- other names every time, and no secret


@check("A")
def c02_settings_are_checked_offline(bench: Bench) -> None:
    """Where a gateway checks its settings, it does so without any network, names each secret that is missing, and
    shows none."""
    for plugin in load(bench.harness.plugins):
        table = bench.harness.settings(bench.proxy.url).get(plugin.name)
        if table is None or not hasattr(plugin, "register_settings"):
            continue
        secrets = _secret_names(_settings(plugin, table))
        with _offline():
            expect(not _complaints(plugin, table), "complete settings are complained about")
            for missing in [(name,) for name in secrets] + ([tuple(secrets)] if len(secrets) > 1 else []):
                told = _complaints(plugin, {key: value for key, value in table.items() if key not in missing})
                for name in missing:
                    expect(any(path.endswith(f".{name}") for path, _ in told), f"a missing {name} is not named")
                for name in secrets:
                    shown = [text for _, text in told if str(table[name]) in text]
                    expect(not shown, f"{name} is shown while {', '.join(missing)} is missing")


def _settings(plugin: Any, table: Mapping[str, Any]) -> Any:
    return plugin_settings(plugin.register_settings(), plugin.name, dict(table))


def _secret_names(settings: Any) -> list[str]:
    return [field.name for field in attrs.fields(type(settings)) if isinstance(getattr(settings, field.name), Secret)]


def _complaints(plugin: Any, table: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Path and full text of every problem with these settings."""
    try:
        settings = _settings(plugin, table)
    except InvalidInputError as error:
        return [(problem.path, repr(problem)) for problem in error.problems]
    gateways = plugin.register_payment_gateways(settings=settings)
    problems = [one for gateway in gateways if isinstance(gateway, ChecksConfig) for one in gateway.check_config()]
    return [(problem.path, f"{problem!r} {problem.text('en')} {problem.text('ja')}") for problem in problems]


@contextmanager
def _offline() -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise CheckFailedError("the settings are not checked offline: a connection was tried")

    with mock.patch.object(socket.socket, "connect", refuse), mock.patch.object(socket, "getaddrinfo", refuse):
        yield


@check("A")
def c06_references_are_kept_as_they_are(bench: Bench) -> None:
    """References are deterministic and no two operations share one, also by the time they reach the provider; they
    fit what is declared and say nothing about a person."""
    capabilities = bench.capabilities
    seen: dict[str, tuple[PaymentId, OperationKind]] = {}
    ids = [_random_id() for _ in range(MANY)]
    for number, payment_id in enumerate(ids):
        kind = (OperationKind.BEGIN, OperationKind.CAPTURE, OperationKind.REFUND, OperationKind.VOID)[number % 4]
        name = rules.reference(capabilities, SHOP, payment_id, kind, 2)
        expect(seen.setdefault(name, (payment_id, kind)) == (payment_id, kind), f"two operations are called {name}")
        expect(len(name) <= capabilities.reference_max, f"{name} is longer than {capabilities.reference_max}")
    _reach_the_provider(bench, ids)


def _reach_the_provider(bench: Bench, ids: list[PaymentId]) -> None:
    direct = Direct(bench)
    plain = direct.begin_op()
    io = CapturingIo(bench)
    ask(bench.gateway, io, plain)
    send = _captured if io.requests else _refused
    wanted = (SOME if io.requests else FEW) // 2
    names = [rules.reference(bench.capabilities, SHOP, one, OperationKind.BEGIN, 1) for one in ids[:wanted]]
    names += _variations(names[0])[:wanted] + _longest(bench, names[0])
    prints: dict[bytes, str] = {}
    for name in names:
        first, second = (send(bench, renamed(plain, name)) for _ in range(2))
        expect(first == second, f"the same operation {name} is sent in two ways")
        other = prints.setdefault(first, name)
        expect(other == name, f"{other} and {name} are the same to the provider")
        for about in (BUYER.name, BUYER.email, BUYER.phone):
            expect(about not in name, "a reference tells who pays")


def _captured(bench: Bench, op: Any) -> bytes:
    io = CapturingIo(bench)
    ask(bench.gateway, io, op)
    return b"\n".join(bench.harness.fingerprint(request) for request in io.requests)


def _refused(bench: Bench, op: Any) -> bytes:
    """For a gateway that brings its own client: what the proxy sees."""
    before = len(bench.proxy.seen)
    with bench.proxy.meddling(mishaps.status(503, acted=False)):
        ask(bench.gateway, bench.io(), op)
    return b"\n".join(bench.harness.fingerprint(request) for request in bench.proxy.seen[before:])


def _random_id() -> PaymentId:
    letters = _RANDOM.choices(_LETTERS, k=26)
    return PaymentId(f"pay_{''.join(letters)}")


def _longest(bench: Bench, name: str) -> list[str]:
    """Names as long as is declared; the core's own are shorter, and another core's may not be."""
    filled = (name * 10)[: bench.capabilities.reference_max]
    return [filled, *_variations(filled)[:4]]


def _variations(name: str) -> list[str]:
    """Names that differ from one in a single character, from the last character on."""
    found = []
    for place in reversed(range(len(name))):
        others = ("0", "1") if name[place].isdigit() else ("a", "b") if name[place].islower() else ("A", "B")
        found += [f"{name[:place]}{other}{name[place + 1 :]}" for other in others if other != name[place]]
    return found
