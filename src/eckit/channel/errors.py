"""What channel refuses."""

from typing import ClassVar

import attrs

from eckit.kernel.errors import ConflictError


@attrs.define(kw_only=True, eq=False)
class LinkedElsewhereError(ConflictError):
    """The external id belongs to something else already."""

    code: ClassVar[str] = "linked-elsewhere"
    external_id: str = ""


@attrs.define(kw_only=True, eq=False)
class SetupCodeTakenError(ConflictError):
    """Another channel, market or seller has this code."""

    code: ClassVar[str] = "setup-code-taken"
    taken: str = ""
