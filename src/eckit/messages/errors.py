"""What messages refuses."""

from typing import ClassVar

import attrs

from eckit.kernel.errors import RefusedError


@attrs.define(kw_only=True, eq=False)
class TemplateFailedError(RefusedError):
    """A template cannot be rendered: it reaches for what it may not have, or it is broken. The mail waits."""

    code: ClassVar[str] = "template-failed"
    kind: str = ""
    locale: str = ""
    reason: str = ""
