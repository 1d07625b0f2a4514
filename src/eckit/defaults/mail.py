"""How mails leave where no plugin knows better: into a folder, by SMTP, or not at all."""

import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Final

import attrs

from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.secrets import Secret
from eckit.messages import Rendered, Transport


@attrs.frozen(kw_only=True)
class MailSettings:
    """Settings ``[plugins.eckit-mail]``.

    :ivar transport: ``none``, ``folder`` or ``smtp``.
    :ivar directory: where ``folder`` writes ``.eml`` files.
    :ivar security: ``starttls``, ``tls`` or ``none`` (loopback only).
    """

    transport: str = attrs.field(default="none", validator=attrs.validators.in_(("none", "folder", "smtp")))
    directory: str = ""
    host: str = "127.0.0.1"
    port: int = 587
    security: str = attrs.field(default="starttls", validator=attrs.validators.in_(("starttls", "tls", "none")))
    user: str = ""
    password: Secret | None = None
    timeout_s: int = 15


def message(mail: Rendered) -> EmailMessage:
    """The mail as the standard library builds it; header values with line breaks are refused there."""
    built = EmailMessage(policy=SMTP)
    built["Message-ID"] = mail.message_id
    built["From"] = mail.sender
    built["To"] = mail.to
    built["Subject"] = mail.subject
    built["Content-Language"] = mail.locale
    built["Auto-Submitted"] = "auto-generated"
    built.set_content(mail.text)
    built.add_alternative(mail.html, subtype="html")
    return built


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
        part.rename(self.directory / f"{name}.eml")


@attrs.frozen(kw_only=True)
class SmtpTransport:
    """Hands mails to a mail server."""

    settings: MailSettings
    code: str = "smtp"

    def send(self, mail: Rendered) -> None:
        """Hand it over, or raise."""
        settings = self.settings
        context = ssl.create_default_context()
        opened: smtplib.SMTP
        if settings.security == "tls":
            opened = smtplib.SMTP_SSL(settings.host, settings.port, timeout=settings.timeout_s, context=context)
        else:
            opened = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_s)
        with opened as server:
            if settings.security == "starttls":
                server.starttls(context=context)
            if settings.user and settings.password is not None:
                server.login(settings.user, settings.password.reveal())
            server.send_message(message(mail))


class Mail:
    """Plugin ``eckit-mail``."""

    name = "eckit-mail"
    version = "1"
    eckit_interface: Final = {"messages": 1, "host": 1}

    def __init__(self) -> None:
        self._transport: Transport | None = None

    @hookimpl
    def register_settings(self) -> type:
        """The settings class."""
        return MailSettings

    @hookimpl
    def choose_transport(self, settings: MailSettings | None) -> Transport | None:
        """As the settings say."""
        chosen = settings or MailSettings()
        if chosen.transport == "smtp":
            return SmtpTransport(settings=chosen)
        if chosen.transport == "folder" and chosen.directory:
            return FolderTransport(directory=Path(chosen.directory))
        return None


plugin = Mail()
