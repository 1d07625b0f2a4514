"""Every operation a gateway declares, each with the payment it is possible on: what many checks go through in turn."""

from collections.abc import Callable, Iterator

import attrs

from eckit.order.model import Order
from eckit.payment import rules
from eckit.payment.model import Capabilities, OperationKind, Payment, PaymentResult, StoredOperation
from eckit.testing.payments.bench import Bench
from eckit.testing.payments.seeding import SHOP, STAFF


@attrs.frozen(kw_only=True)
class Act:
    """One declared operation.

    :ivar kind: begin, capture, void or refund.
    :ivar prepared: makes a payment on which it is possible now.
    :ivar do: has the shop do it, for the whole amount.
    """

    kind: OperationKind
    bench: Bench
    prepared: Callable[[], Payment]
    do: Callable[[Payment], PaymentResult]

    def planned_next(self, payment: Payment) -> StoredOperation:
        """The operation as the core plans it next: of the beginning, the one that is planned already."""
        if self.kind is OperationKind.BEGIN:
            return rules.beginning(payment)
        sketch = rules.sketch(payment, self.kind, payment.amount_minor, self.bench.clock.now())
        name = rules.reference(self.bench.capabilities, SHOP, payment.id, self.kind, sketch.seq)
        return attrs.evolve(sketch, reference=name)

    def now(self, payment: Payment) -> StoredOperation:
        """The newest operation of this kind, as it is now."""
        return self.bench.operation(payment, self.kind)


def acts(bench: Bench) -> Iterator[Act]:
    """Every declared operation."""

    def begin(payment: Payment) -> PaymentResult:
        return bench.pay(_order_of(bench, payment))

    def capture(payment: Payment) -> PaymentResult:
        return bench.shop.capture_payment(STAFF, payment.id)

    def void(payment: Payment) -> PaymentResult:
        return bench.shop.void_payment(STAFF, payment.id)

    def refund(payment: Payment) -> PaymentResult:
        return bench.shop.refund_payment(STAFF, payment.id, payment.amount, key="all", reason="conformance")

    yield Act(kind=OperationKind.BEGIN, bench=bench, prepared=lambda: bench.payment(bench.order()), do=begin)
    kinds = declared_kinds(bench.capabilities)
    if OperationKind.CAPTURE in kinds:
        yield Act(kind=OperationKind.CAPTURE, bench=bench, prepared=bench.paid, do=capture)
    if OperationKind.VOID in kinds and bench.reserves:
        yield Act(kind=OperationKind.VOID, bench=bench, prepared=bench.paid, do=void)
    if OperationKind.REFUND in kinds:
        yield Act(kind=OperationKind.REFUND, bench=bench, prepared=bench.captured, do=refund)


def declared_kinds(declared: Capabilities) -> tuple[OperationKind, ...]:
    """Operations after the beginning that are declared."""
    kinds = (
        (OperationKind.CAPTURE, declared.capture != "none" and "authorize" in declared.flows),
        (OperationKind.VOID, declared.void),
        (OperationKind.REFUND, declared.refund != "none"),
    )
    return tuple(kind for kind, there in kinds if there)


def _order_of(bench: Bench, payment: Payment) -> Order:
    return bench.order_now(payment.order_id)
