"""What a plugin brings besides behavior: settings, tables, migrations, commands and pages.

The ``register_`` hooks of this family take no arguments and are asked once, when the shop is composed, before the
plugin's settings exist.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import attrs
import sqlalchemy as sa

from eckit.kernel.events import Event
from eckit.kernel.hookspecs import declared, hookspec
from eckit.kernel.refs import Ref
from eckit.kernel.text import Text


@attrs.frozen(kw_only=True)
class MigrationBranch:
    """A plugin's own line of alembic migrations.

    :ivar label: the branch label, unique among plugins; by custom the plugin's name.
    :ivar package: the import package the migrations belong to.
    :ivar directory: the folder of the version files.
    """

    label: str
    package: str
    directory: Path


@attrs.frozen(kw_only=True)
class Command:
    """A command of the shop's command line: ``eckit <plugin> <name> …``.

    :ivar run: called with the shop and then what its own signature asks for; parameters become arguments and options.
    :ivar help: one sentence; the first line of ``run``'s docstring if empty.
    """

    name: str
    run: Callable[..., Any]
    help: str = ""


@attrs.frozen(kw_only=True)
class Page:
    """A page of the back office; web adapters mount it.

    :ivar path: below the plugin's own path, ``rates`` for ``/plugins/<plugin>/rates``.
    :ivar permission: what an actor must hold to see it.
    :ivar render: called with the shop, the actor and the query parameters; gives the facts to show.
    """

    path: str
    title: Text
    permission: str
    render: Callable[..., Any]


@attrs.frozen(kw_only=True)
class SubscriberDisabled(Event):
    """A receiver of events failed for so long that nothing is sent to it until somebody enables it again.

    :ivar subscriber: ``<plugin>:<hook>``, or the name of a part of the core.
    """

    name: ClassVar[str] = "subscriber.disabled"
    subscriber: str
    failures: int

    @property
    def subject(self) -> Ref:
        """The receiver."""
        return Ref("subscriber", self.subscriber)


@hookspec()
def register_settings() -> type:  # type: ignore[empty-body]
    """The attrs class of the plugin's settings, read from ``[plugins.<name>]`` and the environment.

    Field types say what is accepted: text, ``int``, ``bool``, ``Decimal`` (written as text), ``timedelta`` (whole
    seconds), ``Secret``, enumerations, tuples and mappings of these, and attrs classes. Unknown keys are refused.
    """


@hookspec()
def register_tables() -> tuple[sa.MetaData, ...]:  # type: ignore[empty-body]
    """The plugin's own tables, made with :func:`eckit.kernel.tables.plugin_metadata`."""


@hookspec()
def register_migrations() -> MigrationBranch:  # type: ignore[empty-body]
    """The migrations that make the plugin's tables."""


@hookspec()
def register_commands() -> tuple[Command, ...]:  # type: ignore[empty-body]
    """Commands for the command line."""


@hookspec()
def register_pages() -> tuple[Page, ...]:  # type: ignore[empty-body]
    """Pages for a back office.

    Not asked yet but for the list that ``eckit plugins`` prints: no back office mounts them so far.
    """


@hookspec()
def subscriber_disabled(event: SubscriberDisabled, shop: Any) -> None:
    """A receiver of events has failed for so long that it is no longer called: tell somebody."""


SPECS = declared(sys.modules[__name__], "host")
"""The hooks of the family ``host``; every composition has them."""
