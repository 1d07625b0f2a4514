"""What is in a cart."""

from collections.abc import Mapping, Sequence

from eckit.cart import rules
from eckit.cart.model import Cart
from eckit.cart.service.changing import WRITE, change, find, save, usable
from eckit.kernel.idempotency import Key, KeyReusedError
from eckit.kernel.ids import CartId, GroupId, LineId, expect_id
from eckit.kernel.minting import mint
from eckit.kernel.work import Work


def add(
    work: Work,
    cart_id: CartId,
    variant: str,
    steps: int = 1,
    *,
    key: str | Key | None = None,
    group: GroupId | None = None,
    choices: Mapping[str, str] | None = None,
    expect_version: int | None = None,
) -> Cart:
    """Add steps of a variant: to the line of the same thing (variant, choices, group) if there is one.

    :param variant: a SKU or a variant id.
    :param key: the caller's key for this request: with it, asking again adds nothing. Remembered for two days.
    :param group: without it, the first.
    :raises InvalidInputError: a quantity that is none; over 200 lines, a million steps, 20 choices or 200 keys.
    :raises KeyReusedError: the key was used on this cart for something else.
    """
    variant_id = work.variant_of(variant)
    steps = rules.quantity(steps, "steps")
    chosen = rules.entries(choices, "choices")
    found = usable(find(work, cart_id, WRITE, lock=True))
    seen = None
    if key is not None:
        digest = rules.key_digest(key.value if isinstance(key, Key) else key)
        what = rules.fingerprint(variant_id, steps, group, sorted(chosen.items()))
        if digest in found.seen:
            if found.seen[digest].fingerprint != what:
                raise KeyReusedError(what="cart.add")
            return found.cart
        seen = rules.remember(found.seen, digest, what, work.now)
    rules.require_version(found.cart, expect_version)
    changed = rules.add(
        found.cart,
        variant_id,
        steps,
        group_id=rules.line_group(found.cart, group),
        choices=chosen,
        new_id=_new_line,
    )
    return save(work, found, changed, "add", seen)


def _new_line() -> LineId:
    return LineId(mint("line"))


def set_lines(
    work: Work, cart_id: CartId, lines: Sequence[tuple[str, int]], *, expect_version: int | None = None
) -> Cart:
    """Set the steps of many variants at once, absolutely; 0 removes one.

    Concerns the plain lines of the first group; variants not named, lines with choices and other groups stay.

    :param lines: pairs of SKU or variant id and steps, each variant once, at most 200.
    :raises InvalidInputError: names the pair.
    """
    wanted = [(work.variant_of(variant), steps) for variant, steps in rules.pairs(lines)]
    return change(work, cart_id, "set_lines", expect_version, lambda it: rules.set_many(it, wanted, new_id=_new_line))


def set_steps(work: Work, cart_id: CartId, line_id: LineId, steps: int, *, expect_version: int | None = None) -> Cart:
    """Set the steps of a line; 0 removes it.

    :raises NotFoundError: no such line.
    """
    line = LineId(expect_id("line", line_id))
    count = rules.quantity(steps, "steps", least=0)
    return change(work, cart_id, "set_steps", expect_version, lambda it: rules.set_steps(it, line, count))


def split_line(
    work: Work, cart_id: CartId, line_id: LineId, steps: int, group: GroupId, *, expect_version: int | None = None
) -> Cart:
    """Let some steps of a line go with another group; all of them move the line itself.

    :raises NotFoundError: no such line or group.
    """
    line, target = LineId(expect_id("line", line_id)), GroupId(expect_id("group", group))
    count = rules.quantity(steps, "steps")
    return change(
        work,
        cart_id,
        "split_line",
        expect_version,
        lambda it: rules.split_line(it, line, count, target, new_id=_new_line()),
    )
