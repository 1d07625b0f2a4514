"""The one exception with which the provider says no; it becomes a JSON error answer."""

from __future__ import annotations


class RefusalError(Exception):
    """A request that is refused, with nothing changed.

    ``facts`` are further members of the error, e.g. ``remaining`` (integer minor units). A refusal names fields and
    limits, never the value that was sent: that could be a card number.
    """

    def __init__(self, status: int, code: str, message: str, *, field: str | None = None, **facts: int | str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.facts = facts

    def body(self) -> dict[str, object]:
        """Return the error answer as JSON-able members."""
        error: dict[str, object] = {"code": self.code, "message": self.message, **self.facts}
        if self.field is not None:
            error["field"] = self.field
        return {"error": error}
