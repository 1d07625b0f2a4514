"""The sandbox payment plugin: an offline card provider in a process of its own, and the gateway that talks to it.

The provider's process imports this package too and must know nothing of eckit, so the plugin is loaded when it is
first asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eckit_sandbox.gateway import SandboxCard, plugin
    from eckit_sandbox.process import LedgerEntry, SandboxError, SandboxProcess
    from eckit_sandbox.settings import SandboxSettings

__all__ = ["LedgerEntry", "SandboxCard", "SandboxError", "SandboxProcess", "SandboxSettings", "plugin"]


def __getattr__(name: str) -> Any:
    import importlib

    homes = {"plugin": "gateway", "SandboxCard": "gateway", "SandboxSettings": "settings"}
    if name not in __all__:
        raise AttributeError(f"module 'eckit_sandbox' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"eckit_sandbox.{homes.get(name, 'process')}"), name)
    globals()[name] = value
    return value
