"""Card numbers: finding them wherever they do not belong, and taking them out.

No type of eckit can hold a card number; these functions guard the places where text from outside could bring one along:
logs, free text, what a provider answered.

What counts as one: 13 to 19 digits of any script, with or without single spaces or hyphens between them, that pass the
Luhn check and begin like a card of a known brand with a length of that brand. Deliberately left alone, although they
may pass Luhn by chance (one number in ten does):

* EAN-13 and ISBN-13 barcodes and Japanese corporate numbers. Only Visa's obsolete 13-digit numbers have that length, so
  a number of 13 digits counts only when it starts with 4 and has neither a valid EAN nor a valid corporate check
  digit: one old Visa number in ten escapes, no barcode is ever taken for a card.
* Maestro numbers of 13 to 15 digits, of which none are left, for the sake of barcodes of boxes (GTIN-14).
* identifiers that mix letters and digits (UUIDs, ``ord_…``): a run of digits inside one is no card number.
* digits in a longer unbroken run (20 and more), which have no place where a number would begin.
* the digits of a decimal number (``0.4111…``), such as a measured time.
"""

import logging
import re
import traceback
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

REMOVED: Final = "[card number removed]"

Span: TypeAlias = tuple[int, int]
"""Where something stands in a text: from, to (exclusive)."""

# --- finding ---------------------------------------------------------------------------------------------------------

_SEPARATOR: Final = "[ \u00a0\u3000\u2010-\u2015\u2212\uff0d\u30fc-]"
_CANDIDATE: Final = re.compile(rf"\d(?:{_SEPARATOR}?\d){{12,}}")
_GROUP: Final = re.compile(r"\d+")
_UUID: Final = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# First digits (lowest, highest) and lengths, by brand. From the brands' public ranges.
_BRANDS: Final[tuple[tuple[str, str, frozenset[int]], ...]] = (
    ("4", "4", frozenset({13, 16, 19})),  # Visa
    ("51", "55", frozenset({16})),  # Mastercard
    ("2221", "2720", frozenset({16})),  # Mastercard
    ("2200", "2204", frozenset(range(16, 20))),  # Mir
    ("34", "34", frozenset({15})),  # American Express
    ("37", "37", frozenset({15})),  # American Express
    ("300", "305", frozenset({14, *range(16, 20)})),  # Diners Club
    ("309", "309", frozenset({14, *range(16, 20)})),  # Diners Club
    ("36", "36", frozenset({14, *range(16, 20)})),  # Diners Club
    ("38", "39", frozenset({14, *range(16, 20)})),  # Diners Club
    ("3528", "3589", frozenset(range(16, 20))),  # JCB
    ("60", "69", frozenset(range(16, 20))),  # Discover, UnionPay, Maestro, RuPay
    ("50", "50", frozenset(range(16, 20))),  # Maestro
    ("56", "58", frozenset(range(16, 20))),  # Maestro
    ("81", "81", frozenset(range(16, 20))),  # UnionPay
)


def find_card_numbers(text: str) -> list[Span]:
    """Where card numbers stand in a text, in order, without overlaps."""
    return list(_spans(text))


def _spans(text: str) -> Iterator[Span]:
    uuids: list[Span] | None = None
    for run in _CANDIDATE.finditer(text):
        if uuids is None:
            uuids = [match.span() for match in _UUID.finditer(text)]
        for start, end in _in_run(text, run.start(), run.end()):
            inside_uuid = any(first < end and start < last for first, last in uuids)
            if not (inside_uuid or _is_decimal(text, start, end) or _is_part_of_identifier(text, start, end)):
                yield start, end


def _in_run(text: str, start: int, end: int) -> Iterator[Span]:
    """Card numbers among the groups of digits in a run, the longest from each group on; a security code may follow."""
    groups = [match.span() for match in _GROUP.finditer(text, start, end)]
    first = 0
    while first < len(groups):
        found = _longest_from(text, groups, first)
        if found is None:
            first += 1
        else:
            yield groups[first][0], groups[found][1]
            first = found + 1


def _longest_from(text: str, groups: list[Span], first: int) -> int | None:
    digits, found = "", None
    for last in range(first, len(groups)):
        digits += _ascii_digits(text[slice(*groups[last])])
        if len(digits) > 19:
            break
        if len(digits) >= 13 and _is_card_number(digits):
            found = last
    return found


def _ascii_digits(digits: str) -> str:
    return digits if digits.isascii() else "".join(str(unicodedata.decimal(digit)) for digit in digits)


def _is_card_number(digits: str) -> bool:
    if not _luhn(digits) or not any(
        low <= digits[: len(low)] <= high and len(digits) in lengths for low, high, lengths in _BRANDS
    ):
        return False
    return len(digits) != 13 or not (_is_ean13(digits) or _is_corporate_number(digits))


def _luhn(digits: str) -> bool:
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _is_ean13(digits: str) -> bool:
    return sum(int(digit) * (1 + 2 * (index % 2)) for index, digit in enumerate(digits)) % 10 == 0


def _is_corporate_number(digits: str) -> bool:
    """Whether 13 digits have the check digit of a Japanese corporate number (it comes first)."""
    total = sum(int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits[1:])))
    return int(digits[0]) == 9 - total % 9


def _is_decimal(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    return (before[1:] == "." and before[0].isdigit()) or (after[:1] == "." and after[1:].isdigit())


def _is_part_of_identifier(text: str, start: int, end: int) -> bool:
    """Whether the digits are the middle of a long token that mixes letters and other digits, as identifiers do."""
    first, last = start, end
    while first > 0 and _is_token_character(text[first - 1]):
        first -= 1
    while last < len(text) and _is_token_character(text[last]):
        last += 1
    around = text[first:start] + text[end:last]
    return last - first >= 20 and any(map(str.isalpha, around)) and any(map(str.isdigit, around))


def _is_token_character(character: str) -> bool:
    return character.isascii() and character.isalnum()


def mask_cards(text: str) -> str:
    """The text with every card number replaced as a whole by ``[card number removed]``."""
    spans = find_card_numbers(text)
    for start, end in reversed(spans):
        text = text[:start] + REMOVED + text[end:]
    return text


def contains_card(value: object) -> bool:
    """Whether there is a card number anywhere in text, bytes, integers, and mappings, lists, tuples and sets of them.

    Other objects are not looked into.
    """
    return _contains(value, set())


def _contains(value: object, seen: set[int]) -> bool:
    if isinstance(value, str):
        return next(_spans(value), None) is not None
    if isinstance(value, bytes | bytearray):
        return next(_spans(bytes(value).decode("utf-8", "replace")), None) is not None
    if isinstance(value, int):
        return value > 10**12 and value < 10**19 and next(_spans(str(value)), None) is not None
    if not isinstance(value, Mapping | list | tuple | set | frozenset) or id(value) in seen:
        return False
    seen.add(id(value))
    parts = [*value, *value.values()] if isinstance(value, Mapping) else value
    return any(_contains(part, seen) for part in parts)


# --- logs ------------------------------------------------------------------------------------------------------------

_PLAIN_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class CardFilter(logging.Filter):
    """Takes card numbers out of log records: message, arguments, traceback, stack and fields given as ``extra``.

    Lets every record through. Put it on handlers: a logger's filters do not see the records of loggers below it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the record in place; one that cannot be checked loses its message."""
        clean_record(record)
        return True


def clean_record(record: logging.LogRecord) -> None:
    """Take card numbers out of one log record, in place. Never raises."""
    try:
        _clean_message(record)
        _clean_traceback(record)
        _clean_extra(record)
    except Exception:  # noqa: BLE001 -- arguments may raise anything when shown; what was not checked is not logged
        record.msg, record.args = "[log message withheld: it could not be checked for card numbers]", None
        record.exc_info, record.exc_text, record.stack_info = None, None, None


def _clean_message(record: logging.LogRecord) -> None:
    message = record.getMessage()
    masked = mask_cards(message)
    if masked != message or contains_card(record.args):  # some handlers read the arguments themselves
        record.msg, record.args = masked, None


def _clean_traceback(record: logging.LogRecord) -> None:
    if record.exc_info:
        text = _exception_text(record.exc_info)
        masked = mask_cards(text)
        if masked != text:  # handlers that format exceptions themselves must not get at it either
            record.exc_text, record.exc_info = masked, None
    elif record.exc_text:
        record.exc_text = mask_cards(record.exc_text)
    if record.stack_info:
        record.stack_info = mask_cards(record.stack_info)


def _exception_text(exc_info: Any) -> str:
    return "".join(traceback.format_exception(*exc_info)).rstrip("\n")


def _clean_extra(record: logging.LogRecord) -> None:
    for name, value in list(vars(record).items()):
        if name in _PLAIN_FIELDS:
            continue
        if isinstance(value, str):
            setattr(record, name, mask_cards(value))
        elif contains_card(value):
            setattr(record, name, REMOVED)


def install_log_filter() -> Callable[[], None]:
    """Keep card numbers out of this process's logs; returns a function that undoes it.

    Every record is cleaned as it is made, whatever its logger and handler. Fields given as ``extra`` are added after
    that, so the handlers that the root logger and the logger ``eckit`` have now get a :class:`CardFilter` as well: call
    this after logging is set up. Calling it again adds nothing.
    """
    made_before = logging.getLogRecordFactory()
    if isinstance(made_before, _CleaningFactory):
        return lambda: None
    factory = _CleaningFactory(made_before)
    logging.setLogRecordFactory(factory)
    card_filter = CardFilter()
    handlers = [*logging.getLogger().handlers, *logging.getLogger("eckit").handlers]
    for handler in handlers:
        handler.addFilter(card_filter)

    def undo() -> None:
        if logging.getLogRecordFactory() is factory:
            logging.setLogRecordFactory(made_before)
        for handler in handlers:
            handler.removeFilter(card_filter)

    return undo


class _CleaningFactory:
    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self._make(*args, **kwargs)
        clean_record(record)
        return record
