"""Fares within Japan to start from."""

import functools
import importlib.resources
import tomllib

from eckit import Text
from eckit.kernel.clock import day_bounds
from eckit_tablerate.fares import Rate, Service, accepted_rate


@functools.cache
def japan() -> tuple[Service, tuple[Rate, ...]]:
    """The service ``standard`` with fares to all 47 prefectures, by weight up to 25 kg, in yen with 10 % tax included.

    Source: public cash fares of 宅急便 from Kanto of October 2025; see ``data/japan.toml``. Whoever has a contract with
    a carrier puts its fares in their place.
    """
    text = (importlib.resources.files("eckit_tablerate") / "data" / "japan.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    service = Service(
        code="standard", label=Text.of("Standard delivery", ja="宅配便"), tax_class="standard", zone=table["zone"]
    )
    start, _ = day_bounds(table["valid_from"], table["zone"])
    rates = tuple(
        accepted_rate(
            Rate(
                service=service.code,
                country="JP",
                region=prefecture,
                max_weight_grams=weight,
                amount_minor=fare,
                currency="JPY",
                valid_from=start,
                lead_days=zone["lead_days"],
            )
        )
        for zone in table["zones"].values()
        for prefecture in zone["prefectures"]
        for weight, fare in zip(table["max_weight_grams"], zone["fares"], strict=True)
    )
    return service, rates
