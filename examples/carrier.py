"""A courier by bicycle: one service with one fare, in Tokyo only. A carrier in one file."""

from moneyed import Money

import eckit

name, version, eckit_interface = "bicycle", "1.0", {"shipping": 1}

TODAY = eckit.ServiceSpec(
    code="today", label=eckit.Text.of("By bicycle, today", ja="自転車便（当日）"), max_weight_grams=8_000
)


class Bicycle:
    code = "bicycle"
    spec = eckit.CarrierSpec(label=eckit.Text.of("Bicycle courier", ja="自転車便"), services=(TODAY,))

    def check(self, request):
        return ()

    def load(self, own, at):  # facts from tables of its own would be read here; this carrier needs none
        return None

    def quote(self, facts, request):
        if request.destination.region != "東京都":
            return (self._refusal("excluded_place", "Only within Tokyo.", "東京都内のみです。"),)
        if sum(parcel.weight_grams for parcel in request.parcels) > TODAY.max_weight_grams:
            return (self._refusal("too_heavy", "Too heavy for a bicycle.", "自転車には重すぎます。"),)
        fare = Money(600, "JPY")
        return (eckit.Fare(service="today", label=TODAY.label, total=fare, tax_included=True, table="2026-04"),)

    def _refusal(self, code, en, ja):
        return eckit.Refusal(service="today", code=code, message=eckit.Text.of(en, ja=ja))


@eckit.hookimpl
def register_carriers(settings):
    return (Bicycle(),)
