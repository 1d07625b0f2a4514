"""Verbs of messages."""

import datetime as dt
import functools
import importlib.resources
from collections.abc import Mapping, Sequence
from typing import Any, Final

import jinja2

from eckit.kernel import desk
from eckit.kernel.desk import verb
from eckit.kernel.doors import expect_limit
from eckit.kernel.errors import PluginError
from eckit.kernel.events import Envelope
from eckit.kernel.hookspecs import declared
from eckit.kernel.plugins import Plugins
from eckit.kernel.templating import render
from eckit.kernel.text import strip_controls
from eckit.kernel.work import Work
from eckit.messages import hooks, rules, store
from eckit.messages.errors import TemplateFailedError
from eckit.messages.model import Mail, MailState, Rendered, Template, Transport

SPECS = declared(hooks, "messages")
READ = "messages.read"
TEMPLATES, TRANSPORTS = "messages.templates", "messages.transports"
LEASE: Final = dt.timedelta(minutes=10)
MAX_PAGE: Final = 200
MAX_SUBJECT: Final = 200
"""Characters of a subject; a longer one is cut, and says so."""


def collect(plugins: Plugins) -> None:
    """Ask once for templates and transports."""
    plugins.collect("register_templates", TEMPLATES, code=lambda one: f"{one.locale}/{one.kind}")
    plugins.collect("register_transports", TRANSPORTS, code=lambda one: one.code)


def queue(work: Work, envelope: Envelope) -> int:
    """Queue the mails an event makes, each once however often the event is heard; how many are new."""
    wishes = (*rules.wishes(envelope.event), *hooks.ask_messages(work.plugins, envelope.event))
    added = store.queue(work, wishes, envelope.id) if wishes else 0
    if added:
        work.did("messages.queue", envelope.event.subject)
    return added


def any_due(work: Work) -> bool:
    """Whether a mail is due: asked before a lease, which writes."""
    return store.any_due(work)


def lease(work: Work, *, limit: int) -> tuple[Mail, ...]:
    """Take mails that are due, for a while."""
    taken = store.lease(work, work.now + LEASE, limit)
    work.did("messages.lease", *(mail.about for mail in taken))
    return taken


def mark_sent(work: Work, mail: Mail) -> None:
    """The transport took it."""
    store.mark(work, mail.id, MailState.SENT, due_at=work.now)
    work.did("messages.sent", mail.about, reason=mail.kind)


def mark_failed(work: Work, mail: Mail, failure: str) -> MailState:
    """It could not be sent: tried again later, or given up after the last try."""
    after = rules.retry_after_s(mail.tries)
    if after is None:
        mark_given_up(work, mail, failure)
        return MailState.GIVEN_UP
    store.mark(work, mail.id, MailState.WAITING, due_at=work.now + dt.timedelta(seconds=after), failure=failure)
    work.did("messages.failed", mail.about, reason=mail.kind)
    return MailState.WAITING


def mark_given_up(work: Work, mail: Mail, failure: str) -> None:
    """It will never be sent: nobody to send it to, for example."""
    store.mark(work, mail.id, MailState.GIVEN_UP, due_at=work.now, failure=failure)
    work.did("messages.given_up", mail.about, reason=mail.kind)


def transport(plugins: Plugins, channel: str) -> tuple[str, Transport] | None:
    """What carries the mails of a channel, with its plugin: the one chosen, or the only one; None: mails wait.

    :raises PluginError: a plugin chose one that is not registered.
    """
    chosen = hooks.ask_transport(plugins, channel)
    if chosen is None:
        only = plugins.things(TRANSPORTS)
        return (only[0].plugin, only[0].thing) if len(only) == 1 else None
    chooser, code = chosen
    entry = plugins.thing(TRANSPORTS, code)
    if entry is None:
        raise PluginError(plugin=chooser, hook="choose_transport", reason=f"no transport {code}")
    return entry.plugin, entry.thing


def rendered(
    plugins: Plugins, mail: Mail, data: Mapping[str, Any], *, sender: str, sender_name: str, to: str, locale: str
) -> Rendered:
    """A mail ready to send, in the locale or the nearest there is a template for.

    :raises TemplateFailedError: there is none, or it cannot be rendered.
    """
    template = _template(plugins, mail.kind, locale)
    if template is None:
        raise TemplateFailedError(kind=mail.kind, locale=locale, reason="no template")
    try:
        subject = " ".join(strip_controls(render(template.subject, data, html=False)).split())
        text = render(template.text, data, html=False)
        html = render(template.html, data, html=True)
    except (jinja2.TemplateError, TypeError) as error:
        raise TemplateFailedError(kind=mail.kind, locale=locale, reason=type(error).__name__) from error
    return Rendered(
        message_id=f"<{mail.event_id}.{mail.kind}@{sender.rpartition('@')[2]}>",
        written_at=mail.queued_at,
        sender=sender,
        sender_name=sender_name,
        to=to,
        subject=subject if len(subject) <= MAX_SUBJECT else f"{subject[: MAX_SUBJECT - 1]}…",
        text=text,
        html=html,
        locale=template.locale,
    )


def _template(plugins: Plugins, kind: str, locale: str) -> Template | None:
    for language in (locale, locale.partition("-")[0], "en"):
        entry = plugins.thing(TEMPLATES, f"{language}/{kind}")
        if entry is not None:
            template: Template = entry.thing
            return template
        if own := _own_template(kind, language):
            return own
    return None


@functools.cache
def _own_template(kind: str, locale: str) -> Template | None:
    folder = importlib.resources.files("eckit.messages") / "templates" / locale
    parts: Sequence[Any] = [folder / f"{kind}.{ending}" for ending in ("subject", "txt", "html")]
    if not (kind.isidentifier() and locale.replace("-", "").isalnum() and all(part.is_file() for part in parts)):
        return None
    subject, text, html = (part.read_text(encoding="utf-8") for part in parts)
    return Template(kind=kind, locale=locale, subject=subject, text=text, html=html)


def mails(work: Work, *, limit: int = 50) -> tuple[Mail, ...]:
    """The youngest mails. Needs ``messages.read``.

    :param limit: 1 to 200.
    """
    work.actor.require(READ)
    return store.mails(work, expect_limit(limit, MAX_PAGE))


class Desk(desk.Desk):
    """``work.messages``."""

    mails = verb(mails)
