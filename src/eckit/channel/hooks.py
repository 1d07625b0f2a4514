"""What channel asks plugins."""

from typing import Any

from eckit.channel.model import ChannelChanged
from eckit.kernel.hookspecs import hookspec


@hookspec()
def register_channels(settings: Any) -> tuple[str, ...]:  # type: ignore[empty-body]
    """Register kinds of channel this plugin serves, such as ``mall.rakuten``.

    Stored channels of unknown kinds stay readable.

    :param settings: the plugin's own settings.
    """


@hookspec()
def channel_changed(event: ChannelChanged, shop: Any) -> None:
    """A channel, market, seller or legal entity was saved. After the commit; at least once."""
