"""Where it goes, how it is paid, codes, references."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from eckit.cart import rules
from eckit.cart.model import Cart, CartGroup, Touch
from eckit.cart.service.changing import change
from eckit.customer.model import Party, TaxPlace
from eckit.customer.rules import accepted_address
from eckit.kernel.clock import utc
from eckit.kernel.countries import expect_country
from eckit.kernel.errors import invalid
from eckit.kernel.ids import CartId, GroupId, MethodCode, OptionCode, PartyId, expect_id
from eckit.kernel.minting import mint
from eckit.kernel.text import clean
from eckit.kernel.work import Work


def add_group(work: Work, cart_id: CartId, *, mode: str = "ship", expect_version: int | None = None) -> Cart:
    """One more delivery group, the last of the cart's; at most 50."""
    group = CartGroup(id=GroupId(mint("group")), mode=_code(mode, "mode"))
    return change(work, cart_id, "add_group", expect_version, lambda it: rules.add_group(it, group))


def remove_group(work: Work, cart_id: CartId, group: GroupId, *, expect_version: int | None = None) -> Cart:
    """Remove a delivery group that has no lines.

    :raises InvalidInputError: ``group-in-use``.
    """
    return change(work, cart_id, "remove_group", expect_version, lambda it: rules.remove_group(it, group))


def set_destination(
    work: Work,
    cart_id: CartId,
    party: Party | PartyId | None,
    tax_place: TaxPlace | None = None,
    *,
    group: GroupId | None = None,
    expect_version: int | None = None,
) -> Cart:
    """Where a group goes; None: not known yet.

    :param party: the recipient; with its fact the tax place is read from the address.
    :param tax_place: what may be kept of the address without naming anybody, if only the id is given.
    :param group: not needed while there is only one.
    :raises InvalidInputError: the address, or the place that is given, is none: ``wrong-country``, for example.
    """
    if isinstance(party, Party) and party.address is not None:
        # The fact may be as the buyer typed it; fares and rates are found by its normal form.
        tax_place = accepted_address(party.address, path="party.address").place()
    elif tax_place is not None:
        expect_country(tax_place.country, "tax_place.country")
    target = _party_id(party, "party")
    return _change_group(
        work, cart_id, "set_destination", group, expect_version, lambda it: rules.destined(it, target, tax_place)
    )


def set_sender(
    work: Work,
    cart_id: CartId,
    party: Party | PartyId | None,
    *,
    group: GroupId | None = None,
    expect_version: int | None = None,
) -> Cart:
    """Who sends a group, a gift for example; None: the buyer."""
    sender = _party_id(party, "party")
    return _change_group(work, cart_id, "set_sender", group, expect_version, lambda it: attrs.evolve(it, sender=sender))


def set_option(
    work: Work,
    cart_id: CartId,
    option: OptionCode | None,
    *,
    group: GroupId | None = None,
    expect_version: int | None = None,
) -> Cart:
    """How a group is to be delivered; whether the option is offered is said by the quote."""
    code = None if option is None else OptionCode(_code(option, "option"))
    return _change_group(work, cart_id, "set_option", group, expect_version, lambda it: attrs.evolve(it, option=code))


def set_wanted(
    work: Work,
    cart_id: CartId,
    *,
    date: dt.date | None,
    slot: str = "",
    group: GroupId | None = None,
    expect_version: int | None = None,
) -> Cart:
    """On which local day and in which slot a group is wanted; None: any."""
    if date is not None and (isinstance(date, dt.datetime) or not isinstance(date, dt.date)):
        raise invalid("not-a-date", "date", date)
    wanted = clean(slot, path="slot", max_length=40)
    return _change_group(
        work,
        cart_id,
        "set_wanted",
        group,
        expect_version,
        lambda it: attrs.evolve(it, wanted_date=date, wanted_slot=wanted),
    )


def _change_group(
    work: Work,
    cart_id: CartId,
    what: str,
    group: GroupId | None,
    expect_version: int | None,
    decide: Callable[[CartGroup], CartGroup],
) -> Cart:
    if group is not None:
        expect_id("group", group)
    return change(work, cart_id, what, expect_version, lambda it: rules.change_group(it, group, decide))


def set_method(work: Work, cart_id: CartId, method: MethodCode | None, *, expect_version: int | None = None) -> Cart:
    """How the buyer wishes to pay; whether the method is offered is said by the quote."""
    code = None if method is None else MethodCode(_code(method, "method"))
    return change(work, cart_id, "set_method", expect_version, lambda it: attrs.evolve(it, method=code))


def set_buyer(work: Work, cart_id: CartId, party: Party | PartyId | None, *, expect_version: int | None = None) -> Cart:
    """Who buys, as named for this purchase."""
    buyer = _party_id(party, "party")
    return change(work, cart_id, "set_buyer", expect_version, lambda it: attrs.evolve(it, buyer=buyer))


def add_code(work: Work, cart_id: CartId, code: str, *, expect_version: int | None = None) -> Cart:
    """Enter a coupon code, folded; at most 20. Whether it counts is said by the quote."""
    return change(work, cart_id, "add_code", expect_version, lambda it: rules.add_code(it, code))


def remove_code(work: Work, cart_id: CartId, code: str, *, expect_version: int | None = None) -> Cart:
    """Take a coupon code out again."""
    return change(work, cart_id, "remove_code", expect_version, lambda it: rules.remove_code(it, code))


def set_refs(work: Work, cart_id: CartId, refs: Mapping[str, str | None], *, expect_version: int | None = None) -> Cart:
    """Set some of the client's own references, or remove them by None; the others stay. At most 20."""
    return change(work, cart_id, "set_refs", expect_version, lambda it: rules.set_refs(it, refs))


def note_touch(work: Work, cart_id: CartId, touch: Touch) -> Cart:
    """Where a visit came from. The first and the latest 19 are kept."""
    texts = {
        field.name: clean(getattr(touch, field.name), path=f"touch.{field.name}", max_length=200)
        for field in attrs.fields(Touch)
        if field.name != "at"
    }
    known = attrs.evolve(touch, at=utc(touch.at, "touch.at"), **texts)
    return change(
        work,
        cart_id,
        "note_touch",
        None,
        lambda it: attrs.evolve(it, touches=rules.touched((*it.touches, known))),
    )


def _party_id(party: Party | PartyId | None, path: str) -> PartyId | None:
    if party is None:
        return None
    return PartyId(expect_id("party", party.id if isinstance(party, Party) else party, path=path))


def _code(text: Any, path: str) -> str:
    code = clean(text, path=path, max_length=80)
    if not code or code != code.strip():
        raise invalid("missing", path, text)
    return code
