"""Exchange rates from a file that the bookkeeper keeps: a rate source in one file.

Each line of the file says since when, for which pair, how much: ``2026-04-01,EUR,JPY,161.50``.
"""

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path

import attrs

import eckit

name, version, eckit_interface = "ledger-rates", "1.0", {"currency": 1, "host": 1}


@attrs.frozen(kw_only=True)
class LedgerRates:
    file: Path
    code = "ledger-rates"

    def rate(self, base, quote, at):  # asked with no transaction open: it may read files, or use the network
        rows = csv.reader(self.file.read_text(encoding="utf-8").splitlines())
        known = {self._day(row[0]): Decimal(row[3]) for row in rows if row[1:3] == [base, quote]}
        since = max((day for day in known if day <= at), default=None)
        if since is None:
            return None  # unknown is an answer; it is never 1
        return eckit.Rate(base=base, quote=quote, rate=known[since], source=self.code, at=since)

    def _day(self, text):
        return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


register_settings = eckit.hookimpl(lambda: LedgerRates)  # [plugins.ledger-rates] file = "rates.csv"


@eckit.hookimpl
def register_rate_sources(settings):
    return (settings,)
