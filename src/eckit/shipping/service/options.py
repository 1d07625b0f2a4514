"""Delivery options: every carrier asked by itself, in the transaction that prices."""

from collections.abc import Mapping, Sequence
from typing import Final

import attrs
from moneyed import Money

from eckit.kernel.errors import Objection, PluginError, Problem
from eckit.kernel.hookspecs import DROP
from eckit.kernel.own import Own
from eckit.kernel.plugins import FailureRecord, Plugins, Registered
from eckit.pricing.model import ShippingOffer
from eckit.shipping import hooks, rules
from eckit.shipping.model import Carrier, Fare, FareRequest, ParcelItem, ParcelPlan, QuotesFares, Refusal

CARRIERS: Final = "shipping.carriers"


def parcels(plugins: Plugins, items: Sequence[ParcelItem]) -> tuple[ParcelPlan, ...]:
    """Into which parcels goods would go."""
    return hooks.ask_parcels(plugins, tuple(items)) or rules.one_parcel(items)


def options(
    plugins: Plugins, own: Own, stamps: Mapping[str, int], request: FareRequest, *, locale: str = "en"
) -> tuple[list[ShippingOffer], list[Objection], tuple[FailureRecord, ...]]:
    """Every way to deliver, cheapest first; what cannot be had with its reason; carriers that failed.

    :param own: reads the tables of carriers that keep fares in tables of their own.
    :param stamps: version of ``plugin:<name>`` for each carrier's plugin, as read for this pricing.
    """
    offers: list[ShippingOffer] = []
    objections: list[Objection] = []
    failures: list[FailureRecord] = []
    for entry in plugins.things(CARRIERS):
        try:
            asked = _apart(request)
            against = _against(plugins, entry, asked)
            answers = () if against else _quoted(plugins, entry, own, stamps, asked)
        except PluginError as error:
            failures.append(FailureRecord(plugin=entry.plugin, hook=error.hook, reason=error.reason))
            continue
        objections += rules.objections(entry.code, entry.plugin, against, locale)
        objections += [
            rules.objection(entry.code, entry.plugin, answer, locale)
            for answer in answers
            if isinstance(answer, Refusal)
        ]
        found, troubles = _usable(plugins, entry, answers, request)
        offers += found
        failures += troubles
    changes = [
        (answer.plugin, change)
        for answer in hooks.ask_changes(plugins, _apart(request), tuple(offers))
        for change in answer.value
    ]
    offers, hidden = rules.changed(offers, changes, request.goods_value.currency.code)
    return sorted(offers, key=lambda one: (one.amount_minor, one.option)), [*objections, *hidden], tuple(failures)


def _apart(request: FareRequest) -> FareRequest:
    """The request for one plugin: a ``Money`` can be changed, and what one does to it is not to reach the others."""
    value = request.goods_value
    return attrs.evolve(request, goods_value=Money(value.amount, value.currency))


def _against(plugins: Plugins, entry: Registered[Carrier], request: FareRequest) -> tuple[Problem, ...]:
    problems: object = plugins.guarded(entry.plugin, "check", entry.thing.check, request, failure=DROP)
    if not (isinstance(problems, tuple) and all(isinstance(problem, Problem) for problem in problems)):
        raise PluginError(plugin=entry.plugin, hook="check", reason="answered no tuple of problems")
    return problems


def _usable(
    plugins: Plugins, entry: Registered[Carrier], answers: Sequence[Fare | Refusal], request: FareRequest
) -> tuple[list[ShippingOffer], list[FailureRecord]]:
    """The fares of one carrier that can be offered, and what is wrong with the others."""
    offers: dict[str, ShippingOffer] = {}
    failures = []
    for fare in answers:
        if isinstance(fare, Refusal):
            continue
        trouble = "service answered twice" if fare.service in offers else rules.fare_trouble(fare, request)
        if trouble is None:
            offers[fare.service] = rules.offer(entry.code, entry.plugin, plugins.infos[entry.plugin].version, fare)
        else:
            failures.append(FailureRecord(plugin=entry.plugin, hook="quote", reason=f"{fare.service}: {trouble}"))
    return list(offers.values()), failures


def _quoted(
    plugins: Plugins, entry: Registered[Carrier], own: Own, stamps: Mapping[str, int], request: FareRequest
) -> Sequence[Fare | Refusal]:
    carrier: object = entry.thing
    if not isinstance(carrier, QuotesFares):
        return ()
    facts = plugins.cached(
        entry.plugin,
        f"carrier:{entry.code}",
        stamps.get(f"plugin:{entry.plugin}", 0),
        lambda: plugins.guarded(entry.plugin, "load", carrier.load, own, request.at, failure=DROP),
    )
    answers = plugins.guarded(entry.plugin, "quote", carrier.quote, facts, request, failure=DROP)
    if not (isinstance(answers, list | tuple) and all(isinstance(answer, Fare | Refusal) for answer in answers)):
        raise PluginError(plugin=entry.plugin, hook="quote", reason="answered neither fares nor refusals")
    return answers
