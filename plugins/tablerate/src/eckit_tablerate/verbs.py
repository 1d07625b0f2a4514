"""What can be done with the tables. Every verb takes a ``Work`` of the shop and acts in its transaction."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import attrs
import sqlalchemy as sa
from moneyed import Money

from eckit import NotFoundError, Ref, Text, Work, invalid, to_minor
from eckit.kernel.stamps import upsert
from eckit_tablerate import tables
from eckit_tablerate.fares import Place, Rate, Service, accepted_place, accepted_rate, accepted_service
from eckit_tablerate.japan import japan

MANAGE: Final = "tablerate.write"
_CHUNK: Final = 500
_SERVICES: Final = sa.select(tables.service).order_by(tables.service.c.code)
_RATES: Final = sa.select(tables.rate).order_by(*tables.rate.primary_key)
_EXCLUDED: Final = sa.select(tables.excluded).order_by(*tables.excluded.primary_key)


# -- services ---------------------------------------------------------------------------------------------------------


def set_service(
    work: Work,
    *,
    code: str,
    label: Text,
    tax_class: str = "standard",
    zone: str = "UTC",
    free_from: Money | None = None,
) -> Service:
    """Add a service or change how it is called, taxed and given free; its fares stay. Needs ``tablerate.write``.

    :param tax_class: of its fares.
    :param zone: whose days the lead days of its fares are.
    :param free_from: goods worth at least this are delivered free, in the cart's own tax basis; None: never.
    :raises InvalidInputError: names the field.
    """
    work.actor.require(MANAGE)
    given = accepted_service(
        Service(
            code=code,
            label=label,
            tax_class=tax_class,
            zone=zone,
            free_from_minor=None if free_from is None else to_minor(free_from, "free_from"),
            free_currency=None if free_from is None else free_from.currency.code,
        )
    )
    _put_service(work, given)
    work.did("tablerate.set_service", Ref("tablerate.service", given.code))
    return given


def _put_service(work: Work, given: Service) -> None:
    values = attrs.asdict(given, recurse=False) | {"label": given.label.as_dict()}
    insert = upsert(work.connection, tables.service).values(values)
    changed = {name: insert.excluded[name] for name in values if name != "code"}
    work.own.execute(insert.on_conflict_do_update(index_elements=["code"], set_=changed))


def services(work: Work) -> tuple[Service, ...]:
    """All services, by code."""
    return read_services(work.own)


def read_services(own: Any) -> tuple[Service, ...]:
    """All services, as the carrier loads them."""
    return tuple(
        Service(
            code=row.code,
            label=Text(row.label),
            tax_class=row.tax_class,
            zone=row.zone,
            free_from_minor=row.free_from_minor,
            free_currency=row.free_currency,
        )
        for row in own.execute(_SERVICES)
    )


# -- fares ------------------------------------------------------------------------------------------------------------


def set_rate(
    work: Work,
    *,
    service: str,
    country: str,
    max_weight_grams: int,
    amount_minor: int,
    currency: str,
    valid_from: dt.datetime,
    valid_to: dt.datetime | None = None,
    region: str = "",
    tax_included: bool = True,
    lead_days: int | None = None,
    label: Text | None = None,
) -> Rate:
    """Put the fare of one parcel into the table, in place of one for the same. Needs ``tablerate.write``.

    A fare stays in force until its end or until a later one starts; quotes made under the old one are made anew. A
    service that is not there yet is made, called by ``label`` or its code.

    :param region: a prefecture or state; ``""`` for the whole country, where it has no fares of its own.
    :param max_weight_grams: weight it is for, this weight included.
    :param amount_minor: in minor units of ``currency``, for one parcel; with tax if ``tax_included``.
    :param valid_from: an aware instant; a day's start in a zone: ``clock.day_bounds(day, zone)[0]``.
    :param lead_days: days until it can arrive at the earliest.
    :raises InvalidInputError: names the field.
    """
    work.actor.require(MANAGE)
    given = accepted_rate(
        Rate(
            service=service,
            country=country,
            region=region,
            max_weight_grams=max_weight_grams,
            amount_minor=amount_minor,
            currency=currency,
            tax_included=tax_included,
            valid_from=valid_from,
            valid_to=valid_to,
            lead_days=lead_days,
        )
    )
    there = {one.code: one for one in services(work)}.get(service)
    if there is None:
        _put_service(work, accepted_service(Service(code=service, label=label or Text.of(service))))
    elif label is not None and label != there.label:
        _put_service(work, attrs.evolve(there, label=label))
    _put_rates(work, [given])
    work.did("tablerate.set_rate", Ref("tablerate.rate", given.table))
    return given


def _put_rates(work: Work, given: Sequence[Rate]) -> None:
    """All at once, each in place of an earlier one of its key."""
    for start in range(0, len(given), _CHUNK):
        rows = [attrs.asdict(rate, recurse=False) for rate in given[start : start + _CHUNK]]
        insert = upsert(work.connection, tables.rate).values(rows)
        changed = {name: insert.excluded[name] for name in ("valid_to", "amount_minor", "lead_days")}
        key = [column.name for column in tables.rate.primary_key]
        work.own.execute(insert.on_conflict_do_update(index_elements=key, set_=changed))


def remove_rate(
    work: Work,
    *,
    service: str,
    country: str,
    max_weight_grams: int,
    currency: str,
    valid_from: dt.datetime,
    region: str = "",
    tax_included: bool = True,
) -> bool:
    """Take a fare out of the table; whether there was one. Needs ``tablerate.write``."""
    work.actor.require(MANAGE)
    rate = accepted_rate(
        Rate(
            service=service,
            country=country,
            region=region,
            max_weight_grams=max_weight_grams,
            amount_minor=0,
            currency=currency,
            tax_included=tax_included,
            valid_from=valid_from,
        )
    )
    key = [column == getattr(rate, column.name) for column in tables.rate.primary_key]
    gone = work.own.execute(sa.delete(tables.rate).where(*key)).rowcount > 0
    if gone:
        work.did("tablerate.remove_rate", Ref("tablerate.rate", rate.table))
    return gone


def rates(work: Work) -> tuple[Rate, ...]:
    """All fares, by service, place, weight and start."""
    return read_rates(work.own)


def read_rates(own: Any) -> tuple[Rate, ...]:
    """All fares, as the carrier loads them."""
    return tuple(Rate(**row._mapping) for row in own.execute(_RATES))


# -- places -----------------------------------------------------------------------------------------------------------


def exclude(work: Work, *, service: str, country: str, region: str = "", postal_prefix: str = "") -> None:
    """Do not deliver to a country, a region of it, or postal codes that start like this. Needs ``tablerate.write``.

    :param postal_prefix: at most three signs: pricing knows no more of a destination.
    :raises NotFoundError: no such service.
    """
    work.actor.require(MANAGE)
    place = accepted_place(service, country, region, postal_prefix)
    if service not in {one.code for one in services(work)}:
        raise NotFoundError(kind="tablerate.service", id=service)
    insert = upsert(work.connection, tables.excluded).values(_excluded(place))
    work.own.execute(insert.on_conflict_do_nothing())
    work.did("tablerate.exclude", Ref("tablerate.service", service))


def include(work: Work, *, service: str, country: str, region: str = "", postal_prefix: str = "") -> bool:
    """Deliver there again; whether it was excluded. Needs ``tablerate.write``."""
    work.actor.require(MANAGE)
    place = _excluded(accepted_place(service, country, region, postal_prefix))
    same = [tables.excluded.c[name] == value for name, value in place.items()]
    gone = work.own.execute(sa.delete(tables.excluded).where(*same)).rowcount > 0
    if gone:
        work.did("tablerate.include", Ref("tablerate.service", service))
    return gone


def _excluded(place: Place) -> dict[str, str]:
    return dict(zip(("service", "country", "region", "postal_prefix"), place, strict=True))


def excluded(work: Work) -> tuple[Place, ...]:
    """Where services do not go: service, country, region, first signs of the postal code."""
    return read_excluded(work.own)


def read_excluded(own: Any) -> tuple[Place, ...]:
    """Where services do not go, as the carrier loads it."""
    return tuple((row.service, row.country, row.region, row.postal_prefix) for row in own.execute(_EXCLUDED))


# -- presets ----------------------------------------------------------------------------------------------------------


def preset_japan(work: Work, *, free_from: Money | None = None) -> tuple[Rate, ...]:
    """Put fares within Japan into the table: see :func:`japan`. Again changes nothing. Needs ``tablerate.write``.

    :param free_from: goods worth at least this are delivered free; in yen.
    """
    work.actor.require(MANAGE)
    if free_from is not None and free_from.currency.code != "JPY":
        raise invalid("unknown-currency", "free_from", free_from.currency.code, limit="JPY")
    service, given = japan()
    _put_service(
        work,
        attrs.evolve(
            service,
            free_from_minor=None if free_from is None else to_minor(free_from, "free_from"),
            free_currency=None if free_from is None else "JPY",
        ),
    )
    _put_rates(work, given)
    work.did("tablerate.preset_japan", Ref("tablerate.service", service.code))
    return given
