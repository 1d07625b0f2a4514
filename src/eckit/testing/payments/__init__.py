"""The conformance kit for payment gateways: what a plugin that moves money has to show before anybody trusts it.

It checks a gateway against its fake or sandbox, in a real shop on a real database, with the network failing between
the two. Each check ends with one comparison: eckit's movements are the provider's ledger, movement by movement, or the
payment is marked as in doubt or as needing a person.

What the author writes is a *harness* (:class:`Harness`): how to start the provider, the plugins and their settings,
what the buyer pays with, and, decisive, what really moved by the provider's own books::

    class AcmeHarness(Harness):
        method = MethodCode("acme.card")
        plugins = ("eckit_acme:plugin",)

        def start(self, directory):
            self._fake = AcmeFake(directory)

        ...

and a test class that pytest finds (it needs pytest, httpx2, and hypothesis for one check)::

    from eckit.testing.payments import PaymentConformance


    class TestAcme(PaymentConformance):
        harness = AcmeHarness

The gateway's settings must let it talk plain HTTP to 127.0.0.1: there stands the kit's proxy
(:mod:`eckit.testing.payments.proxy`), whatever client library the gateway uses. Notices the kit delivers itself, so the
provider sends them to the harness (:class:`~eckit.testing.payments.listeners.Mailbox`).

Without pytest, :func:`run_checks` says what came of each check. All of them, with their rules, are listed in the
reference, page *Payment conformance*; ``all_checks()`` gives the same list.
"""

from typing import TYPE_CHECKING, Any

from eckit.testing.payments.harness import Games, Harness, LedgerEntry, NotApplicable, Settings
from eckit.testing.payments.registry import GROUPS, Check, all_checks
from eckit.testing.payments.runner import BlockedError, Outcome, Workshop, run_checks

if TYPE_CHECKING:
    from eckit.testing.payments.suite import PaymentConformance

__all__ = [
    "GROUPS",
    "BlockedError",
    "Check",
    "Games",
    "Harness",
    "LedgerEntry",
    "NotApplicable",
    "Outcome",
    "PaymentConformance",
    "Settings",
    "Workshop",
    "all_checks",
    "run_checks",
]


def __getattr__(name: str) -> Any:
    """``PaymentConformance`` needs pytest, which a run without it need not have."""
    if name != "PaymentConformance":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from eckit.testing.payments.suite import PaymentConformance

    return PaymentConformance
