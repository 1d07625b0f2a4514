"""The sandbox's harness with a fault switched on, and a note of the places that were passed."""

from pathlib import Path

from eckit.testing.payments import Settings
from plugins.sandbox.tests.harness import SandboxHarness


class BadHarness(SandboxHarness):
    """One provider for all faults.

    :ivar fault: the one that is on; empty: the good gateway.
    """

    plugins = ("tests.testing.bad_gateways:plugin",)
    fault = ""

    def start(self, directory: Path) -> None:
        super().start(directory)
        self._reached = directory / "reached"

    def settings(self, base_url: str, *, hasty: bool = False) -> Settings:
        table = super().settings(base_url, hasty=hasty)["sandbox"]
        return {"sandbox": {**table, "fault": self.fault, "reached": str(self._reached)}}

    def take_reached(self) -> frozenset[str]:
        """The faults whose places were passed since this was last asked."""
        if not self._reached.exists():
            return frozenset()
        names = frozenset(self._reached.read_text().split())
        self._reached.unlink()
        return names
