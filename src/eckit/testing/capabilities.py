"""The modules of the core by room, as tests need them before a shop composes them."""

import importlib
import sys
import traceback
from collections.abc import Iterable
from types import ModuleType
from typing import Final

CAPABILITIES: Final = (
    "channel", "catalog", "customer", "currency", "tax", "promotion", "credit",
    "cart", "pricing", "order", "payment", "stock", "shipping", "messages",
)  # fmt: skip

_KERNEL: Final = ("answers", "delivery", "facets", "history", "idempotency", "leases", "outbox", "stamps")
STORES: Final = (
    *(f"eckit.kernel.{name}" for name in _KERNEL),
    *(f"eckit.{name}.store" for name in CAPABILITIES),
)
SERVICES: Final = tuple(f"eckit.{name}.service" for name in CAPABILITIES)


def import_existing(names: Iterable[str]) -> list[ModuleType]:
    """Import the modules of these names that there are."""
    found = []
    for name in names:
        try:
            found.append(importlib.import_module(name))
        except ModuleNotFoundError as error:
            if not (name == error.name or name.startswith(f"{error.name}.")):
                _say(name)
        except Exception:  # noqa: BLE001 -- one unfinished capability must not stop the tests of the others
            _say(name)
    return found


def _say(name: str) -> None:
    sys.stderr.write(f"left out {name}, which cannot be imported:\n{traceback.format_exc(limit=-3)}\n")
