"""A shop in which everything has been used once, for those who try to misuse it."""

from collections.abc import Callable
from typing import Any, Final

import attrs

from eckit import Actor, Category, Customer, EckitError, Text, mint
from tests.acceptance.trial import STAFF, Trial


@attrs.define(kw_only=True)
class Scene:
    """A cart, an order with a payment, a shipped one; who may touch them, and somebody else's things."""

    trial: Trial
    cart: Any
    guest: Actor
    order: Any
    buyer: Actor
    payment: str
    operation: str
    line: str
    variant: str
    customer: str
    category: str
    promotion: str
    parcel: str
    block: str

    @classmethod
    def of(cls, trial: Trial) -> "Scene":
        """Set the scene."""
        variant = trial.goods("TEA-50", 648, 50, tax_class="reduced")
        buyer, order = trial.order(("TEA-50", 1))
        paid = trial.pay(buyer, order)
        assert paid.payment is not None
        cart = trial.cart(("TEA-50", 2))
        with trial.shop.read(cart.buyer) as work:
            line = work.cart.get(cart.cart.id).lines[0].id
        customer, category = mint("customer"), mint("category")
        with trial.shop.write(STAFF) as work:
            work.customer.save_customer(Customer(id=customer))
            work.catalog.save_category(Category(id=category, code="tea", title=Text.of("Tea", ja="お茶")))
        shipped, parcel = _shipped(trial)
        with trial.shop.write(STAFF) as work:
            block = work.order.place_block(shipped, "review")
        return cls(
            trial=trial,
            cart=cart.cart,
            guest=cart.buyer,
            order=order,
            buyer=buyer,
            payment=paid.payment.id,
            operation=paid.payment.operations[0].id,
            line=line,
            variant=variant,
            customer=customer,
            category=category,
            promotion=trial.coupon("TENOFF"),
            parcel=parcel,
            block=block.id,
        )

    def staff(self, call: Callable[[Any], object]) -> None:
        """A verb, asked by staff."""
        with self.trial.shop.write(STAFF) as work:
            call(work)

    def own(self, call: Callable[[Any], object]) -> None:
        """A verb, asked by the cart's holder."""
        with self.trial.shop.write(self.guest) as work:
            call(work)


def _shipped(trial: Trial) -> tuple[str, str]:
    """An order that has left, and its parcel."""
    buyer, order = trial.order(("TEA-50", 1))
    trial.pay(buyer, order)
    return order.id, trial.shop.ship_order(STAFF, order.id, number="1234567890")[0].id


LONG: Final = "x" * 30_000

Case = tuple[str, str, Callable[[Scene], object]]
"""The verb, what is wrong, and the call."""


@attrs.define(kw_only=True, eq=False)
class AnsweredError(EckitError):
    """A notice is answered, not raised at: 4xx says it is never acceptable."""

    code = "answered"
    status: int
