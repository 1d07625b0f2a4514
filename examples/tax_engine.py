"""One rate for everything that goes to Singapore: a tax engine in one file."""

from decimal import Decimal

import eckit

name, version, eckit_interface = "gst", "1.0", {"tax": 1}

GST = Decimal("0.09")  # since 2024-01-01
LABEL = eckit.Text.of("GST 9%", zh="消费税 9%")


class SingaporeGst:
    code = "gst"

    def load(self, own, at):  # rates from tables of its own would be read here; this engine needs none
        return None

    def answer(self, facts, request):  # which rate for which item; the core checks it, computes and rounds
        return tuple(self._line(item) for item in request.items)

    def _line(self, item):
        if item.place.country != "SG":  # what is not known is refused, never taken for 0 %
            raise eckit.invalid("unknown-country", "country", item.place.country, limit="SG")
        return eckit.TaxLine(key=item.key, code="gst", rate=GST, label=LABEL, jurisdiction="SG")


@eckit.hookimpl
def register_tax_engines(settings):
    return (SingaporeGst(),)
