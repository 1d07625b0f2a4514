"""The carrier: fares from the tables, nothing else."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from eckit import CarrierSpec, Fare, FarePart, FareRequest, Problem, Refusal, Text, from_minor, to_minor
from eckit.kernel.clock import zone_of
from eckit_tablerate import verbs
from eckit_tablerate.fares import Facts, Rate, Service, find

CODE: Final = "tablerate"
_BASE: Final = Text.of("Fare", ja="運賃")
_FREE: Final = Text.of("Free delivery", ja="送料無料")
_EXCLUDED: Final = Text.of("Not delivered to this place.", ja="このお届け先には配送できません。")
_NO_TARIFF: Final = Text.of("There is no fare for this place yet.", ja="このお届け先の料金がまだありません。")
_NO_REGION: Final = Text.of("The fare depends on the prefecture or state.", ja="送料は都道府県によって異なります。")


class TableRate:
    """The carrier ``tablerate``. Its services stand in its tables, and so are not declared."""

    code = CODE
    spec = CarrierSpec(label=Text.of("Own fares", ja="自社設定の配送料"), services=())

    def check(self, request: FareRequest) -> tuple[Problem, ...]:
        """Nothing is wrong with any request: what cannot be had is refused service by service."""
        return ()

    def load(self, own: Any, at: dt.datetime) -> Facts:
        """All rows, past and future ones too: they are few, and a quote may be priced as of earlier."""
        return Facts.of(verbs.read_services(own), verbs.read_rates(own), verbs.read_excluded(own))

    def quote(self, facts: Facts, request: FareRequest) -> Sequence[Fare | Refusal]:
        """A fare or a refusal for each service: ``excluded_place``, ``no_tariff`` or ``too_heavy``.

        Each parcel costs its own fare; a fare is of the request's currency and tax basis, or there is none.
        """
        return [_answer(facts, service, request) for service in facts.services]


def _answer(facts: Facts, service: Service, request: FareRequest) -> Fare | Refusal:
    place, currency = request.destination, request.goods_value.currency.code
    if not facts.goes_to(service.code, place):
        return Refusal(service=service.code, code="excluded_place", message=_EXCLUDED)
    tariff = facts.tariff(service.code, place, currency, request.goods_include_tax, request.at)
    if not tariff:
        message = _NO_TARIFF if place.region else _NO_REGION
        return Refusal(service=service.code, code="no_tariff", message=message, path="" if place.region else "region")
    found: list[Rate] = []
    for parcel in request.parcels:
        rate = find(tariff, parcel.weight_grams)
        if rate is None:
            return _too_heavy(service, parcel.weight_grams, tariff[-1].max_weight_grams)
        found.append(rate)
    return _fare(service, found, request)


def _too_heavy(service: Service, weight: int, limit: int) -> Refusal:
    weighs, most = _kilograms(weight), _kilograms(limit)
    message = Text.of(
        f"Too heavy: a parcel of {weighs} kg; at most {most} kg can be sent.",
        ja=f"重量超過です（{weighs} kg）。1個あたり {most} kg まで配送できます。",
    )
    return Refusal(service=service.code, code="too_heavy", message=message, path="weight_grams")


def _kilograms(grams: int) -> str:
    whole, rest = divmod(grams, 1000)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".")


def _fare(service: Service, found: Sequence[Rate], request: FareRequest) -> Fare:
    currency = request.goods_value.currency.code
    amount = sum(rate.amount_minor for rate in found)
    parts = [FarePart(kind="base", label=_BASE, amount=from_minor(rate.amount_minor, currency)) for rate in found]
    if amount and _is_free(service, request):
        parts.append(FarePart(kind="discount", label=_FREE, amount=from_minor(-amount, currency)))
        amount = 0
    leads = [rate.lead_days for rate in found]
    known = [days for days in leads if days is not None]
    return Fare(
        service=service.code,
        label=service.label,
        total=from_minor(amount, currency),
        tax_included=request.goods_include_tax,
        tax_class=service.tax_class,
        parts=tuple(parts),
        earliest=_day(request.at, service.zone, max(known)) if known and len(known) == len(leads) else None,
        table=found[0].table if found else "",
    )


def _is_free(service: Service, request: FareRequest) -> bool:
    if service.free_from_minor is None or service.free_currency != request.goods_value.currency.code:
        return False
    return to_minor(request.goods_value) >= service.free_from_minor


def _day(at: dt.datetime, zone: str, days: int) -> dt.date:
    return at.astimezone(zone_of(zone)).date() + dt.timedelta(days=days)
