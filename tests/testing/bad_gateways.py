"""The sandbox gateway with its faults: each a mistake that real payment plugins have made, switched on by a setting.

The kit must find every one of them, by exactly the checks that the table in ``test_payment_kit.py`` names. A place
where a fault changes something asks ``self._is("C.timeout_is_declined")``; with no fault on it is the good gateway,
and it notes which places were passed. A check that passes none of a fault's places cannot be affected by it.
"""

from typing import Final

from eckit import (
    hookimpl,
)
from eckit.payment import Gateway
from eckit_sandbox import SandboxCard
from tests.testing.bad.safety import BadSafety
from tests.testing.bad.switched import BadSettings


class NoVoid:
    """Declares a void and has no method for it."""

    def __init__(self, good: SandboxCard) -> None:
        self.id, self.label = good.id, good.label
        self.capabilities, self.begin, self.query = good.capabilities, good.begin, good.query
        self.capture, self.refund, self.open_webhook = good.capture, good.refund, good.open_webhook


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
        card = BadSafety(settings)
        return (NoVoid(card),) if settings.fault == "A.missing_protocol" else (card,)


plugin = BadPlugin()
