"""How mails leave: into a folder or to a real server, with TLS; one recipient, whatever is in a name."""

import datetime as dt
import email
import smtplib
import socket
import ssl
import threading
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from eckit.defaults import mail
from eckit.defaults.mail import FolderTransport, MailSettings, SmtpTransport, message
from eckit.kernel.composing import compose_plugins
from eckit.kernel.errors import CompositionError, InvalidInputError
from eckit.kernel.secrets import Secret
from eckit.messages import Rendered, service as messages
from tests.defaults.mailserver import CA_FILE, Server, mail_server

LETTER = Rendered(
    message_id="<evt_1.order_confirmed@shop.example>",
    written_at=dt.datetime(2026, 4, 1, 12, 0, 5, tzinfo=dt.timezone(dt.timedelta(hours=9))),
    sender="order@shop.example",
    sender_name="抹茶と器 🍵",
    to="aoi@example.jp",
    subject="【抹茶と器】ご注文ありがとうございます（ご注文番号 R-1001）🍵",
    text="佐藤 葵 様\n\n𠮷野家 髙﨑 👨‍👩‍👧\n<b>そのまま</b>\n",
    html="<p>佐藤 葵 様</p><p>𠮷野家 髙﨑 👨‍👩‍👧</p>",
    locale="ja",
)


def _transport(server: Server, security: str = "none", **others: Any) -> SmtpTransport:
    given = {"security": security, "port": server.port, "timeout_s": 5, **others}
    if security != "none":
        given = {"host": "localhost", "ca_file": str(CA_FILE), **given}
    return SmtpTransport(settings=MailSettings(transport="smtp", **given))


# -- the message ------------------------------------------------------------------------------------------------------


def _parts(built: EmailMessage) -> tuple[str, str]:
    text, html = built.get_body(("plain",)), built.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")


def test_a_mail_survives_the_way_through_the_wire() -> None:
    """ENC-03: subject, names and both parts are the same when read; everything on the wire is ASCII."""
    wire = message(LETTER).as_bytes()
    read = email.message_from_bytes(wire, policy=SMTP)

    assert wire.isascii()
    assert isinstance(read, EmailMessage)
    assert (LETTER.subject, "抹茶と器 🍵 <order@shop.example>", "aoi@example.jp") == (
        read["Subject"],
        read["From"],
        read["To"],
    )
    assert (LETTER.message_id, "Wed, 01 Apr 2026 03:00:05 +0000", "ja", "auto-generated") == (
        read["Message-ID"],
        read["Date"],
        read["Content-Language"],
        read["Auto-Submitted"],
    )
    assert (LETTER.text, f"{LETTER.html}\n") == _parts(read)


@pytest.mark.parametrize("field", ["subject", "sender_name", "to", "sender", "message_id", "locale"])
def test_no_field_can_add_a_header(field: str) -> None:
    """INJ-13: what ends a line, in any script, is refused; there is no second recipient."""
    for line_end in ("\r\n", "\n", "\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x00"):
        evil = attrs.evolve(LETTER, **{field: f"{getattr(LETTER, field)}{line_end}Bcc: evil@example.com"})
        with pytest.raises(InvalidInputError):
            message(evil)
    with pytest.raises(InvalidInputError):
        message(attrs.evolve(LETTER, headers={"X-Note": "a\r\nBcc: evil@example.com"}))


def test_a_very_long_subject_is_folded() -> None:
    """INJ-13: 1,000 characters arrive as they are, in lines that mail servers take."""
    letter = attrs.evolve(LETTER, subject="長い" * 500)
    wire = message(letter).as_bytes()
    assert letter.subject == email.message_from_bytes(wire, policy=SMTP)["Subject"]
    assert max(map(len, wire.splitlines())) < 998


def test_a_domain_of_any_script_is_written_in_ascii() -> None:
    """Servers of every age take it; the local part is left as it is."""
    built = message(attrs.evolve(LETTER, to="aoi@お茶.jp"))
    assert f"aoi@{'お茶'.encode('idna').decode()}.jp" == built["To"]


# -- a folder ---------------------------------------------------------------------------------------------------------


def test_a_folder_keeps_each_mail_once(tmp_path: Path) -> None:
    """As a file a mail program opens; the same mail again is the same file; nothing half-written, nothing outside."""
    transport = FolderTransport(directory=tmp_path / "mails")
    written = set()
    for _ in range(2):
        transport.send(LETTER)
        written.add((tmp_path / "mails" / "evt_1.order_confirmed-shop.example.eml").read_bytes())
    assert 1 == len(written)
    transport.send(attrs.evolve(LETTER, message_id="<../../etc/passwd/~@x>"))

    files = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert ["..-..-etc-passwd---x.eml", "evt_1.order_confirmed-shop.example.eml"] == files
    read = email.message_from_bytes((tmp_path / "mails" / files[1]).read_bytes(), policy=SMTP)
    assert (LETTER.subject, LETTER.written_at) == (read["Subject"], read["Date"].datetime)


# -- a real server ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_mail_reaches_a_real_server(security: str) -> None:
    """Japanese subject, emoji names; encrypted where the settings say so; one recipient in the envelope."""
    with mail_server(security) as server:
        _transport(server, security).send(LETTER)

    [arrived] = server.received
    assert ("order@shop.example", ["aoi@example.jp"]) == (arrived.sender, arrived.to)
    assert (LETTER.subject, security != "none") == (arrived.message["Subject"], arrived.tls)
    assert LETTER.written_at == parsedate_to_datetime(arrived.message["Date"])
    assert (LETTER.text, f"{LETTER.html}\n") == _parts(arrived.message)


def test_user_and_password_are_only_sent_encrypted() -> None:
    """The server knows who came; the password is in no repr."""
    with mail_server("starttls", auth=True) as server:
        transport = _transport(server, "starttls", user="shop", password=Secret("open sesame"))
        transport.send(LETTER)
        wrong = _transport(server, "starttls", user="shop", password=Secret("wrong"))
        with pytest.raises(smtplib.SMTPAuthenticationError):
            wrong.send(LETTER)
    assert ["shop"] == [arrived.user for arrived in server.received]
    assert "open sesame" not in repr(transport)


def test_a_server_that_nobody_vouches_for_gets_no_mail() -> None:
    """Its certificate is for another name or from an unknown issuer: nothing is sent, no password shown."""
    with mail_server("starttls") as server:
        for stranger in ({"ca_file": ""}, {"host": "127.0.0.2"}):
            with pytest.raises((ssl.SSLError, OSError)):
                _transport(server, "starttls", **stranger).send(LETTER)
    assert [] == server.received


def test_a_server_without_encryption_gets_no_mail_that_wants_it() -> None:
    """STARTTLS that is not offered (or was cut out on the way) ends the conversation."""
    with mail_server("none") as server, pytest.raises(smtplib.SMTPNotSupportedError):
        _transport(server, "starttls").send(LETTER)
    assert [] == server.received


def test_a_server_that_says_no_raises() -> None:
    """The mail waits for another try; it was not taken."""
    with mail_server() as server:
        server.answer = "452 mailbox full"
        with pytest.raises(smtplib.SMTPDataError):
            _transport(server).send(LETTER)


def test_an_address_no_old_server_takes_raises_there_and_is_sent_by_a_new_one() -> None:
    """A local part that is not ASCII needs SMTPUTF8."""
    letter = attrs.evolve(LETTER, to="葵@example.jp")
    with mail_server(utf8=True) as server:
        _transport(server).send(letter)
    assert [["葵@example.jp"]] == [arrived.to for arrived in server.received]
    with mail_server(utf8=False) as server, pytest.raises((smtplib.SMTPNotSupportedError, UnicodeEncodeError)):
        _transport(server).send(letter)


def test_a_server_that_hangs_is_left() -> None:
    """It takes the connection and never says a word: given up after the time the settings allow."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        taken: list[socket.socket] = []
        listener = threading.Thread(target=lambda: taken.append(silent.accept()[0]))
        listener.start()
        transport = SmtpTransport(
            settings=MailSettings(transport="smtp", security="none", port=silent.getsockname()[1], timeout_s=1)
        )
        with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
            transport.send(LETTER)
        listener.join()
        taken[0].close()


# -- settings ---------------------------------------------------------------------------------------------------------


def _composed(**given: Any) -> Any:
    plugins = compose_plugins(
        messages.SPECS, [mail.plugin], settings_source={"eckit-mail": given}, collect=[messages.collect]
    )
    return messages.transport(plugins, "web")


def test_the_settings_say_which_transport_there_is(tmp_path: Path) -> None:
    """None: mails wait. A folder, a server: it carries the mails of every channel, and knows its settings."""
    assert None is _composed()
    assert ("eckit-mail", FolderTransport(directory=tmp_path)) == _composed(transport="folder", directory=str(tmp_path))
    name, transport = _composed(transport="smtp", host="mail.example", user="shop", password="open sesame")
    assert ("eckit-mail", "smtp", "mail.example") == (name, transport.code, transport.settings.host)
    assert "open sesame" == transport.settings.password.reveal()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"transport": "pigeon"}, "transport"),
        ({"transport": "folder"}, "directory"),
        ({"transport": "smtp", "host": "mail.example", "security": "none"}, "security"),
        ({"transport": "smtp", "security": "ssl"}, "security"),
        ({"transport": "smtp", "port": 0}, "port"),
        ({"transport": "smtp", "timeout_s": 0}, "timeout_s"),
        ({"transport": "smtp", "hosts": "x"}, "hosts"),
    ],
)
def test_settings_that_cannot_be_stop_the_start(given: dict[str, Any], field: str) -> None:
    """The field is named; passwords and mails never leave this machine unencrypted."""
    with pytest.raises(CompositionError) as caught:
        _composed(**given)
    assert any(field in problem.path or field in problem.value for problem in caught.value.problems)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_mail_to_this_machine_may_be_plain(host: str) -> None:
    """A relay on the loopback needs no TLS."""
    assert host == MailSettings(transport="smtp", host=host, security="none").host
    with pytest.raises(InvalidInputError):
        MailSettings(transport="smtp", host=f"{host}.example", security="none")
