"""Who asks. The host authenticates people; eckit decides what an actor may do."""

import hashlib
from collections.abc import Mapping
from typing import Self

import attrs

from eckit.kernel.errors import NotAllowedError
from eckit.kernel.freezing import frozen_map
from eckit.kernel.ids import ChannelId, CustomerId, LocationId, SellerId


@attrs.frozen(kw_only=True)
class Scope:
    """Where an actor may act; None means everywhere."""

    channels: frozenset[ChannelId] | None = None
    sellers: frozenset[SellerId] | None = None
    locations: frozenset[LocationId] | None = None


@attrs.frozen(kw_only=True)
class Actor:
    """Somebody or something that asks. Every row written says which.

    :ivar kind: buyer, guest, staff, system, plugin, channel, agent, host; open vocabulary.
    :ivar id: a buyer's customer id, a staff member's or plugin's name.
    :ivar tokens: access tokens held, each of which opens one cart or order; how a guest is known.
    :ivar permissions: registered codes such as ``order.refund``; ``*`` grants all.
    :ivar limits: permission → the highest amount in minor units that may be moved by it.
    :ivar vouches_for: a customer this actor's platform vouches for; honored only where settings trust it.
    """

    kind: str
    id: str = ""
    on_behalf_of: str | None = None
    via: ChannelId | None = None
    vouches_for: CustomerId | None = None
    permissions: frozenset[str] = frozenset()
    limits: Mapping[str, int] = attrs.field(converter=frozen_map, factory=dict, hash=False)
    scope: Scope = Scope()
    tokens: frozenset[str] = attrs.field(default=frozenset(), repr=False)

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind

    @classmethod
    def buyer(cls, customer: CustomerId, *tokens: str) -> Self:
        """A signed-in customer."""
        return cls(kind="buyer", id=customer, tokens=frozenset(filter(None, tokens)))

    @classmethod
    def guest(cls, *tokens: str) -> Self:
        """Somebody unknown who holds these access tokens; empty ones are ignored."""
        return cls(kind="guest", tokens=frozenset(filter(None, tokens)))

    @classmethod
    def staff(
        cls, id: str, *permissions: str, limits: Mapping[str, int] | None = None, scope: Scope | None = None
    ) -> Self:
        """A member of the shop's staff with these permissions."""
        return cls(kind="staff", id=id, permissions=frozenset(permissions), limits=limits or {}, scope=scope or Scope())

    @classmethod
    def system(cls, id: str = "eckit") -> Self:
        """The shop itself: jobs, recovery, relays. May do everything."""
        return cls(kind="system", id=id, permissions=frozenset({"*"}))

    @classmethod
    def plugin(cls, name: str, *permissions: str) -> Self:
        """A plugin acting on its own account."""
        return cls(kind="plugin", id=name, permissions=frozenset(permissions))

    @property
    def identity(self) -> str:
        """Who it is for idempotency keys: guests are told apart by the tokens they hold, of which this is a digest."""
        if self.kind != "guest" or not self.tokens:
            return str(self)
        return f"guest:{hashlib.sha256(' '.join(sorted(self.tokens)).encode()).hexdigest()[:32]}"

    @property
    def customer_id(self) -> CustomerId | None:
        """The customer this actor is, if it is one."""
        return CustomerId(self.id) if self.kind == "buyer" and self.id else None

    def may(self, permission: str, *, amount_minor: int | None = None, channel: ChannelId | None = None) -> bool:
        """Whether the actor holds ``permission``, within the limit for it and within its scope."""
        if not self.permissions & {permission, "*"}:
            return False
        if channel is not None and self.scope.channels is not None and channel not in self.scope.channels:
            return False
        limit = self.limits.get(permission)
        return amount_minor is None or limit is None or amount_minor <= limit

    def require(self, permission: str, *, amount_minor: int | None = None, channel: ChannelId | None = None) -> None:
        """Insist on :meth:`may`.

        :raises NotAllowedError: names the permission.
        """
        if not self.may(permission, amount_minor=amount_minor, channel=channel):
            raise NotAllowedError(permission=permission)

    def require_everywhere(self, permission: str) -> None:
        """Insist on a permission for things that do not know their channel: a scope of some channels is not enough.

        :raises NotAllowedError: names the permission.
        """
        self.require(permission)
        if self.scope.channels is not None:
            self.require(f"{permission}.all_channels")


def owns(actor: Actor, *, customer: CustomerId | None, token: str | None) -> bool:
    """Whether a thing of this customer, or opened by this token, is the actor's own. Empty never matches empty."""
    if customer is not None and actor.customer_id == customer:
        return True
    return bool(token) and token in actor.tokens
