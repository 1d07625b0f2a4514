"""What messages asks plugins."""

from typing import Any

from eckit.kernel.events import Event
from eckit.kernel.hookspecs import CLOSED, DROP, hookspec
from eckit.kernel.plugins import Plugins
from eckit.messages.model import MessageWish, Template, Transport


@hookspec()
def register_templates(settings: Any) -> tuple[Template, ...]:  # type: ignore[empty-body]
    """Register mail templates: of new kinds, or in place of the core's own of the same kind and locale.

    A template gets plain data only, in a sandbox: dicts, lists, texts and numbers; nothing can be called.

    :param settings: the plugin's own settings.
    """


@hookspec()
def register_transports(settings: Any) -> tuple[Transport, ...]:  # type: ignore[empty-body]
    """Register what carries mails, each with a code of its own.

    If there is one in the shop, it carries the mails of all channels; of several, ``choose_transport`` says which.

    :param settings: the plugin's own settings; a transport keeps what it needs of them.
    """


@hookspec(firstresult=True, failure=CLOSED)
def choose_transport(channel: str) -> str | None:
    """Choose which of several transports carries the mails of a channel.

    :param channel: the channel's code.
    :return: the code of a registered transport, or None to leave the choice to the next. Nobody chooses: the only one
        there is; with none or several, mails wait.
    """


@hookspec(failure=DROP)
def propose_messages(event: Event) -> tuple[MessageWish, ...]:  # type: ignore[empty-body]
    """Propose mails because of an event, besides the core's own. Their kinds need templates.

    :param event: what happened, rebuilt from the outbox.
    """


def ask_messages(plugins: Plugins, event: Event) -> tuple[MessageWish, ...]:
    """What plugins wish to be sent."""
    if not plugins.implementations("propose_messages"):
        return ()
    return tuple(wish for wishes in plugins.call.propose_messages(event=event) for wish in wishes)


def ask_transport(plugins: Plugins, channel: str) -> tuple[str, str] | None:
    """The code of the transport chosen for a channel, with the plugin that chose it; None: nobody chose."""
    for answer in plugins.call.choose_transport(channel=channel).given:
        return answer.plugin, answer.value
    return None
