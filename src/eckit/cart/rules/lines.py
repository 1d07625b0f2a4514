"""What becomes of the lines and delivery groups of a cart when something is changed."""

from collections.abc import Callable, Mapping, Sequence

import attrs

from eckit.cart.model import Cart, CartGroup, CartLine
from eckit.cart.rules.inputs import MAX_GROUPS, MAX_LINES, quantity
from eckit.customer.model import TaxPlace
from eckit.kernel.errors import NotFoundError, invalid
from eckit.kernel.ids import GroupId, LineId, PartyId, VariantId


def same_thing(cart: Cart, variant_id: VariantId, choices: Mapping[str, str], group_id: GroupId) -> CartLine | None:
    """The line that steps of this would be steps of: nothing hangs on it or by it, and it has no note."""
    for line in cart.lines:
        alike = (line.variant_id, line.group_id, dict(line.choices)) == (variant_id, group_id, dict(choices))
        if alike and is_plain(line, cart.lines):
            return line
    return None


def is_plain(line: CartLine, lines: Sequence[CartLine]) -> bool:
    return line.parent_id is None and not line.note and all(line.id != other.parent_id for other in lines)


def add(
    cart: Cart,
    variant_id: VariantId,
    steps: int,
    *,
    group_id: GroupId,
    choices: Mapping[str, str],
    new_id: Callable[[], LineId],
) -> Cart:
    """The cart with so many steps more: on the line of the same thing if there is one, else on a new line.

    :raises InvalidInputError: over 200 lines, or over a million steps on the line.
    """
    same = same_thing(cart, variant_id, choices, group_id)
    if same is not None:
        return replaced(cart, attrs.evolve(same, steps=quantity(same.steps + steps, "steps")))
    if len(cart.lines) >= MAX_LINES:
        raise invalid("too-many-lines", "lines", len(cart.lines) + 1, limit=MAX_LINES)
    line = CartLine(id=new_id(), variant_id=variant_id, steps=steps, group_id=group_id, choices=dict(choices))
    return attrs.evolve(cart, lines=(*cart.lines, line))


def set_many(cart: Cart, wanted: Sequence[tuple[VariantId, int]], *, new_id: Callable[[], LineId]) -> Cart:
    """The cart with exactly so many steps of each variant named, on its plain line of the first group; 0 removes it.

    Variants not named, lines with choices and lines of other groups stay as they are.

    :raises InvalidInputError: a variant named twice, or over 200 lines.
    """
    steps: dict[VariantId, int] = {}
    for index, (variant_id, count) in enumerate(wanted):
        if variant_id in steps:
            raise invalid("named-twice", f"lines[{index}]", variant_id)
        steps[variant_id] = quantity(count, f"lines[{index}].steps", least=0)
    first = cart.groups[0].id
    lines: list[CartLine] = []
    for line in cart.lines:
        if line.variant_id in steps and line == same_thing(cart, line.variant_id, {}, first):
            count = steps.pop(line.variant_id)
            lines += [attrs.evolve(line, steps=count)] if count else []
        else:
            lines.append(line)
    lines += [
        CartLine(id=new_id(), variant_id=variant_id, steps=count, group_id=first)
        for variant_id, count in steps.items()
        if count
    ]
    return with_lines(cart, lines)


def set_steps(cart: Cart, line_id: LineId, steps: int) -> Cart:
    """The cart with exactly so many steps on a line; 0 removes it, with what hangs on it.

    :raises NotFoundError: no such line.
    """
    line = line_of(cart, line_id)
    if steps:
        return replaced(cart, attrs.evolve(line, steps=steps))
    return with_lines(cart, [other for other in cart.lines if line_id not in (other.id, other.parent_id)])


def split_line(cart: Cart, line_id: LineId, steps: int, group_id: GroupId, *, new_id: LineId) -> Cart:
    """The cart with so many steps of a line in another group: onto the line of the same thing there, else a line of its
    own. A line that goes whole keeps its id.

    :raises InvalidInputError: more steps than the line has, or over 200 lines.
    :raises NotFoundError: no such line or group.
    """
    line, target = line_of(cart, line_id), group_of(cart, group_id).id
    if steps > line.steps:
        raise invalid("wrong-quantity", "steps", steps, limit=f"1…{line.steps}")
    if line.group_id == target:
        return cart
    rest = attrs.evolve(line, steps=line.steps - steps)
    other = same_thing(cart, line.variant_id, line.choices, target)
    if other is not None and is_plain(line, cart.lines):
        grown = replaced(cart, attrs.evolve(other, steps=quantity(other.steps + steps, "steps")))
        return replaced(grown, rest) if rest.steps else set_steps(grown, line_id, 0)
    if not rest.steps:
        return replaced(cart, attrs.evolve(line, group_id=target))
    moved = attrs.evolve(line, id=new_id, steps=steps, group_id=target)
    return with_lines(cart, [*replaced(cart, rest).lines, moved])


def line_of(cart: Cart, line_id: LineId) -> CartLine:
    """The line of this id.

    :raises NotFoundError: no such line in this cart.
    """
    line = cart.line(line_id)
    if line is None:
        raise NotFoundError(kind="line", id=line_id)
    return line


def replaced(cart: Cart, line: CartLine) -> Cart:
    return attrs.evolve(cart, lines=tuple(line if other.id == line.id else other for other in cart.lines))


def with_lines(cart: Cart, lines: Sequence[CartLine]) -> Cart:
    if len(lines) > MAX_LINES:
        raise invalid("too-many-lines", "lines", len(lines), limit=MAX_LINES)
    return attrs.evolve(cart, lines=tuple(lines))


def group_of(cart: Cart, group_id: GroupId | None) -> CartGroup:
    """The group of this id; without an id the only one there is.

    :raises NotFoundError: no such group in this cart.
    :raises InvalidInputError: ``which-group``: there are several, and none was named.
    """
    if group_id is None:
        if len(cart.groups) > 1:
            raise invalid("which-group", "group", "", limit=len(cart.groups))
        return cart.groups[0]
    for group in cart.groups:
        if group.id == group_id:
            return group
    raise NotFoundError(kind="group", id=group_id)


def line_group(cart: Cart, group_id: GroupId | None) -> GroupId:
    """Where a line goes: the group named, else the first."""
    return cart.groups[0].id if group_id is None else group_of(cart, group_id).id


def add_group(cart: Cart, group: CartGroup) -> Cart:
    """The cart with one more delivery group.

    :raises InvalidInputError: over 50 groups.
    """
    if len(cart.groups) >= MAX_GROUPS:
        raise invalid("too-many-groups", "groups", len(cart.groups) + 1, limit=MAX_GROUPS)
    return attrs.evolve(cart, groups=(*cart.groups, group))


def remove_group(cart: Cart, group_id: GroupId) -> Cart:
    """The cart without a group that has no lines. The last group stays.

    :raises InvalidInputError: ``group-in-use``: it has lines, or it is the last.
    """
    group = group_of(cart, group_id)
    count = sum(line.group_id == group.id for line in cart.lines)
    if count or len(cart.groups) == 1:
        raise invalid("group-in-use", "group", group_id, limit=count)
    return attrs.evolve(cart, groups=tuple(other for other in cart.groups if other.id != group.id))


def change_group(cart: Cart, group_id: GroupId | None, change: Callable[[CartGroup], CartGroup]) -> Cart:
    """The cart with one of its groups changed."""
    group = group_of(cart, group_id)
    changed = change(group)
    return attrs.evolve(cart, groups=tuple(changed if other.id == group.id else other for other in cart.groups))


def destined(group: CartGroup, destination: PartyId | None, tax_place: TaxPlace | None) -> CartGroup:
    """The group going there. A place that is not given stays known only while the destination is the same."""
    if tax_place is None and destination == group.destination:
        tax_place = group.tax_place
    return attrs.evolve(group, destination=destination, tax_place=tax_place)
