"""A real mail server on the loopback, in a thread of its own, that keeps what it is sent."""

import contextlib
import email
import socket
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any, Final

import attrs
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

CERTIFICATES: Final = Path(__file__).parent / "certificates"
CA_FILE: Final = CERTIFICATES / "localhost.cert.pem"


@attrs.frozen
class Received:
    """A mail as it arrived: envelope and message."""

    sender: str
    to: list[str]
    message: EmailMessage
    raw: bytes
    tls: bool
    user: str | None


@attrs.define
class Server:
    """Where it listens, and what came."""

    port: int
    received: list[Received] = attrs.field(factory=list)
    answer: str = "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        message = email.message_from_bytes(envelope.content, policy=SMTP)
        assert isinstance(message, EmailMessage)
        user = session.auth_data.login.decode() if getattr(session, "auth_data", None) else None
        self.received.append(
            Received(
                envelope.mail_from,
                envelope.rcpt_tos,
                message,
                envelope.content,
                server.transport.get_extra_info("sslcontext") is not None,
                user,
            )
        )
        return self.answer


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    good = (data.login, data.password) == (b"shop", b"open sesame")
    return AuthResult(success=good, handled=good, auth_data=data)


@contextlib.contextmanager
def mail_server(security: str = "none", *, auth: bool = False, utf8: bool = True) -> Iterator[Server]:
    """Run one for the length of a block: ``none``, ``starttls`` or ``tls``."""
    context = None
    if security != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CA_FILE, CERTIFICATES / "localhost.key.pem")
    server = Server(_free_port())
    options: dict[str, Any] = {"enable_SMTPUTF8": utf8}
    if security == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    if auth:
        options |= {
            "auth_exclude_mechanism": ["LOGIN"],
            "authenticator": _authenticate,
            "auth_required": True,
            "auth_require_tls": security != "none",
        }
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=server.port,
        ssl_context=context if security == "tls" else None,
        **options,
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
