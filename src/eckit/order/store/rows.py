"""Orders to rows and back, by hand."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from eckit.kernel.text import Text
from eckit.order.model import Amendment, Block, LineDelta, Order, OrderLine, OrderState
from eckit.order.rules import live_key
from eckit.pricing.model import Charge


def order_row(order: Order, openers: Iterable[str]) -> dict[str, Any]:
    """A new order's row."""
    return {
        "id": order.id,
        "number": order.number,
        "token": order.token,
        "channel_id": order.channel_id,
        "market_id": order.market_id,
        "origin": order.origin,
        "cart_id": order.cart_id,
        "cart_version": order.cart_version,
        "live_cart_key": live_key(order),
        "openers": sorted(openers),
        "customer_id": order.customer_id,
        "buyer": order.buyer,
        "bill_to": order.bill_to,
        "currency": order.currency,
        "locale": order.locale,
        "basis": order.basis,
        "state": order.state.value,
        "reason": order.reason,
        "placed_at": order.placed_at,
        "recorded_at": order.recorded_at,
        "confirmed_at": order.confirmed_at,
        "pay_by": order.pay_by,
        "version": order.version,
        "total_minor": order.total_minor,
        "current_total_minor": order.current_total_minor,
        "digest": order.digest,
    }


def line_rows(order: Order) -> list[dict[str, Any]]:
    """A new order's lines."""
    return [
        {
            "order_id": order.id,
            "id": line.id,
            "position": position,
            "group_id": line.group_id,
            "seller_id": line.seller_id,
            "variant_id": line.variant_id,
            "sku": line.sku,
            "title": line.title.as_dict(),
            "option": line.option.as_dict(),
            "steps": line.steps,
            "currency": order.currency,
            "unit_minor": line.unit_minor,
            "goods_minor": line.goods_minor,
            "total_minor": line.total_minor,
            "tax_class": line.tax_class,
            "supply": line.supply,
            "parent_id": line.parent_id,
        }
        for position, line in enumerate(order.lines)
    ]


def charge_rows(order: Order, charges: Sequence[Charge]) -> list[dict[str, Any]]:
    """A new order's charges."""
    return [_charge_row(order, charge, position) for position, charge in enumerate(charges)]


def _charge_row(order: Order, charge: Charge, position: int) -> dict[str, Any]:
    tax = charge.tax
    return {
        "order_id": order.id,
        "id": charge.id,
        "position": position,
        "target": charge.target,
        "kind": str(charge.kind),
        "code": charge.code,
        "label": charge.label.as_dict(),
        "currency": order.currency,
        "amount_minor": charge.amount_minor,
        "tax_class": charge.tax_class,
        "included": charge.included,
        "funded_by": charge.funded_by,
        "earned_by": charge.earned_by,
        "remitted_by": charge.remitted_by,
        "tax_code": tax.code if tax else None,
        "tax_rate": str(tax.rate) if tax else None,
        "tax_base_minor": tax.base_minor if tax else None,
        "jurisdiction": tax.jurisdiction if tax else None,
        "plugin": charge.plugin,
        "rule": charge.rule,
        "promotion_id": charge.promotion_id,
        "coupon": charge.coupon,
    }


def amendment_row(amendment: Amendment, currency: str) -> dict[str, Any]:
    """A new amendment's row."""
    return {
        "id": amendment.id,
        "order_id": amendment.order_id,
        "seq": amendment.seq,
        "kind": amendment.kind,
        "state": amendment.state,
        "deltas": [[delta.line_id, delta.steps] for delta in amendment.deltas],
        "currency": currency,
        "amount_minor": amendment.amount_minor,
        "reason": amendment.reason,
        "by": amendment.by,
        "at": amendment.at,
        "body": dict(amendment.body),
        "previous_digest": amendment.previous_digest,
        "digest": amendment.digest,
    }


def block_row(block: Block) -> dict[str, Any]:
    """A new block's row."""
    return {
        "id": block.id,
        "order_id": block.order_id,
        "kind": block.kind,
        "reason": block.reason,
        "group_id": block.group_id,
        "until": block.until,
        "placed_by": block.placed_by,
        "placed_at": block.placed_at,
    }


def order_of(
    row: sa.Row[Any],
    lines: Mapping[str, Sequence[OrderLine]],
    amendments: Mapping[str, Sequence[Amendment]],
    blocks: Mapping[str, Sequence[Block]],
) -> Order:
    """The order a row is of, with what hangs on it."""
    return Order(
        id=row.id,
        number=row.number,
        token=row.token,
        channel_id=row.channel_id,
        market_id=row.market_id,
        origin=row.origin,
        cart_id=row.cart_id,
        cart_version=row.cart_version,
        customer_id=row.customer_id,
        buyer=row.buyer,
        bill_to=row.bill_to,
        currency=row.currency,
        locale=row.locale,
        basis=row.basis,
        state=OrderState(row.state),
        reason=row.reason,
        placed_at=row.placed_at,
        recorded_at=row.recorded_at,
        confirmed_at=row.confirmed_at,
        pay_by=row.pay_by,
        version=row.version,
        total_minor=row.total_minor,
        current_total_minor=row.current_total_minor,
        digest=row.digest,
        lines=tuple(lines.get(row.id, ())),
        amendments=tuple(amendments.get(row.id, ())),
        blocks=tuple(blocks.get(row.id, ())),
    )


def line_of(row: sa.Row[Any]) -> OrderLine:
    """The line a row is of."""
    return OrderLine(
        id=row.id,
        order_id=row.order_id,
        group_id=row.group_id,
        seller_id=row.seller_id,
        variant_id=row.variant_id,
        sku=row.sku,
        title=Text(row.title),
        option=Text(row.option),
        steps=row.steps,
        unit_minor=row.unit_minor,
        goods_minor=row.goods_minor,
        total_minor=row.total_minor,
        tax_class=row.tax_class,
        supply=row.supply,
        canceled_steps=row.canceled_steps,
        shipped_steps=row.shipped_steps,
        returned_steps=row.returned_steps,
        parent_id=row.parent_id,
    )


def amendment_of(row: sa.Row[Any]) -> Amendment:
    """The amendment a row is of."""
    return Amendment(
        id=row.id,
        order_id=row.order_id,
        seq=row.seq,
        kind=row.kind,
        state=row.state,
        deltas=tuple(LineDelta(line_id=line_id, steps=steps) for line_id, steps in row.deltas),
        amount_minor=row.amount_minor,
        reason=row.reason,
        by=row.by,
        at=row.at,
        body=row.body,
        previous_digest=row.previous_digest,
        digest=row.digest,
    )


def block_of(row: sa.Row[Any]) -> Block:
    """The block a row is of."""
    return Block(
        id=row.id,
        order_id=row.order_id,
        kind=row.kind,
        reason=row.reason,
        group_id=row.group_id,
        until=row.until,
        placed_by=row.placed_by,
        placed_at=row.placed_at,
        lifted_by=row.lifted_by,
        lifted_at=row.lifted_at,
    )
