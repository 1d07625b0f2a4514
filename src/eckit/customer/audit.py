"""The invariants of customers, as queries."""

from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from eckit.customer.store import account, credential, customer, party
from eckit.kernel.auditing import Check, Violation, query
from eckit.kernel.errors import InvalidInputError
from eckit.kernel.facets import facet
from eckit.kernel.text import fold_email

_ERASED: Final = "personal data is outside the record"
_IDENTITY: Final = "no actor reaches another's data"
_NORMAL: Final = "account-key-is-normal"
_PERSONAL: Final = ("name", "kana", "company", "department", "email", "city")


def _keys(connection: sa.Connection) -> Iterator[Violation]:
    """Keys that are not their own normal form: two of them could be one mailbox. The key itself is not shown."""
    for row in connection.execute(sa.select(account.c.customer_id, account.c.email_key)):
        try:
            normal = fold_email(row.email_key, "email_key")
        except InvalidInputError:
            normal = ""
        if normal != row.email_key:
            yield Violation(invariant=_NORMAL, table=account.name, row=row.customer_id, detail="not in normal form")


_emptied: Final = sa.and_(
    *(party.c[name] == "" for name in _PERSONAL),
    *(party.c[name] == [] for name in ("tax_ids", "phones", "lines")),
    sa.func.length(party.c.postal_code) <= 3,
)
_target = customer.alias("target")


def _kept_on(kind: str, owner_id: sa.ColumnElement[str]) -> sa.Exists:
    """Whether a plugin's facet that is declared personal is kept on a thing."""
    return sa.exists().where(facet.c.owner_kind == kind, facet.c.owner_id == owner_id, facet.c.personal)


CHECKS: Final[tuple[Check, ...]] = (
    query(
        "erased-party-is-empty",
        _ERASED,
        party.name,
        sa.select(party.c.id).where(
            party.c.erased_at.is_not(None), sa.or_(sa.not_(_emptied), _kept_on("party", party.c.id))
        ),
    ),
    query(
        "erased-customer-leaves-nothing",
        _ERASED,
        customer.name,
        sa.select(customer.c.id).where(
            customer.c.erased_at.is_not(None),
            sa.or_(
                customer.c.party_id.is_not(None),
                customer.c.groups != [],
                sa.exists().where(account.c.customer_id == customer.c.id),
                sa.exists().where(credential.c.customer_id == customer.c.id),
                sa.exists().where(party.c.customer_id == customer.c.id, party.c.erased_at.is_(None)),
                _kept_on("customer", customer.c.id),
            ),
        ),
    ),
    Check(invariant=_NORMAL, clause=_IDENTITY, table=account.name, run=_keys),
    query(
        "one-account-of-a-mailbox",
        _IDENTITY,
        account.name,
        sa.select(sa.func.min(account.c.customer_id), sa.func.count())
        .group_by(account.c.email_key)
        .having(sa.func.count() > 1),
    ),
    query(
        "account-has-its-customer",
        _IDENTITY,
        account.name,
        sa.select(account.c.customer_id).where(~sa.exists().where(customer.c.id == account.c.customer_id)),
    ),
    query(
        "credential-opens-an-account",
        _IDENTITY,
        credential.name,
        sa.select(credential.c.customer_id, credential.c.kind).where(
            ~sa.exists().where(account.c.customer_id == credential.c.customer_id)
        ),
    ),
    query(
        "customer-has-its-party",
        _IDENTITY,
        customer.name,
        sa.select(customer.c.id, customer.c.party_id)
        .outerjoin_from(customer, party, party.c.id == customer.c.party_id)
        .where(
            customer.c.party_id.is_not(None),
            sa.or_(party.c.id.is_(None), party.c.customer_id.is_(None), party.c.customer_id != customer.c.id),
        ),
    ),
    query(
        "merged-into-a-customer",
        _IDENTITY,
        customer.name,
        sa.select(customer.c.id, customer.c.merged_into)
        .outerjoin_from(customer, _target, _target.c.id == customer.c.merged_into)
        .where(customer.c.merged_into.is_not(None), sa.or_(_target.c.id.is_(None), _target.c.id == customer.c.id)),
    ),
)
"""Every invariant that the tables of customer can violate."""
