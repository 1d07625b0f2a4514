"""The remote control: scripts of misbehavior, deliveries by hand, the clock, the provider's own back office."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any, Final

from eckit_sandbox.provider.acquirer import Act, new_id
from eckit_sandbox.provider.bodies import REFERENCE, Fields
from eckit_sandbox.provider.clock import read_instant
from eckit_sandbox.provider.desk import Provider
from eckit_sandbox.provider.faults import Answer, answer_json
from eckit_sandbox.provider.ledger import Notice
from eckit_sandbox.provider.notices import MUTATIONS, Sending
from eckit_sandbox.provider.refusals import RefusalError
from eckit_sandbox.provider.script import Manners

_KIND = re.compile("capture|void|refund")
_ORDER = re.compile("kept|reversed")
_MUTATION = re.compile("|".join(MUTATIONS))


def script(provider: Provider, body: Any) -> Answer:
    """Add rules: one object, or a list of them."""
    provider.script.add(body if isinstance(body, list) else [body])
    return state(provider)


def clear(provider: Provider, body: Any) -> Answer:
    """Forget the script and stored errors; the ledger stays."""
    Fields(body).close()
    provider.script.clear()
    provider.stored.clear()
    return state(provider)


def reset(provider: Provider, body: Any) -> Answer:
    """Forget everything, the ledger included."""
    Fields(body).close()
    provider.reset()
    return state(provider)


def state(provider: Provider) -> Answer:
    """Show what is set and how often each rule matched and fired."""
    settings = provider.settings
    view = {
        "mode": settings.mode,
        "accounts": list(settings.accounts),
        "notify_url": provider.notices.url,
        "now": provider.clock.text(),
        "rules": provider.script.view(),
        "notices": [_notice_view(notice) for notice in provider.ledger.notices()],
    }
    return answer_json(200, view)


def _notice_view(notice: Notice) -> dict[str, Any]:
    names = ("event_id", "account", "payment", "sequence", "created_at", "state", "attempts", "last_status")
    return {name: getattr(notice, name) for name in names}


def clock(provider: Provider, body: Any) -> Answer:
    """Set the provider's time: ``now`` (null: the machine's time) and ``running``."""
    fields = Fields(body)
    now = fields.read("now", read_instant)
    running = fields.flag("running", default=True)
    fields.close()
    provider.clock.set(now, running=running)
    return answer_json(200, {"now": provider.clock.text()})


def notify(provider: Provider, body: Any) -> Answer:
    """Set where notices go; those waiting are sent there."""
    fields = Fields(body)
    url = fields.url("url")
    fields.close()
    provider.notices.aim(url)
    return answer_json(200, {"notify_url": url})


def wait(provider: Provider, body: Any) -> Answer:
    """Answer when no notice is waiting to be sent, or after ``seconds``."""
    fields = Fields(body)
    seconds = fields.seconds("seconds", default=5)
    fields.close()
    return answer_json(200, {"idle": provider.notices.wait(seconds)})


def deliver(provider: Provider, body: Any) -> Answer:
    """Send notices by hand, chosen by ``events`` or ``payment`` (default: all that were not delivered), or drop them.

    ``order`` kept or reversed (``events`` are sent in the order given), ``copies`` of each, ``parallel``: all at the
    same time, ``delay`` seconds before, ``mutation`` spoils them, ``drop`` gives them up instead; ``batch``: all in one
    request, of which the record at the place ``broken`` (from 1) cannot be read.
    """
    fields = Fields(body)
    payment = fields.optional_text("payment", REFERENCE)
    events = fields.items("events")
    order = fields.optional_text("order", _ORDER)
    copies = fields.count("copies", default=1, most=200)
    parallel = fields.flag("parallel", default=False)
    delay = fields.seconds("delay", default=0)
    mutation = fields.optional_text("mutation", _MUTATION) or ""
    drop = fields.flag("drop", default=False)
    batch = fields.flag("batch", default=False)
    broken = fields.count("broken", default=1, most=200) if fields.has("broken") else None
    fields.close()
    if (batch and (drop or parallel or mutation or copies > 1)) or (broken is not None and not batch):
        raise RefusalError(422, "invalid", "a batch is sent once and may have one broken record", field="batch")
    chosen = _chosen(provider, events, payment)
    if order == "reversed":
        chosen.reverse()
    if drop:
        for notice in chosen:
            provider.ledger.mark_notice(notice.event_id, "dropped")
        return answer_json(200, {"deliveries": []})
    provider.stopping.wait(delay)
    if batch:
        return answer_json(200, {"deliveries": _push(provider, chosen, broken)})
    sendings = [Sending(notice.event_id, mutation, retried=False) for notice in chosen for _ in range(copies)]
    return answer_json(200, {"deliveries": _send(provider, sendings, parallel=parallel)})


def _push(provider: Provider, chosen: list[Notice], broken: int | None) -> list[dict[str, Any]]:
    if not chosen or (broken is not None and broken > len(chosen)):
        raise RefusalError(422, "invalid", f"there are {len(chosen)} records", field="broken")
    status = provider.notices.push(chosen, None if broken is None else broken - 1)
    return [{"event_id": notice.event_id, "status": status} for notice in chosen]


def _chosen(provider: Provider, events: list[Any] | None, payment: str | None) -> list[Notice]:
    if events is None:
        notices = provider.ledger.notices(payment=payment)
        return notices if payment else [notice for notice in notices if notice.state != "delivered"]
    found = [provider.ledger.notice(str(event)) for event in events]
    if missing := [place for place, notice in enumerate(found) if notice is None]:
        raise RefusalError(404, "no_such_event", f"there is no event at place {missing[0]}", field="events")
    return [notice for notice in found if notice is not None]


def _send(provider: Provider, sendings: list[Sending], *, parallel: bool) -> list[dict[str, Any]]:
    statuses: list[int | None] = [None] * len(sendings)

    def one(place: int) -> None:
        statuses[place] = provider.notices.deliver(sendings[place])

    if parallel:
        threads = [threading.Thread(target=one, args=(place,), daemon=True) for place in range(len(sendings))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    else:
        for place in range(len(sendings)):
            one(place)
    pairs = zip(sendings, statuses, strict=True)
    return [{"event_id": sending.event_id, "status": status} for sending, status in pairs]


def resolve(provider: Provider, body: Any) -> Answer:
    """Speak the verdict on a pending payment or refund, by its reference."""
    account, reference = _subject(provider, body)
    return answer_json(200, provider.resolve(account, reference).body)


def expire(provider: Provider, body: Any) -> Answer:
    """Let the time of a challenge or reservation have passed."""
    account, reference = _subject(provider, body)
    done = provider.acquirer.expire(account, reference)
    provider.told(done, "resolve", account, reference, reference)
    return answer_json(200, done.body)


def _subject(provider: Provider, body: Any) -> tuple[str, str]:
    fields = Fields(body)
    account = _account(provider, fields)
    reference = fields.text("reference", REFERENCE)
    fields.close()
    return account, reference


def _account(provider: Provider, fields: Fields) -> str:
    account = fields.raw("account") or provider.settings.accounts[0]
    if account not in provider.settings.accounts:
        raise RefusalError(403, "unknown_account", "there is no such account", field="account")
    return str(account)


def office(provider: Provider, body: Any) -> Answer:
    """Capture, void or refund in the provider's own back office: the shop did not ask for it."""
    fields = Fields(body)
    account = _account(provider, fields)
    payment = fields.text("payment", REFERENCE)
    kind = fields.text("kind", _KIND)
    amount = 0 if kind == "void" else fields.amount()
    fields.close()
    act = Act(account, payment, kind, new_id("office"), amount)
    done = provider.acquirer.act(act, Manners())
    provider.told(done, kind, account, payment, act.reference)
    return answer_json(201, done.body)


COMMANDS: Final[dict[str, Callable[[Provider, Any], Answer]]] = {
    "/control/script": script,
    "/control/clear": clear,
    "/control/reset": reset,
    "/control/clock": clock,
    "/control/notify": notify,
    "/control/wait": wait,
    "/control/deliver": deliver,
    "/control/resolve": resolve,
    "/control/expire": expire,
    "/control/office": office,
}
"""What can be POSTed; ``GET /control/state`` shows :func:`state`."""
