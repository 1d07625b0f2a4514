"""What customer refuses."""

from typing import ClassVar

import attrs

from eckit.kernel.errors import RefusedError


@attrs.define(kw_only=True, eq=False)
class SignInRefusedError(RefusedError):
    """E-mail and password do not match an account; the same answer whether the account exists or not."""

    code: ClassVar[str] = "sign-in-refused"


@attrs.define(kw_only=True, eq=False)
class NotRegisteredError(RefusedError):
    """No account was made; the same answer whether the address has one already or cannot have one."""

    code: ClassVar[str] = "not-registered"


@attrs.define(kw_only=True, eq=False)
class UnknownSchemeError(RefusedError):
    """The plugin that verifies this password is gone; the account is kept, a new password can be set."""

    code: ClassVar[str] = "unknown-password-scheme"
    scheme: str = ""
