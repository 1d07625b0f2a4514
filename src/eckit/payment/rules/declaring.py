"""What a gateway declares, checked when the shop is composed: a mistake found later is found with money in the air."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any, Final

import attrs

from eckit.kernel.errors import InvalidInputError
from eckit.kernel.ids import PaymentId, ShopId
from eckit.kernel.money import exponent
from eckit.kernel.text import clean
from eckit.payment.model import Capabilities, OperationKind
from eckit.payment.rules.answers import mistyped, waitable
from eckit.payment.rules.references import LEAST_LENGTH, reference

LONGEST_CALL_S: Final = 120.0
_LONGEST_NAME: Final = 80
_LONGEST_REFERENCE: Final = 160
_PARTS: Final = frozenset({"none", "full", "partial", "multiple"})


def declaration_flaws(declared: Capabilities) -> Iterator[str]:
    """What is wrong with what a gateway declares, each with its field. Only the first is sure to be told.

    :raises InvalidInputError: a currency is none.
    """
    yield from _type_flaws("", declared)
    yield from _amount_flaws(declared)
    yield from _time_flaws(declared)
    yield from _name_flaws(declared)
    if not declared.flows or not declared.flows <= {"authorize", "sale"}:
        yield "flows"
    if declared.capture not in _PARTS or declared.refund not in _PARTS:
        yield "capture or refund is none of none, full, partial, multiple"
    if not 200 <= declared.ack.status <= 299:
        yield f"ack.status is {declared.ack.status}"


def _type_flaws(within: str, declared: Any) -> Iterator[str]:
    for field in attrs.fields(type(declared)):
        value = getattr(declared, field.name)
        if mistyped(type(declared), field.name, value):
            yield f"{within}{field.name} is {value!r:.60}"
        elif attrs.has(type(value)):
            yield from _type_flaws(f"{field.name}.", value)


def _amount_flaws(declared: Capabilities) -> Iterator[str]:
    for currency, (least, most) in declared.currencies.items():
        exponent(currency)
        if not 0 < least <= most:
            yield f"limits of {currency}"


def _time_flaws(declared: Capabilities) -> Iterator[str]:
    for field in attrs.fields(Capabilities):
        value = getattr(declared, field.name)
        if isinstance(value, dt.timedelta) and not waitable(value):
            yield f"{field.name} is {value}"
    if not 0 < declared.timeout_s <= LONGEST_CALL_S:
        yield f"timeout_s is not above 0 and at most {LONGEST_CALL_S:g}"


def _name_flaws(declared: Capabilities) -> Iterator[str]:
    for name in ("account", "mode"):
        try:
            clean(getattr(declared, name), path=name, max_length=_LONGEST_NAME)
        except InvalidInputError as error:
            yield error.text("en")
    if not LEAST_LENGTH <= declared.reference_max <= _LONGEST_REFERENCE:
        yield f"reference_max is not {LEAST_LENGTH} to {_LONGEST_REFERENCE}"
    try:
        reference(declared, ShopId(""), PaymentId(""), OperationKind.CAPTURE, 1)
    except (InvalidInputError, re.error, FutureWarning):  # of a set that is no set, Python may only warn
        yield f"reference_chars are {declared.reference_chars!r:.40}, in which nothing can be written"
