"""The sandbox gateway with its faults: each a mistake that real payment plugins have made, switched on by a setting.
Some of the core's own are with them (``tests.testing.bad.core``), for what a gateway alone cannot spoil.

The kit must find every one of them, by exactly the checks that the table in ``test_payment_kit.py`` names. A place
where a fault changes something asks ``self._is("C.timeout_is_declined")``; with no fault on it is the good gateway,
and it notes which places were passed. A check that passes none of a fault's places cannot be affected by it.
"""

from typing import Final

import attrs

from eckit import Capabilities, hookimpl
from eckit.payment import Gateway
from eckit_sandbox import SandboxCard
from tests.testing.bad import core
from tests.testing.bad.safety import BadSafety
from tests.testing.bad.switched import BadSettings

SALE_ONLY: Final = "sale only"
"""No fault: a gateway that can do less than most."""


class NoVoid:
    """Declares a void and has no method for it."""

    def __init__(self, good: SandboxCard) -> None:
        self.id, self.label = good.id, good.label
        self.capabilities, self.begin, self.query = good.capabilities, good.begin, good.query
        self.capture, self.refund, self.open_webhook = good.capture, good.refund, good.open_webhook


class SaleOnly:
    """A good gateway that takes money at once and never afterwards; it can give back, and nothing else."""

    def __init__(self, good: SandboxCard) -> None:
        self.id, self.label, self._good = good.id, good.label, good
        self.begin, self.resume, self.refund = good.begin, good.resume, good.refund
        self.query, self.open_webhook = good.query, good.open_webhook

    def capabilities(self) -> Capabilities:
        """Sells and gives back."""
        declared = self._good.capabilities()
        return attrs.evolve(declared, flows=frozenset({"sale"}), capture="none", void=False)


class BadPlugin:
    """What the kit is shown."""

    name = "sandbox"
    version = "0"
    eckit_interface: Final = {"payment": 1, "host": 1}

    @hookimpl
    def register_settings(self) -> type:
        return BadSettings

    @hookimpl
    def register_payment_gateways(self, settings: BadSettings | None) -> tuple[Gateway, ...]:
        if settings is None or not settings.base_url:
            return ()
        core.use(settings)
        card = BadSafety(settings)
        if settings.fault == SALE_ONLY:
            return (SaleOnly(card),)
        return (NoVoid(card),) if settings.fault == "A.missing_protocol" else (card,)


plugin = BadPlugin()
