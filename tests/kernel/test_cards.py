"""Card numbers are found in whatever they hide in, and nothing else is taken for one."""

import io
import logging
import sys
import uuid
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from eckit.kernel import minting
from eckit.kernel.cards import (
    REMOVED,
    CardFilter,
    contains_card,
    find_card_numbers,
    install_log_filter,
    mask_cards,
)
from eckit.kernel.ids import PREFIXES

# Numbers that providers publish for testing.
CARDS = {
    "visa": "4111111111111111",
    "visa 13": "4222222222222",
    "visa 19": "4000000000000000006",
    "mastercard": "5555555555554444",
    "mastercard 2": "2223003122003222",
    "amex 34": "343434343434343",
    "amex 37": "378282246310005",
    "diners 36": "36227206271667",
    "diners 30": "30569309025904",
    "discover": "6011111111111117",
    "jcb": "3530111333300000",
    "unionpay": "6200000000000005",
    "maestro": "6759649826438453",
    "maestro 50": "5018000000000009",
    "mir": "2200000000000004",
}


def check_digit(body: str) -> str:
    """The digit that makes a number pass Luhn."""
    total = 0
    for index, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 - index % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


@pytest.mark.parametrize("number", CARDS.values(), ids=CARDS.keys())
@pytest.mark.parametrize(
    "template",
    [
        "{}",
        "card {} was declined",
        "({})",
        "{},12/29",
        "pan={}",
        '{{"number": "{}"}}',
        "PAN{}",
        "{}EUR",
        "%B{}^DOE",
        ";{}=2912",
    ],
)
def test_numbers_of_every_brand_are_found_in_any_text(number: str, template: str) -> None:
    """SEC-01: in sentences, JSON, form data and track data."""
    text = template.format(number)
    [(start, end)] = find_card_numbers(text)
    assert number == text[start:end]
    assert template.format(REMOVED) == mask_cards(text)
    assert contains_card(text)


@pytest.mark.parametrize(
    "written",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111\u00a01111\u30001111\u00a01111",
        "４１１１１１１１１１１１１１１１",
        "４１１１－１１１１－１１１１－１１１１",
        "４１１１ー１１１１ー１１１１ー１１１１",
        "4111‐1111–1111−1111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "٤١١١١١١١١١١١١١١١",
    ],
)
def test_numbers_are_found_however_they_are_written(written: str) -> None:
    """With single spaces or hyphens of any kind, in full width, in other digits; the span is that of the given text."""
    text = f"カード {written} です"
    [(start, end)] = find_card_numbers(text)
    assert written == text[start:end]
    assert f"カード {REMOVED} です" == mask_cards(text)


def test_numbers_in_company_are_all_removed() -> None:
    """A security code, a date or another number beside it does not hide a card number."""
    assert f"{REMOVED} 123" == mask_cards("4111 1111 1111 1111 123")
    assert f"12 {REMOVED} 12/29" == mask_cards("12 4111 1111 1111 1111 12/29")
    assert f"{REMOVED} {REMOVED}" == mask_cards("4111111111111111 5555555555554444")
    assert f"{REMOVED}, {REMOVED}" == mask_cards("4111-1111-1111-1111, 378282246310005")
    assert "" == mask_cards("")


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # fails Luhn
        "1111111111111117",  # no brand begins with 1
        "411111111111",  # 12 digits
        "411111111111111111111",  # 21 digits
        "00004111111111111111",  # 20 digits in one run
        "4111  1111  1111  1111",  # two spaces are columns
        "4111/1111/1111/1111",
        "0.4111111111111111",  # a measured time
        "4111111111111111.5",
        "2026-11-24 05:31:07.123456",
        "1732420000000000",  # microseconds
        "1732420000000000000",  # nanoseconds
        "+81 3-1234-5678",
        "T4010001008844",  # no corporate number may look like one
        "order A-2026-000123",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    """A false alarm refuses an honest customer's note."""
    assert [] == find_card_numbers(text)
    assert text == mask_cards(text)


@given(st.sampled_from(["45", "49", "4", "978", "979"]), st.integers(0, 10**12 - 1))
def test_no_barcode_is_taken_for_a_card(prefix: str, item: int) -> None:
    """JAN (45, 49), every other EAN-13 that starts with 4, and ISBN-13, however their digits fall."""
    body = f"{prefix}{item:012d}"[:12]
    check = -sum(int(digit) * (1 + 2 * (index % 2)) for index, digit in enumerate(body)) % 10
    assert [] == find_card_numbers(f"{body}{check}")


@given(st.integers(10**11, 10**12 - 1))
def test_no_corporate_number_is_taken_for_a_card(body: int) -> None:
    """Japanese corporate numbers, which stand on every qualified invoice: 13 digits, the check digit first."""
    total = sum(int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(str(body))))
    assert [] == find_card_numbers(f"T{9 - total % 9}{body}")


def test_corporate_number_that_looks_like_an_old_visa_is_none() -> None:
    """Of those that begin with 4, pass Luhn and are no barcode, none is flagged; only ones of large digits are such."""
    tricky = 0
    for body in range(958_877_990_000, 958_878_020_000):
        digits = f"4{body:012d}"
        if sum(int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits[1:]))) % 9 != 5:
            continue  # 9 − 5 is the check digit 4
        ean = sum(int(digit) * (1 + 2 * (index % 2)) for index, digit in enumerate(digits)) % 10 == 0
        tricky += check_digit(digits[:12]) == digits[12] and not ean
        assert [] == find_card_numbers(digits)
    assert tricky > 50


BRAND_LENGTHS = {
    **dict.fromkeys(["4"], (13, 16, 19)),
    **dict.fromkeys(["51", "55", "2221", "2720"], (16,)),
    **dict.fromkeys(["34", "37"], (15,)),
    **dict.fromkeys(["300", "305", "309", "36", "38", "39"], (14, 16, 17, 18, 19)),
    **dict.fromkeys(["2200", "2204", "3528", "3589", "60", "69", "50", "56", "58", "81"], (16, 17, 18, 19)),
    **dict.fromkeys(["1", "2199", "2205", "2220", "2721", "306", "308", "33", "3527", "3590", "7", "80", "9"], ()),
}


@pytest.mark.parametrize(("prefix", "lengths"), BRAND_LENGTHS.items(), ids=BRAND_LENGTHS)
def test_length_must_be_one_of_the_brand(prefix: str, lengths: tuple[int, ...]) -> None:
    """At both ends of each range of first digits."""
    found = []
    for length in range(11, 22):
        body = (prefix + "0281736405918273640591")[: length - 1]
        if find_card_numbers(body + check_digit(body)):
            found.append(length)
    assert lengths == tuple(found)


def test_thirteen_digits_count_only_as_old_visa() -> None:
    """Luhn-valid, beginning with 4, neither barcode nor corporate number; others of that length are left alone."""
    assert [(0, 13)] == find_card_numbers("4222222222222")
    assert [] == find_card_numbers("522222222222" + check_digit("522222222222"))
    assert [] == find_card_numbers("622222222222" + check_digit("622222222222"))


@given(st.sampled_from(sorted(PREFIXES)))
def test_no_id_of_ours_is_taken_for_a_card(kind: str) -> None:
    """Identifiers mix letters and digits."""
    assert [] == find_card_numbers(minting.mint(kind))


@pytest.mark.parametrize(
    "identifier", ["ord_01j4111111111111111abcdefg", "018f3e4111111111111111ab", "41111111-1111-4111-8411-111111111111"]
)
def test_digits_inside_an_identifier_are_no_card_number(identifier: str) -> None:
    """Not even when they would pass on their own."""
    for text in (f"see {identifier}.", identifier, f"{identifier}4111"):
        assert [] == find_card_numbers(text)
    assert [(0, 16)] == find_card_numbers(f"4111111111111111 {identifier}")


@given(st.uuids(version=4), st.uuids(version=1))
def test_no_uuid_is_taken_for_a_card(one: uuid.UUID, other: uuid.UUID) -> None:
    """Though their groups may be all digits."""
    assert [] == find_card_numbers(f"{one} {other}")


@given(
    st.sampled_from(
        ["4", "51", "55", "2221", "2720", "34", "37", "36", "3528", "3589", "6011", "62", "65", "50", "58"]
    ),
    st.integers(0, 10**14),
)
def test_every_number_of_a_brand_is_found(prefix: str, account: int) -> None:
    """Whatever the account digits are."""
    length = {"34": 15, "37": 15, "36": 14}.get(prefix, 16)
    body = (prefix + f"{account:015d}")[: length - 1]
    number = body + check_digit(body)
    assert [(0, length)] == find_card_numbers(number)
    assert [(2, length + 2)] == find_card_numbers(f"a {number} b")


@given(st.text(st.sampled_from("0123456789 -４\u30fcabx."), max_size=80))
def test_masked_text_holds_no_card(text: str) -> None:
    """Masking once is enough, and spans are in order and apart."""
    spans = find_card_numbers(text)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert not contains_card(mask_cards(text))


@pytest.mark.parametrize(
    "value",
    [
        "4111111111111111",
        b"number=4111111111111111&cvc=1",
        bytearray("４１１１１１１１１１１１１１１１", "utf-8"),
        b"\xff\xfe 4111111111111111",
        4111111111111111,
        ["x", {"card": {"number": "4111 1111 1111 1111"}}],
        {"4111111111111111": "x"},
        ({"a"}, frozenset({"4111111111111111"})),
    ],
)
def test_values_are_looked_through(value: object) -> None:
    """SEC-01: what a provider answered, with keys, bytes and numbers."""
    assert contains_card(value)


def test_values_without_a_card() -> None:
    """Also ones that hold themselves, and objects that are not looked into."""
    circle: list[object] = ["x"]
    circle.append(circle)
    for value in (circle, None, 5, 10**30, Decimal("4111111111111111"), {"a": [1, 2]}, b"", object()):
        assert not contains_card(value)


# --- logs ------------------------------------------------------------------------------------------------------------

PAN = CARDS["visa"]


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger with one filtering handler, and what it wrote."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s %(body)s", defaults={"body": "-"}))
    handler.addFilter(CardFilter())
    logger = logging.getLogger("eckit.tests.cards")
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, written
    logger.removeHandler(handler)
    logger.propagate = True


class Shown:
    """An object whose text has a card number."""

    def __str__(self) -> str:
        return f"<token {PAN}>"


def charge(pan: str) -> None:
    """Fails as a provider's library would."""
    raise ValueError(f"declined: {pan}")


def test_log_messages_lose_card_numbers(log: tuple[logging.Logger, io.StringIO]) -> None:
    """In the message, its arguments of any type, a traceback, the stack, and extra fields."""
    logger, written = log
    logger.warning(f"paid with {PAN}")  # noqa: G004 -- the careless way is what is tried
    logger.warning("paid with %s", PAN)
    logger.warning("paid with %d", int(PAN))
    logger.warning("paid with %s", Shown())
    logger.warning("paid with %(pan)s", {"pan": PAN})
    logger.warning({"pan": PAN})
    logger.warning("sent", extra={"body": f"pan={PAN}"})
    logger.warning("sent", extra={"body": {"pan": [PAN]}})
    logger.warning("sent", stack_info=True)
    try:
        charge(PAN)
    except ValueError:
        logger.exception("charge failed")
    assert PAN not in written.getvalue()
    assert 9 == written.getvalue().count(REMOVED)
    assert "Traceback" in written.getvalue()
    assert "ValueError: declined: [card number removed]" in written.getvalue()


def test_handlers_that_format_for_themselves_find_nothing() -> None:
    """An error reporter reads the arguments and the exception of the record itself."""
    record = logging.makeLogRecord({"msg": "only %(a)s", "args": {"a": "x", "pan": PAN}})
    assert CardFilter().filter(record)
    assert ("only x", None) == (record.msg, record.args)
    try:
        charge(PAN)
    except ValueError:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": sys.exc_info(), "stack_info": f"at {PAN}"})
    assert CardFilter().filter(record)
    assert record.exc_info is None
    assert PAN not in f"{record.exc_text}{record.stack_info}"


def test_other_records_stay_as_they_are() -> None:
    """Arguments, exception and extra fields of records without a card number are not touched."""
    with pytest.raises(ValueError, match="declined") as error:
        charge("a card")
    exc_info = (error.type, error.value, error.tb)
    record = logging.makeLogRecord({"msg": "order %s", "args": ("A-1",), "exc_info": exc_info, "total": 1080})
    before = dict(vars(record))
    assert CardFilter().filter(record)
    assert before == vars(record)


def test_record_that_cannot_be_checked_is_not_shown() -> None:
    """Wrong arguments would be printed by the logging module itself, with everything in them."""
    record = logging.makeLogRecord({"msg": "%d items", "args": (f"pan {PAN}",), "pathname": "shop.py", "lineno": 3})
    assert CardFilter().filter(record)
    assert "withheld" in record.getMessage()
    assert PAN not in repr(vars(record))


def test_installed_filter_reaches_every_logger() -> None:
    """Also loggers and handlers made later; undoing it leaves logging as it was."""
    written = io.StringIO()
    root = logging.getLogger()
    early = logging.StreamHandler(written)
    early.setFormatter(logging.Formatter("%(message)s %(body)s", defaults={"body": "-"}))
    root.addHandler(early)
    factory = logging.getLogRecordFactory()
    undo = install_log_filter()
    try:
        again = install_log_filter()
        again()
        late = logging.StreamHandler(written)
        logging.getLogger("some.sdk").addHandler(late)
        logging.getLogger("some.sdk").warning("pan %s", PAN)
        logging.getLogger("some.other").warning("sent", extra={"body": PAN})
        logging.getLogger("some.sdk").removeHandler(late)
    finally:
        undo()
        root.removeHandler(early)
    assert PAN not in written.getvalue()
    assert 3 == written.getvalue().count(REMOVED)
    assert factory is logging.getLogRecordFactory()
    assert [] == early.filters
