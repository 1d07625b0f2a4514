"""What the buyer must do, as it is stored and read again."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from eckit.kernel.cards import mask_cards
from eckit.payment.model import BankInstructions, Redirect, Voucher

BuyerAction = Redirect | Voucher | BankInstructions


def stored_action(action: BuyerAction) -> dict[str, Any]:
    """The action as a JSON document."""
    match action:
        case Redirect():
            fields = {name: mask_cards(value) for name, value in action.fields.items()}
            return {"kind": "redirect", "url": mask_cards(action.url), "method": action.method, "fields": fields}
        case Voucher():
            return {
                "kind": "voucher",
                "numbers": [list(pair) for pair in action.numbers],
                "url": action.url,
                "stores": list(action.stores),
                "deadline": action.deadline.astimezone(dt.UTC).isoformat(),
            }
        case BankInstructions():
            return {
                "kind": "bank",
                "account": action.account,
                "payer_reference": action.payer_reference,
                "deadline": action.deadline.astimezone(dt.UTC).isoformat(),
            }


def action_of(stored: Mapping[str, Any] | None) -> BuyerAction | None:
    """The action a JSON document holds."""
    if stored is None:
        return None
    if stored["kind"] == "redirect":
        return Redirect(url=stored["url"], method=stored["method"], fields=stored["fields"])
    deadline = dt.datetime.fromisoformat(stored["deadline"])
    if stored["kind"] == "voucher":
        numbers = tuple((str(name), str(number)) for name, number in stored["numbers"])
        return Voucher(numbers=numbers, url=stored["url"], stores=tuple(stored["stores"]), deadline=deadline)
    return BankInstructions(account=stored["account"], payer_reference=stored["payer_reference"], deadline=deadline)


def deadline_of(action: BuyerAction) -> dt.datetime | None:
    """Until when it can be done, where the action itself says so."""
    return None if isinstance(action, Redirect) else action.deadline


def waits_for_funds(stored: Mapping[str, Any] | None) -> bool:
    """Whether money comes later by itself: by a voucher or a bank transfer, which may also bring more or less."""
    return stored is not None and stored["kind"] in {"voucher", "bank"}
