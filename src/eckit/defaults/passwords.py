"""How passwords are kept where no plugin knows better: argon2 if installed, else scrypt of the standard library."""

import base64
import hashlib
import hmac
import secrets
from typing import Any, Final

import attrs

from eckit.customer import PasswordScheme
from eckit.kernel.hookspecs import hookimpl

_COST: Final = {"n": 2**14, "r": 8, "p": 5}
"""OWASP's second choice of parameters for scrypt: 16 MiB and about 0.1 s."""


@attrs.frozen
class Scrypt:
    """``scrypt`` with a salt of its own per password."""

    code: str = "scrypt"

    def hash(self, password: str) -> str:
        """Salt and hash, in base 64."""
        salt = secrets.token_bytes(16)
        return f"{_text(salt)}${_text(self._derive(password, salt))}"

    def verify(self, data: str, password: str) -> bool:
        """Whether the password gives the same hash; in constant time."""
        salt, _, wanted = data.partition("$")
        return hmac.compare_digest(base64.b64decode(wanted), self._derive(password, base64.b64decode(salt)))

    @staticmethod
    def _derive(password: str, salt: bytes) -> bytes:
        return hashlib.scrypt(password.encode(), salt=salt, dklen=32, maxmem=64 * 2**20, **_COST)


@attrs.frozen
class Argon2:
    """``argon2id`` with the parameters of the installed argon2-cffi."""

    hasher: Any
    code: str = "argon2"

    def hash(self, password: str) -> str:
        """The hash in argon2's own notation."""
        hashed: str = self.hasher.hash(password)
        return hashed

    def verify(self, data: str, password: str) -> bool:
        """Whether the password matches."""
        from argon2.exceptions import Argon2Error, InvalidHashError

        try:
            return bool(self.hasher.verify(data, password))
        except (Argon2Error, InvalidHashError):
            return False


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Passwords:
    """Plugin ``eckit-passwords``."""

    name = "eckit-passwords"
    version = "1"
    eckit_interface: Final = {"customer": 1}

    @hookimpl
    def register_password_schemes(self) -> tuple[PasswordScheme, ...]:
        """Both, where both are there: passwords kept by one can still be verified."""
        try:
            from argon2 import PasswordHasher
        except ImportError:
            return (Scrypt(),)
        return Argon2(PasswordHasher()), Scrypt()


plugin = Passwords()
