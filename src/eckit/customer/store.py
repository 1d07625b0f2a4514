"""Tables of customer: the only ones that hold personal data."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import attrs
import sqlalchemy as sa

from eckit.customer.model import Address, Consent, Credential, Customer, Party
from eckit.kernel.ids import CustomerId, PartyId
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.kernel.stamps import upsert
from eckit.kernel.tables import Json, at, core_table, ident
from eckit.kernel.work import Work

customer = core_table(
    "customer",
    ident("id", primary_key=True),
    ident("kind"),
    sa.Column("locale", sa.String(20), nullable=False),
    sa.Column("groups", Json, nullable=False),
    ident("party_id", nullable=True),
    ident("merged_into", nullable=True),
    at("created_at"),
    at("erased_at", nullable=True),
)


def _text(name: str, length: int = 200) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False, server_default="")


party = core_table(
    "party",
    ident("id", primary_key=True),
    _text("name"),
    _text("kana"),
    _text("company"),
    _text("department"),
    sa.Column("tax_ids", Json, nullable=False),
    _text("email", 254),
    _text("email_kind", 10),
    sa.Column("phones", Json, nullable=False),
    _text("country", 2),
    _text("region", 100),
    _text("postal_code", 16),
    _text("city", 100),
    sa.Column("lines", Json, nullable=False),
    sa.Column("purposes", Json, nullable=False),
    at("keep_until", nullable=True),
    ident("channel_id", nullable=True),
    ident("customer_id", nullable=True),
    at("created_at"),
    at("erased_at", nullable=True),
    sa.Index("ix_eckit_party_customer", "customer_id"),
)

account = core_table(
    "account",
    ident("customer_id", primary_key=True),
    # the normal form made in Python: the databases' own lower() differ
    sa.Column("email_key", sa.String(300), nullable=False, unique=True),
    sa.CheckConstraint("email_key <> ''", name="email_key"),
)

credential = core_table(
    "credential",
    ident("customer_id", primary_key=True),
    ident("kind", primary_key=True),
    ident("scheme"),
    sa.Column("data", Json, nullable=False),
    sa.Column("rehash_wanted", sa.Boolean, nullable=False),
)

consent = core_table(
    "consent",
    ident("id", primary_key=True),
    sa.Column("owner", sa.String(120), nullable=False),
    ident("purpose"),
    sa.Column("granted", sa.Boolean, nullable=False),
    ident("asserted_by"),
    ident("text_version"),
    at("at"),
    sa.Index("ix_eckit_consent_owner", "owner", "purpose"),
)


# -- parties ----------------------------------------------------------------------------------------------------------


def add_party(work: Work, one: Party, customer_id: CustomerId | None) -> None:
    """Insert a party."""
    place = one.address or Address(country="")
    work.execute(
        sa.insert(party).values(
            id=one.id,
            name=one.name,
            kana=one.kana,
            company=one.company,
            department=one.department,
            tax_ids=[list(pair) for pair in one.tax_ids],
            email=one.email,
            email_kind=one.email_kind,
            phones=list(one.phones),
            country=place.country,
            region=place.region,
            postal_code=place.postal_code,
            city=place.city,
            lines=list(place.lines),
            purposes=list(one.purposes),
            keep_until=one.keep_until,
            channel_id=one.channel_id,
            customer_id=customer_id,
            created_at=work.now,
        )
    )


def _party(row: Any) -> Party:
    address = Address(
        country=row.country,
        region=row.region,
        postal_code=row.postal_code,
        city=row.city,
        lines=tuple(row.lines),
    )
    return Party(
        id=row.id,
        name=row.name,
        kana=row.kana,
        company=row.company,
        department=row.department,
        tax_ids=tuple((scheme, number) for scheme, number in row.tax_ids),
        email=row.email,
        email_kind=row.email_kind,
        phones=tuple(row.phones),
        address=address if row.country else None,
        purposes=tuple(row.purposes),
        keep_until=row.keep_until,
        channel_id=row.channel_id,
        erased_at=row.erased_at,
    )


def parties(work: Work, ids: Iterable[PartyId]) -> dict[PartyId, tuple[Party, CustomerId | None]]:
    """Parties by id, each with the customer it belongs to."""
    rows = work.execute(sa.select(party).where(party.c.id.in_(sorted(set(ids)))))
    return {row.id: (_party(row), row.customer_id) for row in rows}


def parties_of(work: Work, customer_id: CustomerId) -> tuple[Party, ...]:
    """Every party of a customer."""
    rows = work.execute(sa.select(party).where(party.c.customer_id == customer_id).order_by(party.c.id))
    return tuple(map(_party, rows))


def overwrite_party(work: Work, party_id: PartyId, columns: dict[str, object]) -> None:
    """Empty a party's personal columns."""
    work.execute(sa.update(party).where(party.c.id == party_id).values(**columns, erased_at=work.now))


# -- customers --------------------------------------------------------------------------------------------------------


def put_customer(work: Work, one: Customer) -> bool:
    """Insert or change a customer; False if it was erased."""
    values = {
        "id": one.id,
        "kind": one.kind,
        "locale": one.locale,
        "groups": sorted(one.groups),
        "party_id": one.party_id,
        "merged_into": one.merged_into,
    }
    insert = upsert(work.connection, customer).values(**values, created_at=work.now)
    kept = insert.on_conflict_do_update(index_elements=["id"], set_=values, where=customer.c.erased_at.is_(None))
    return work.execute(kept.returning(customer.c.id)).one_or_none() is not None


def was_erased(work: Work, customer_id: CustomerId) -> bool:
    """Whether there was such a customer."""
    return work.execute(sa.select(customer.c.id).where(customer.c.id == customer_id)).one_or_none() is not None


def customer_of(work: Work, customer_id: CustomerId, *, lock: bool = False) -> Customer | None:
    """One customer, without facets; locked until the end of the transaction if wished for."""
    query = sa.select(customer).where(customer.c.id == customer_id, customer.c.erased_at.is_(None))
    row = work.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        return None
    return Customer(
        id=row.id,
        kind=row.kind,
        locale=row.locale,
        groups=frozenset(row.groups),
        party_id=row.party_id,
        merged_into=row.merged_into,
    )


def erase_customer(work: Work, customer_id: CustomerId, at: dt.datetime) -> None:
    """Take away account, credentials and the link to the party."""
    work.execute(sa.delete(account).where(account.c.customer_id == customer_id))
    work.execute(sa.delete(credential).where(credential.c.customer_id == customer_id))
    work.execute(sa.update(customer).where(customer.c.id == customer_id).values(party_id=None, erased_at=at, groups=[]))


# -- accounts ---------------------------------------------------------------------------------------------------------


def claim_email(work: Work, customer_id: CustomerId, email_key: str) -> bool:
    """Take an e-mail address for an account; False if it is taken."""
    insert = upsert(work.connection, account).values(customer_id=customer_id, email_key=email_key)
    taken = insert.on_conflict_do_nothing(index_elements=["email_key"]).returning(account.c.customer_id)
    return work.execute(taken).one_or_none() is not None


def by_email(work: Work, email_key: str) -> CustomerId | None:
    """The customer whose account has this address."""
    query = sa.select(account.c.customer_id).where(account.c.email_key == email_key)
    return work.execute(query).scalar_one_or_none()


def put_credential(work: Work, one: Credential) -> None:
    """Insert or replace a credential."""
    values = attrs.asdict(one, recurse=False)
    insert = upsert(work.connection, credential).values(values)
    work.execute(insert.on_conflict_do_update(index_elements=["customer_id", "kind"], set_=values))


def credential_of(work: Work, customer_id: CustomerId, kind: str) -> Credential | None:
    """The credential of a kind."""
    row = work.execute(
        sa.select(credential).where(credential.c.customer_id == customer_id, credential.c.kind == kind)
    ).one_or_none()
    return None if row is None else Credential(**row._mapping)


def add_consent(work: Work, one: Consent) -> None:
    """Insert a consent."""
    values = attrs.asdict(one, recurse=False) | {"owner": str(one.owner), "id": mint("consent")}
    work.execute(sa.insert(consent).values(values))


def consents(work: Work, owner: Ref) -> tuple[Consent, ...]:
    """Every consent of an owner, oldest first."""
    rows = work.execute(sa.select(consent).where(consent.c.owner == str(owner)).order_by(consent.c.at, consent.c.id))
    return tuple(
        Consent(
            owner=owner,
            purpose=row.purpose,
            granted=row.granted,
            asserted_by=row.asserted_by,
            text_version=row.text_version,
            at=row.at,
        )
        for row in rows
    )
