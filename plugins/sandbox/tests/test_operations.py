"""Captures, voids and refunds: limits, parts, repetition, and refunds that take their time."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from eckit_sandbox.client import Client
from eckit_sandbox.process import SandboxError, SandboxProcess

Pay = Callable[..., dict[str, Any]]
Moved = Callable[..., list[tuple[str, int]]]


def test_parts_are_captured_until_nothing_is_reserved(client: Client, pay: Pay, moved: Moved) -> None:
    """Several captures add up to the authorization and not beyond."""
    pay()
    assert client.capture("order-1", reference="c1", amount=700).body["payment"]["status"] == "partially_captured"
    over = client.capture("order-1", reference="c2", amount=501)
    assert (over.status, over.error, over.body["error"]["remaining"]) == (409, "amount_too_large", 500)
    assert client.capture("order-1", reference="c3", amount=500).body["payment"]["status"] == "captured"
    assert client.capture("order-1", reference="c4", amount=1).error == "already_captured"
    assert moved() == [("authorize", 1200), ("capture", 700), ("capture", 500)]


def test_sale_has_nothing_to_capture(client: Client, pay: Pay, moved: Moved) -> None:
    """What was taken at once cannot be captured or voided again."""
    pay(capture=True)
    assert client.capture("order-1", reference="c1", amount=1200).error == "already_captured"
    assert client.void("order-1", reference="v1").error == "already_captured"
    assert moved() == [("capture", 1200)]


def test_void_releases_what_is_left(client: Client, pay: Pay, moved: Moved) -> None:
    """A void after a part was captured releases the rest; then nothing can be captured or voided."""
    pay()
    client.capture("order-1", reference="c1", amount=200)
    reply = client.void("order-1", reference="v1")
    assert (reply.body["operation"]["amount"], reply.body["payment"]["status"]) == (1000, "captured")
    assert client.capture("order-1", reference="c2", amount=1).error == "already_voided"
    assert client.void("order-1", reference="v2").error == "already_voided"
    assert moved() == [("authorize", 1200), ("capture", 200), ("void", 1000)]


def test_whole_authorization_is_voided(client: Client, pay: Pay) -> None:
    """A void of everything leaves a voided payment."""
    pay()
    assert client.void("order-1", reference="v1").body["payment"]["status"] == "voided"


def test_declined_payment_takes_no_operations(client: Client, pay: Pay, moved: Moved) -> None:
    """Nothing can be captured, voided or refunded where nothing was authorized."""
    pay(token="tok_declined_fraud")
    assert client.capture("order-1", reference="c1", amount=1).error == "not_authorized"
    assert client.void("order-1", reference="v1").error == "not_authorized"
    assert client.refund("order-1", reference="r1", amount=1).error == "not_captured"
    assert moved() == []


def test_unknown_payment_takes_no_operations(client: Client) -> None:
    """An operation on an unknown reference is a definite no."""
    assert client.capture("nothing", reference="c1", amount=1).error == "no_such_payment"


def test_expired_authorization_cannot_be_captured(provider: SandboxProcess, client: Client, pay: Pay) -> None:
    """After its deadline a reservation is void of effect."""
    pay()
    provider.expire("order-1")
    assert client.query("order-1").body["status"] == "expired"
    assert client.capture("order-1", reference="c1", amount=1).error == "authorization_expired"


def test_provider_that_guards_nothing_takes_and_releases_again(
    provider: SandboxProcess, client: Client, pay: Pay, moved: Moved
) -> None:
    """Told so, it captures and releases what is not reserved any more: then only the shop's own guard is left."""
    provider.script({"do": "over_capture_allowed"})
    pay()
    assert client.capture("order-1", reference="c1", amount=1200).error is None
    assert client.capture("order-1", reference="c2", amount=1200).error is None
    assert client.void("order-1", reference="v1").error is None
    pay("order-2")
    client.capture("order-2", reference="c3", amount=200)
    assert client.void("order-2", reference="v2").error is None
    assert moved("order-1") == [("authorize", 1200), ("capture", 1200), ("capture", 1200), ("void", 1200)]
    assert moved("order-2") == [("authorize", 1200), ("capture", 200), ("void", 1000)]


def test_refunds_never_exceed_captures(client: Client, pay: Pay, moved: Moved) -> None:
    """Refunds in parts stop at the last unit that was captured."""
    pay(capture=True)
    assert client.refund("order-1", reference="r1", amount=1199).body["payment"]["status"] == "partially_refunded"
    over = client.refund("order-1", reference="r2", amount=2)
    assert (over.error, over.body["error"]["remaining"]) == ("amount_too_large", 1)
    assert client.refund("order-1", reference="r3", amount=1).body["payment"]["status"] == "refunded"
    assert client.refund("order-1", reference="r4", amount=1).error == "already_refunded"
    assert moved() == [("capture", 1200), ("refund", 1199), ("refund", 1)]


def test_reserved_money_cannot_be_refunded(client: Client, pay: Pay) -> None:
    """Only captured money can be given back."""
    pay()
    assert client.refund("order-1", reference="r1", amount=1).error == "not_captured"


@pytest.mark.parametrize("amount", [0, -5, 1.0, True, "1"])
def test_operations_need_real_amounts(client: Client, pay: Pay, moved: Moved, amount: Any) -> None:
    """Amounts of captures and refunds are integers from 1 on."""
    pay(capture=True)
    assert client.refund("order-1", reference="r1", amount=amount).status == 422
    assert client.capture("order-1", reference="c1", amount=amount).status == 422
    assert moved() == [("capture", 1200)]


def test_repeated_operations_move_nothing_again(client: Client, pay: Pay, moved: Moved) -> None:
    """A known reference returns what it did; with another amount or on another payment it is a conflict."""
    pay()
    pay("order-2")
    first = client.capture("order-1", reference="c1", amount=1000)
    again = client.capture("order-1", reference="c1", amount=1000)
    assert (first.status, again.status, again.body) == (201, 200, first.body)
    assert client.capture("order-1", reference="c1", amount=999).error == "reference_reused"
    assert client.capture("order-2", reference="c1", amount=1000).error == "reference_reused"
    assert client.refund("order-1", reference="c1", amount=1000).error == "reference_reused"
    client.refund("order-1", reference="r1", amount=10)
    client.refund("order-1", reference="r1", amount=10)
    client.void("order-1", reference="v1")
    client.void("order-1", reference="v1")
    assert moved("order-1") == [("authorize", 1200), ("capture", 1000), ("refund", 10), ("void", 200)]


def test_ten_refunds_at_once_stay_within_the_capture(client: Client, pay: Pay, moved: Moved) -> None:
    """Of ten refunds of 500 from 1,200, two succeed."""
    pay(capture=True)
    errors: list[str | None] = []

    def refund(number: int) -> None:
        errors.append(client.refund("order-1", reference=f"r{number}", amount=500).error)

    threads = [threading.Thread(target=refund, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(errors, key=str) == [None, None, *["amount_too_large"] * 8]
    assert moved() == [("capture", 1200), ("refund", 500), ("refund", 500)]


def test_slow_refund_is_done_later(provider: SandboxProcess, client: Client, pay: Pay, moved: Moved) -> None:
    """A pending refund reserves its amount and moves it when its verdict is spoken, once."""
    pay(capture=True)
    provider.script({"match": {"operation": "refund"}, "do": "refund_async(done)"})
    reply = client.refund("order-1", reference="r1", amount=1000)
    assert (reply.body["operation"]["state"], reply.body["payment"]["refund_pending"]) == ("pending", 1000)
    assert client.refund("order-1", reference="r2", amount=201).error == "amount_too_large"
    assert moved() == [("capture", 1200)]
    provider.resolve("r1")
    provider.resolve("r1")
    snapshot = client.query("order-1").body
    assert (snapshot["refund_pending"], snapshot["refunded"], snapshot["operations"][0]["state"]) == (0, 1000, "done")
    assert moved() == [("capture", 1200), ("refund", 1000)]


def test_slow_refund_that_fails_gives_its_amount_free(
    provider: SandboxProcess, client: Client, pay: Pay, moved: Moved
) -> None:
    """A failed refund moved nothing and can be made again under a new reference."""
    pay(capture=True)
    provider.script({"match": {"operation": "refund", "nth": 1}, "do": "refund_async(failed)"})
    client.refund("order-1", reference="r1", amount=1200)
    provider.resolve("r1")
    operation = client.query("order-1").body["operations"][0]
    assert (operation["state"], operation["code"]) == ("failed", "account_closed")
    assert client.refund("order-1", reference="r2", amount=1200).body["payment"]["status"] == "refunded"
    assert moved() == [("capture", 1200), ("refund", 1200)]


def test_too_much_is_refunded_when_the_script_allows_it(
    provider: SandboxProcess, client: Client, pay: Pay, moved: Moved
) -> None:
    """Some providers do not check; then only the shop's own limit protects it."""
    pay(capture=True)
    provider.script({"match": {"operation": "refund"}, "do": "over_refund_allowed"})
    assert client.refund("order-1", reference="r1", amount=5000).status == 201
    assert moved() == [("capture", 1200), ("refund", 5000)]


def test_back_office_acts_unasked(provider: SandboxProcess, client: Client, pay: Pay, moved: Moved) -> None:
    """People at the provider can move money too; the snapshot shows it under a reference the shop does not know."""
    pay()
    provider.office("order-1", "capture", 1200)
    provider.office("order-1", "refund", 200)
    movements = client.query("order-1").body["movements"]
    assert [one["reference"].partition("_")[0] for one in movements] == ["order-1", "office", "office"]
    assert moved() == [("authorize", 1200), ("capture", 1200), ("refund", 200)]
    with pytest.raises(SandboxError, match="already_captured"):
        provider.office("order-1", "void")


def test_movements_cannot_be_changed(provider: SandboxProcess, pay: Pay) -> None:
    """The file itself refuses to change or delete an entry."""
    import sqlite3
    from contextlib import closing

    pay()
    with closing(sqlite3.connect(provider.ledger_file)) as db:
        for statement in ("update movements set amount = 1", "delete from movements"):
            with pytest.raises(sqlite3.IntegrityError, match="movements never change"):
                db.execute(statement)
