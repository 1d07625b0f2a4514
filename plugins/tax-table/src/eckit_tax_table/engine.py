"""The tax engine: rates from the table, nothing computed."""

import datetime as dt
from typing import Any

from eckit import TaxLine, TaxPlace, TaxRequest
from eckit_tax_table import verbs
from eckit_tax_table.rates import Rate, Table, find, table
from eckit_tax_table.settings import TaxTableSettings


class TaxTable:
    """The engine ``tax-table``."""

    code = "tax-table"

    def __init__(self, settings: TaxTableSettings) -> None:
        self._classes = settings.classes

    def load(self, own: Any, at: dt.datetime) -> Table:
        """All rates, past and future ones too: they are few, and a quote may be priced as of earlier."""
        return table(verbs.read(own))

    def answer(self, facts: Table, request: TaxRequest) -> tuple[TaxLine, ...]:
        """The rate of each item's class where it goes.

        :raises NoTaxRateError: the table has none for one of them.
        """
        known: dict[tuple[TaxPlace, str], Rate] = {}
        lines = []
        for item in request.items:
            key = (item.place, item.tax_class)
            rate = known.get(key)
            if rate is None:
                tax_class = self._classes.get(item.tax_class, item.tax_class)
                rate = known[key] = find(facts, item.place, tax_class, request.at)
            lines.append(_line(item.key, rate))
        return tuple(lines)


def _line(key: str, rate: Rate) -> TaxLine:
    jurisdiction = f"{rate.country}-{rate.region}" if rate.region else rate.country
    return TaxLine(key=key, code=rate.code, rate=rate.rate, label=rate.label, jurisdiction=jurisdiction)
