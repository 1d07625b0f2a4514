"""A broken or slow plugin cannot hurt, whatever it is asked: it is named, core rows stay as they were, and the next
call works.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

import attrs
import pytest

from eckit import ObjectedError, PluginError, Product, Text, Variant, mint
from eckit.kernel.hookspecs import Kind
from eckit.tax import service as taxes
from tests.acceptance.faulty import FAULTS, MUTATES, OBJECTION, RAISES, REFUSES, WRITES
from tests.acceptance.faulty_things import CARD
from tests.acceptance.lab import NOTHING, Lab, Outcome, failed, late, placing, pricing, provoke, searching, sending
from tests.acceptance.trial import OPTION, STAFF
from tests.payment.fakes import answer, voucher

NOTES: Final = frozenset({"eckit_history", "eckit_outbox"})
MAILS: Final = frozenset({"eckit_mail"})


def _closed(outcome: Outcome) -> bool:
    """The operation failed, and names the plugin."""
    return isinstance(outcome.error, PluginError) and outcome.error.plugin == "faulty"


def _refused(outcome: Outcome) -> bool:
    """The operation is refused with what the plugin says, and nothing else."""
    return isinstance(outcome.error, ObjectedError) and (OBJECTION,) == outcome.error.objections


def _missing(outcome: Outcome) -> bool:
    """The answer is left out, and a failure record goes with the result."""
    return {"faulty"} == {failure.plugin for failure in outcome.value.failures}


def _objected(outcome: Outcome) -> bool:
    """It counts as an objection that names the plugin."""
    error = outcome.error
    return isinstance(error, ObjectedError) and {"faulty"} == {one.plugin for one in error.objections}


@attrs.frozen
class Case:
    """A hook: what makes the core ask it, how a failure shows, and what a call may write although the plugin failed.

    :ivar writable: whether mappings or lists can be reached from the facts it is given.
    :ivar refusing: how a refusal shows; by default the operation is refused, or it shows as a failure where that does
        not end the operation.
    """

    hook: str
    ready: Callable[[Lab], Callable[[], Any]]
    shows: Callable[[Outcome], bool] = _closed
    touches: frozenset[str] = NOTHING
    writable: bool = False
    refusing: Callable[[Outcome], bool] | None = None

    def shows_well(self, outcome: Outcome, fault: str) -> bool:
        if fault != REFUSES:
            return self.shows(outcome)
        return (self.refusing or (_refused if self.shows in (_closed, _objected) else self.shows))(outcome)


# -- what makes the core ask ------------------------------------------------------------------------------------------


def _paying(lab: Lab) -> Callable[[], Any]:
    buyer, order = lab.order()
    return lambda: lab.shop.take_payment(buyer, order.id)


def _publishing(lab: Lab) -> Callable[[], Any]:
    product, sku = mint("product"), mint("variant").upper()[-20:]
    made = Product(id=product, handle=sku.lower(), title=Text.of(sku), state="published")
    variant = Variant(id=mint("variant"), product_id=product, sku=sku)

    def publish() -> Any:
        with lab.shop.write(STAFF) as work:
            return work.catalog.save(made, [variant])

    return publish


def _checking_a_number(lab: Lab) -> Callable[[], Any]:
    def check() -> Any:
        with lab.shop.read(STAFF) as work:
            return taxes.check_tax_id(work, "vat", "DE123456789")

    return check


def _relaying(lab: Lab) -> Callable[[], Any]:
    lab.order()
    return lambda: lab.shop.relay_events()


def _applying_late_money(lab: Lab) -> Callable[[], Any]:
    """A slip is paid for an order that was canceled."""
    buyer, order = lab.order()
    gateway = lab.things.gateway
    gateway.script["begin"].append(answer(voucher(lab.trial.clock.now() + dt.timedelta(days=3))))
    lab.shop.take_payment(buyer, order.id)
    lab.shop.cancel_order(STAFF, order.id, reason="canceled")
    lab.fresh()
    name = lab.payment(order).begin_reference
    lab.ledger.move("capture", name, f"till-{name}", order.total)
    assert 200 == lab.shop.receive_notice(CARD, gateway.notice(gateway.view(name), f"evt-{name}")).status
    return lambda: lab.shop.apply_notices()


def _rounding(lab: Lab) -> Callable[[], Any]:
    return lambda: lab.shop.plugins.call.choose_price_rounding(amounts_minor=(1_013,), currency="JPY", market="jp")


def _closing_days(lab: Lab) -> Callable[[], Any]:
    today = dt.date(2026, 4, 1)
    return lambda: lab.shop.plugins.call.propose_closed_days(location="main", start=today, end=today)


# -- how a failure shows ----------------------------------------------------------------------------------------------


def _no_method(outcome: Outcome) -> bool:
    """No way to pay is offered, each for the reason that the plugin failed."""
    reasons = [(one.offered, {(why.code, why.plugin) for why in one.reasons}) for one in outcome.value.methods]
    return bool(reasons) and all(one == (False, {("payment-plugin-failed", "faulty")}) for one in reasons)


def _no_method_as_it_says(outcome: Outcome) -> bool:
    """No way to pay is offered, each for the reason that the plugin gives."""
    reasons = [(one.offered, {(why.code, why.plugin) for why in one.reasons}) for one in outcome.value.methods]
    return bool(reasons) and all(one == (False, {(OBJECTION.code, "faulty")}) for one in reasons)


def _waiting(outcome: Outcome) -> bool:
    return outcome.value.sent == 0 and outcome.value.waiting >= 1


def _heard(outcome: Outcome) -> bool:
    """The event is done, and nobody waits for a wish that never came."""
    return outcome.error is None


def _for_a_person(outcome: Outcome) -> bool:
    """The money is booked in any case, and a person decides."""
    return outcome.error is None and {"eckit_movement", "eckit_task"} <= outcome.touched


BOOKED: Final = NOTES | {
    "eckit_movement",
    "eckit_notice",
    "eckit_operation",
    "eckit_operation_step",
    "eckit_payment",
    "eckit_task",
}

CASES: Final = (
    Case("propose_adjustments", placing, writable=True),
    Case("propose_payment_fees", pricing, _missing, writable=True),
    Case("propose_shipping_changes", placing),
    Case("propose_closed_days", _closing_days, _missing),
    Case("propose_messages", _relaying, _heard, NOTES | MAILS),
    Case("check_order", placing, writable=True),
    Case("check_payment_method", pricing, _no_method, writable=True, refusing=_no_method_as_it_says),
    Case("check_payment_operation", _paying, _objected),
    Case("check_publishable", _publishing, writable=True),
    Case("check_tax_id", _checking_a_number),
    Case("choose_order_number", placing),
    Case("choose_allocation", placing),
    Case("choose_parcels", placing),
    Case("choose_tax_engine", placing),
    Case("choose_late_money", _applying_late_money, _for_a_person, BOOKED, writable=True),
    Case("choose_price_rounding", _rounding),
    Case("choose_search", searching),
    Case("choose_transport", sending, _waiting, NOTES | MAILS),
)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.hook)
def test_a_hook_that_goes_wrong_hurts_nothing(lab: Lab, case: Case, fault: str) -> None:
    """PLG-01, PLG-03, PLG-09, MNY-19: the plugin is named, nothing is written, and the next call works.

    One that refuses stops what can be stopped: not the booking of money, and not the other ways to pay. One that is
    only late is measured, and its answer used.
    """
    act = case.ready(lab)

    outcome = provoke(lab, fault, case.hook, act)

    assert lab.told.stopped or fault != MUTATES
    if fault == WRITES:
        assert case.writable == (lab.told.tried > 0)
    if failed(lab, fault):
        assert case.shows_well(outcome, fault), outcome
        assert outcome.touched <= case.touches
    else:
        assert outcome.error is None
        assert fault == WRITES or late(lab) >= 1
    lab.calm()
    before = lab.told.calls[case.hook]
    again = act if outcome.error is not None or not outcome.touched else case.ready(lab)
    assert again() is not None
    assert lab.told.calls[case.hook] > before


def test_every_hook_that_asks_has_a_case(lab: Lab) -> None:
    """A hook that is added later is added here too."""
    asking = {Kind.PROPOSE, Kind.CHECK, Kind.CHOOSE}
    expected = {name for name, spec in lab.shop.plugins.specs.items() if spec.kind in asking}
    assert expected == {case.hook for case in CASES}


def test_what_is_only_offered_is_left_out_and_the_rest_is_offered(lab: Lab) -> None:
    """PLG-09: a carrier that fails takes no other carrier with it."""
    ready = lab.cart()
    outcome = provoke(lab, RAISES, "QuotesFares.quote", lambda: lab.shop.price_cart(ready.buyer, ready.cart.id))
    assert [OPTION] == [option.option for group in outcome.value.groups for option in group.options]
    assert ready.quote.total_minor == outcome.value.total_minor


def test_late_money_is_decided_by_a_person_where_its_plugin_fails(lab: Lab) -> None:
    """The money is booked and neither given back nor applied to the canceled order."""
    act = _applying_late_money(lab)
    with lab.shop.read(STAFF) as work:
        there = len(work.payment.tasks())
    provoke(lab, RAISES, "choose_late_money", act)
    with lab.shop.read(STAFF) as work:
        tasks = work.payment.tasks()
    assert there + 1 == len(tasks)
    assert "late_money" in {task.kind for task in tasks}
