"""H. Safety: what must not show up anywhere, and what people are told."""

import datetime as dt
import json
import logging
import pickle
import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import attrs
import sqlalchemy as sa

from eckit.kernel.errors import EckitError, InvalidInputError
from eckit.kernel.secrets import Secret
from eckit.kernel.settings import secrets_of
from eckit.kernel.structuring import structure, unstructure
from eckit.kernel.tables import metadata
from eckit.kernel.text import Text
from eckit.kernel.texts import say
from eckit.payment.model import (
    CardToken,
    Declined,
    InDoubt,
    NoSuchPayment,
    OpState,
    Outcome,
    PaymentState,
    Snapshot,
    StoredInstrument,
)
from eckit.payment.rules import DECLINE_CODES
from eckit.testing.payments.acts import acts
from eckit.testing.payments.asking import Direct
from eckit.testing.payments.bench import RETURN_URL, Bench, expect
from eckit.testing.payments.harness import NotApplicable
from eckit.testing.payments.mishaps import Changed
from eckit.testing.payments.proxy import Exchange, Reply
from eckit.testing.payments.registry import check
from eckit.testing.payments.seeding import STAFF

CARD: Final = "4111111111111111"
CARD_FORMS: Final = (CARD, "4111 1111 1111 1111", "4111-1111-1111-1111", "４１１１１１１１１１１１１１１１")
CVV: Final = "cvv=737"
LOCALES: Final = ("en", "ja")


@attrs.frozen
class Echo:
    """A debugging page of the provider: an error that shows the whole request again, key and token, and a card number.

    :ivar code: below 500 the provider has refused, and done nothing.
    """

    code: int

    def __call__(self, exchange: Exchange) -> None:
        if self.code >= 500:
            exchange.forward()
        text = f"{exchange.request.text()}\ncard {CARD} {CVV}"
        kind = {"Content-Type": "application/json"}
        error = {"error": {"code": text, "message": text, "type": text}, "code": text, "message": text}
        exchange.answer(Reply(status=self.code, headers=kind, body=json.dumps(error).encode()))


class _Listener(logging.Handler):
    """Keeps all that is logged by anybody, as it would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record, with its traceback."""
        self.lines.append(self.format(record))


@contextmanager
def _listening() -> Iterator[list[str]]:
    root, listener = logging.getLogger(), _Listener()
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    try:
        yield listener.lines
    finally:
        root.setLevel(level)
        root.removeHandler(listener)


@check("H")
def c61_secrets_and_card_numbers_show_up_nowhere(bench: Bench) -> None:
    """Keys, tokens and card numbers that come in anywhere are in no log line, error, repr or database column."""
    said: list[str] = []
    with _listening() as lines:
        for act in acts(bench):
            act.do(act.prepared())
        for code in (400, 422, 500):
            order = bench.order()
            with bench.proxy.meddling(Echo(code), wanted=bench.harness.is_moving):
                said.append(repr(bench.pay(order)))
            with bench.proxy.meddling(Echo(code), wanted=bench.is_question):
                bench.chase(dt.timedelta(minutes=1))
            bench.settle(bench.payment(order))
        said += _refusals(bench)
    said += [repr(bench.gateway), repr(bench.shop.settings), repr(bench.shop.plugins.infos)]
    shown = {
        "the log": "\n".join(lines),
        "an answer, error or repr": "\n".join(said),
        "the database": _everything_stored(bench),
    }
    for what, needle in _needles(bench):
        for where, text in shown.items():
            expect(needle not in text, f"{what} is in {where}")


def _refusals(bench: Bench) -> list[str]:
    """Errors about card numbers in places where they do not belong."""
    said = []
    order = bench.order()
    for form in CARD_FORMS:
        try:
            bench.shop.resume_payment(STAFF, order.id, {"card": form, "n": CVV})
        except EckitError as error:
            said.append(_all_of(error))
        bench.pay(order)
    notice = bench.notices(bench.payment(order))[-1]
    try:
        body = {**json.loads(notice.body), "note": f"card {CARD}", "event_id": "evt-card"}
        bench.hand_in(bench.harness.signed(json.dumps(body).encode()))
    except (NotApplicable, ValueError):
        bench.hand_in(attrs.evolve(notice, body=notice.body + CARD.encode()))
    return said


def _all_of(error: Exception) -> str:
    return "\n".join((str(error), repr(error), *traceback.format_exception(error)))


def _everything_stored(bench: Bench) -> str:
    with bench.shop.read(STAFF) as work:
        present = set(sa.inspect(work.connection).get_table_names())
        found = []
        for table in metadata.sorted_tables:
            if table.name in present:
                found += [" ".join(map(_shown, row)) for row in work.execute(sa.select(table))]
    return "\n".join(found)


def _shown(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _needles(bench: Bench) -> Iterator[tuple[str, str]]:
    settings = [info.settings for info in bench.shop.plugins.infos.values() if info.settings is not None]
    yield from (("a key of the settings", secret.reveal()) for secret in secrets_of(*settings))
    instrument = bench.harness.instrument("approve")
    if isinstance(instrument, CardToken):
        yield "a token", instrument.token.reveal()
    yield from (("a card number", form) for form in CARD_FORMS)


@check("H")
def c62_a_card_number_is_no_token(bench: Bench) -> None:
    """A card number in place of a token is refused, in whatever form it is written, and never leaves."""
    order = bench.order()
    for form in CARD_FORMS:
        try:
            CardToken(token=Secret(form))
        except InvalidInputError:
            pass
        else:
            expect(False, "a card number can be made into a token")
    for form in CARD_FORMS[:2]:
        stored = StoredInstrument(reference=form)
        try:
            bench.shop.take_payment(STAFF, order.id, instrument=stored, return_url=RETURN_URL)
        except EckitError:
            continue
        Direct(bench).send(attrs.evolve(Direct(bench).begin_op(), instrument=stored))
    digits = [re.sub(r"\D", "", request.text()) for request in bench.proxy.seen]
    expect(not any(CARD in text for text in digits), "a card number left for the provider")


@check("H")
def c63_buyers_are_told_in_their_language(bench: Bench) -> None:
    """A decline becomes a standard code, whose text is translated and has nothing of the provider's words; the
    method's name is translated."""
    label = bench.gateway.label
    expect(isinstance(label, Text), "the method's name is no translatable text")
    named = {label.get(locale) for locale in LOCALES}
    expect(all(named) and len(named) == len(LOCALES), f"the method's name is the same in {' and '.join(LOCALES)}")
    behaviors = {"decline": "", **bench.harness.declines}
    for behavior, code in behaviors.items():
        order = bench.order()
        result = bench.pay(order, behavior)
        told = result.decline
        expect(result.status.state is PaymentState.DECLINED, f"{behavior} came to {result.status.state.value}")
        expect(told is not None and not told.raw_code, f"{behavior}: the buyer is shown the provider's words")
        outcome = Direct(bench).begin(behavior)
        expect(isinstance(outcome, Declined), f"{behavior} came to {type(outcome).__name__}")
        _expect_standard(outcome, code or getattr(told, "code", ""), behavior)


def _expect_standard(outcome: Outcome, code: str, behavior: str) -> None:
    if not isinstance(outcome, Declined):
        return
    expect(outcome.code in DECLINE_CODES, f"{behavior}: {outcome.code!r:.60} is no standard code")
    expect(outcome.code == code, f"{behavior} became {outcome.code} instead of {code}")
    expect(outcome.retry in {"same", "other", "never"}, f"{behavior}: retry is {outcome.retry}")
    key = f"decline.{outcome.code}"
    texts = [say(key, locale) for locale in LOCALES]
    expect(key not in texts and len(set(texts)) == len(LOCALES), f"{key} has no text of its own in each language")


@check("H")
def c64_answers_are_plain_and_unknown_words_are_doubt(bench: Bench) -> None:
    """Answers survive pickling and JSON; a word of the provider's that nobody knows is doubt, never a crash, a
    decline or a success."""
    direct = Direct(bench)
    for outcome in (direct.begin(), direct.query(), Direct(bench).begin("decline"), Direct(bench).begin("challenge")):
        again = pickle.loads(pickle.dumps(outcome))  # noqa: S301 -- of our own making
        expect(again == outcome, f"{type(outcome).__name__} does not survive pickling")
        plain = json.loads(json.dumps(unstructure(outcome)))
        expect(structure(type(outcome), plain) == outcome, f"{type(outcome).__name__} does not survive JSON")
    unknown = Changed(change=bench.harness.unknown_words)
    for act in acts(bench):
        payment = act.prepared()
        with bench.proxy.meddling(unknown, wanted=bench.harness.is_moving):
            act.do(payment)
        state = act.now(payment).state
        expect(state is OpState.IN_DOUBT, f"{act.kind.value} answered in unknown words is {state.value}")
        bench.settle(payment)
    with bench.proxy.meddling(unknown):
        begun = _without_crash(Direct(bench).begin_op, bench)
        found = _query(direct)
    expect(isinstance(begun, InDoubt), f"unknown words are {type(begun).__name__}")
    crashed = isinstance(found, Exception)
    expect(not crashed, f"a query answered in unknown words crashed: {type(found).__name__}")
    expect(not isinstance(found, NoSuchPayment), "a query answered in unknown words means: there is no such payment")
    told = _moved_by(found)
    expect(not told, f"a query answered in unknown words tells of {told}")


def _without_crash(make: Any, bench: Bench) -> object:
    try:
        return Direct(bench).send(make())
    except Exception as error:  # noqa: BLE001 -- handed to the check
        return error


def _query(direct: Direct) -> object:
    try:
        return direct.query()
    except Exception as error:  # noqa: BLE001 -- handed to the check
        return error


def _moved_by(found: object) -> Mapping[str, int]:
    """Kinds of movements in a snapshot that nobody should have understood."""
    if not isinstance(found, Snapshot):
        return {}
    return {one.kind: 1 for one in found.movements}
