"""How mails leave where no plugin knows better: into a folder, by SMTP, or not at all."""

import datetime as dt
import hashlib
import ipaddress
import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final

import attrs

from eckit import invalid
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.secrets import Secret
from eckit.kernel.text import clean
from eckit.messages import Rendered, Transport


@attrs.frozen(kw_only=True)
class MailSettings:
    """Settings ``[plugins.eckit-mail]``.

    :ivar transport: ``none``, ``folder`` or ``smtp``.
    :ivar directory: for ``folder``: where it writes ``.eml`` files.
    :ivar host: for ``smtp``: the mail server, at ``port``.
    :ivar security: for ``smtp``: ``starttls``, ``tls``, or ``none``, which only a server on this machine may have.
    :ivar ca_file: a file of certificates to trust besides the system's, for a server of one's own.
    :ivar timeout_s: how long the server may take for each of its answers.
    """

    transport: str = attrs.field(default="none", validator=attrs.validators.in_(("none", "folder", "smtp")))
    directory: str = ""
    host: str = "127.0.0.1"
    port: int = 587
    security: str = attrs.field(default="starttls", validator=attrs.validators.in_(("starttls", "tls", "none")))
    user: str = ""
    password: Secret | None = None
    ca_file: str = ""
    timeout_s: int = 15

    def __attrs_post_init__(self) -> None:
        if self.transport == "folder" and not self.directory:
            raise invalid("missing", "directory", "")
        if self.transport == "smtp" and self.security == "none" and not _is_local(self.host):
            raise invalid("unknown-code", "security", self.security, limit="starttls, tls")
        if not 0 < self.port < 65536:
            raise invalid("wrong-quantity", "port", self.port, limit="1…65535")
        if self.timeout_s <= 0:
            raise invalid("negative", "timeout_s", self.timeout_s)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def message(mail: Rendered) -> EmailMessage:
    """The mail as the standard library builds it, in ASCII on the wire; the same mail again is the same bytes.

    :raises InvalidInputError: a header value has a line break or another control character in it.
    """
    built = EmailMessage(policy=SMTP)
    built.set_content(mail.text, cte="base64")
    built.add_alternative(mail.html, subtype="html", cte="base64")
    # By itself the library draws lots for it. No line of base64 begins like this.
    built.set_boundary(f"=_{hashlib.sha256(mail.message_id.encode()).hexdigest()[:32]}")
    built["From"] = _address(_line(mail.sender, "sender"), _line(mail.sender_name, "sender_name"))
    built["To"] = _address(_line(mail.to, "to"))
    values = {
        "Date": format_datetime(mail.written_at.astimezone(dt.UTC)),
        "Message-ID": mail.message_id,
        "Subject": mail.subject,
        "Content-Language": mail.locale,
        "Auto-Submitted": "auto-generated",
        **mail.headers,
    }
    for name, value in values.items():
        built[name] = _line(value, name)
    return built


def _line(text: str, path: str) -> str:
    return clean(text, path=path, max_length=2000)


def _address(text: str, name: str = "") -> Address:
    """An address with its domain in ASCII, as mail servers of every age take it."""
    local, _, domain = text.rpartition("@")
    ascii_domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    return Address(display_name=name, username=local, domain=ascii_domain)


@attrs.frozen(kw_only=True)
class FolderTransport:
    """Writes each mail as a file a mail program can open; the same mail again is the same file."""

    directory: Path
    code: str = "folder"

    def send(self, mail: Rendered) -> None:
        """Write it, whole or not at all."""
        self.directory.mkdir(parents=True, exist_ok=True)
        name = "".join(sign if sign.isalnum() or sign in "._-" else "-" for sign in mail.message_id.strip("<>"))
        part = self.directory / f".{name}.part"
        part.write_bytes(message(mail).as_bytes())
        part.replace(self.directory / f"{name}.eml")


@attrs.frozen(kw_only=True)
class SmtpTransport:
    """Hands mails to a mail server."""

    settings: MailSettings
    code: str = "smtp"

    def send(self, mail: Rendered) -> None:
        """Hand it over, or raise."""
        settings = self.settings
        with self._connected() as server:
            if settings.user and settings.password is not None:
                server.login(settings.user, settings.password.reveal())
            server.send_message(message(mail))

    def _connected(self) -> smtplib.SMTP:
        settings = self.settings
        where: dict[str, Any] = {"host": settings.host, "port": settings.port, "timeout": settings.timeout_s}
        if settings.security == "none":
            return smtplib.SMTP(**where)
        context = ssl.create_default_context()
        if settings.ca_file:
            context.load_verify_locations(settings.ca_file)
        if settings.security == "tls":
            return smtplib.SMTP_SSL(**where, context=context)
        server = smtplib.SMTP(**where)
        try:
            server.starttls(context=context)
        except Exception:
            server.close()
            raise
        return server


class Mail:
    """Plugin ``eckit-mail``."""

    name = "eckit-mail"
    version = "1"
    eckit_interface: Final = {"messages": 1, "host": 1}

    @hookimpl
    def register_settings(self) -> type:
        """The settings class."""
        return MailSettings

    @hookimpl
    def register_transports(self, settings: MailSettings) -> tuple[Transport, ...]:
        """As the settings say."""
        if settings.transport == "smtp":
            return (SmtpTransport(settings=settings),)
        if settings.transport == "folder":
            return (FolderTransport(directory=Path(settings.directory)),)
        return ()


plugin = Mail()
