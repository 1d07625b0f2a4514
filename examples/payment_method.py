"""Pay at the counter, in cash, when the goods are handed over: a payment method in one file."""

import datetime as dt

import eckit

name, version, eckit_interface = "counter", "1.0", {"payment": 1}


class AtTheCounter:
    id = "counter.cash"
    label = eckit.Text.of("Pay at the counter", ja="店頭でお支払い")

    def capabilities(self):
        return eckit.Capabilities(
            currencies={"JPY": (1, 300_000)}, capture="partial", void=True, not_found_after=dt.timedelta(0)
        )

    def begin(self, io, op):  # the promise to pay: nothing leaves the shop, so nothing can be in doubt
        return eckit.Authorized(money=op.money, movement_ref=op.reference, provider_ref=op.reference, at=io.now())

    def capture(self, io, op):  # asked when the goods are handed over
        return eckit.Captured(money=op.money, movement_ref=op.reference, provider_ref=op.provider_ref, at=io.now())

    def void(self, io, op):
        return eckit.Voided(money=op.money, movement_ref=op.reference, provider_ref=op.provider_ref, at=io.now())

    def query(self, io, q):  # nobody keeps books but the shop: what is not written down there did not happen
        if q.provider_ref is None:
            return eckit.NoSuchPayment()
        return eckit.Snapshot(begin_reference=q.begin_reference, provider_ref=q.provider_ref, status="authorized")

    def open_webhook(self, raw, now):
        return eckit.ForgedNotice(why="nobody sends notices about cash")


@eckit.hookimpl
def register_payment_gateways(settings):
    return (AtTheCounter(),)
