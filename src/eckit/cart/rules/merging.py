"""Two carts become one."""

import attrs

from eckit.cart.errors import CannotMergeError
from eckit.cart.model import Cart, CartEvent
from eckit.cart.rules.access import MOVES, require_open
from eckit.cart.rules.inputs import quantity
from eckit.cart.rules.lines import add_group, is_plain, replaced, same_thing, with_lines
from eckit.cart.rules.wishes import add_code, set_refs, touched
from eckit.kernel.states import move


def merge(source: Cart, into: Cart) -> tuple[Cart, Cart]:
    """What becomes of an anonymous cart and the cart it is merged into. Doing it again changes nothing.

    Steps of the same thing are added up. Groups of the source that have a destination come along; other lines go to
    the first group. What the target has chosen (buyer, method, references) wins over the source's.

    :raises CannotMergeError: the source has a customer, or is of another channel or market.
    :raises CartAbandonedError: one of them is over, and not by this merge.
    :raises InvalidInputError: together they are over a limit.
    """
    require_open(into)
    if source.id == into.id or source.merged_into == into.id:
        return source, into
    require_open(source)
    for reason, differs in (
        ("has-customer", source.customer_id is not None),
        ("other-channel", source.channel_id != into.channel_id),
        ("other-market", source.market_id != into.market_id),
    ):
        if differs:
            raise CannotMergeError(reason=reason)
    merged = _with_groups_of(into, source)
    for code in source.codes:
        merged = add_code(merged, code)
    merged = attrs.evolve(
        merged,
        buyer=into.buyer or source.buyer,
        method=into.method or source.method,
        touches=touched((*into.touches, *source.touches)),
    )
    merged = set_refs(merged, {name: text for name, text in source.client_refs.items() if name not in into.client_refs})
    over = attrs.evolve(source, state=move(MOVES, source.state, CartEvent.MERGED), merged_into=into.id)
    return over, merged


def _with_groups_of(into: Cart, source: Cart) -> Cart:
    """The target with the source's lines, and its groups that know where they go.

    If the target's first group goes nowhere yet, it goes where the source's first one does.
    """
    merged, first = into, into.groups[0].id
    moves = {group.id: first for group in source.groups}
    for group in source.groups:
        if group.destination is None:
            continue
        if merged.groups[0].destination is None and group is source.groups[0]:
            merged = attrs.evolve(merged, groups=(attrs.evolve(group, id=first), *merged.groups[1:]))
        else:
            moves[group.id] = group.id
            merged = add_group(merged, group)
    for line in source.lines:
        moved = attrs.evolve(line, group_id=moves[line.group_id])
        same = same_thing(merged, moved.variant_id, moved.choices, moved.group_id)
        if same is not None and is_plain(line, source.lines):
            merged = replaced(merged, attrs.evolve(same, steps=quantity(same.steps + moved.steps, "steps")))
        else:
            merged = with_lines(merged, [*merged.lines, moved])
    return merged
