"""The good gateway with a switch for each fault."""

from pathlib import Path

import attrs

from eckit_sandbox import SandboxCard, SandboxSettings


@attrs.frozen(kw_only=True)
class BadSettings(SandboxSettings):
    """The sandbox's, and which fault is on.

    :ivar reached: a file to which the names of faults are added whose places were passed.
    """

    fault: str = ""
    reached: str = ""


class Reached:
    """Which fault is on, and a note of the places that were passed, whatever process passes them."""

    def __init__(self, settings: BadSettings) -> None:
        self._settings = settings
        self._passed: set[str] = set()

    def is_on(self, fault: str) -> bool:
        """Whether a fault is on; notes that its place was passed."""
        if self._settings.reached and fault not in self._passed:
            self._passed.add(fault)
            with Path(self._settings.reached).open("a") as file:
                file.write(f"{fault}\n")
        return self._settings.fault == fault


class Switched(SandboxCard):
    """The good gateway, with a switch."""

    _settings: BadSettings

    def __init__(self, settings: BadSettings) -> None:
        super().__init__(settings)
        self._reached = Reached(settings)

    def _is(self, fault: str) -> bool:
        return self._reached.is_on(fault)
