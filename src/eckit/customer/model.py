"""Who buys, and where it goes: customers, parties, addresses, credentials, consents."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

import attrs

from eckit.kernel.events import Event
from eckit.kernel.freezing import frozen_map
from eckit.kernel.ids import ChannelId, CustomerId, PartyId
from eckit.kernel.refs import Ref


@attrs.frozen(kw_only=True)
class TaxPlace:
    """Where something goes, as far as tax, statistics and fares need it; no personal data, kept after erasure."""

    country: str
    region: str = ""
    postal_prefix: str = ""


@attrs.frozen(kw_only=True)
class Address:
    """A postal address.

    :ivar country: ISO 3166-1 alpha-2.
    :ivar region: prefecture or state: in Japan the name as written, ``東京都``.
    :ivar lines: street, block, building, from general to particular.
    """

    country: str
    postal_code: str = ""
    region: str = ""
    city: str = ""
    lines: tuple[str, ...] = ()

    def place(self) -> TaxPlace:
        """What may be kept of it without naming anybody."""
        return TaxPlace(country=self.country, region=self.region, postal_prefix=self.postal_code[:3])


@attrs.frozen(kw_only=True)
class Party:
    """A person or company as named in one place: buyer, bill-to, recipient, sender. A correction is a new one.

    The only rows that hold personal data.
    """

    id: PartyId
    name: str
    kana: str = ""
    company: str = ""
    department: str = ""
    tax_ids: tuple[tuple[str, str], ...] = ()
    email: str = ""
    email_kind: str = "none"
    phones: tuple[str, ...] = ()
    address: Address | None = None
    purposes: tuple[str, ...] = ()
    keep_until: dt.datetime | None = None
    channel_id: ChannelId | None = None
    erased_at: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class Customer:
    """Somebody the shop knows. An e-mail address is not an identity; accounts are."""

    id: CustomerId
    kind: str = "person"
    locale: str = "en"
    groups: frozenset[str] = frozenset()
    party_id: PartyId | None = None
    merged_into: CustomerId | None = None
    facets: Mapping[type, Any] = attrs.field(converter=frozen_map, factory=dict, hash=False, eq=False, repr=False)

    def facet(self, kind: type) -> Any:
        """The plugin's extra facts of this kind, or None."""
        return self.facets.get(kind)


@attrs.frozen(kw_only=True)
class Credential:
    """How an account proves itself; ``data`` is the scheme's own (a hash, never a password)."""

    customer_id: CustomerId
    kind: str
    scheme: str
    data: Any = attrs.field(repr=False)
    rehash_wanted: bool = False


@runtime_checkable
class PasswordScheme(Protocol):
    """Makes and verifies password hashes. A foreign scheme verifies only, and its hashes are replaced at sign-in."""

    @property
    def code(self) -> str:
        """Names it in stored credentials."""
        ...

    def hash(self, password: str) -> str | None:
        """The hash to store, or None if this scheme only verifies old ones."""
        ...

    def verify(self, data: str, password: str) -> bool:
        """Whether the password matches."""
        ...


@attrs.frozen(kw_only=True)
class Consent:
    """What somebody agreed to. Append-only; the newest of a purpose counts."""

    owner: Ref
    purpose: str
    granted: bool
    asserted_by: str
    text_version: str
    at: dt.datetime


@attrs.frozen(kw_only=True)
class Permission:
    """A permission code a plugin or the core registers; ``amount_limit`` tells whether it may carry one."""

    code: str
    amount_limit: bool = False


@attrs.frozen(kw_only=True)
class CustomerErased(Event):
    """A customer's personal data is gone."""

    name: ClassVar[str] = "customer.erased"
    customer_id: CustomerId

    @property
    def subject(self) -> Ref:
        """The customer."""
        return Ref("customer", self.customer_id)
