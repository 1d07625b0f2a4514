"""One cart, confirmed and paid many times at once, by threads of this process or of a child's."""

import threading
from collections import Counter
from collections.abc import Callable

from eckit import Actor, EckitError, QuoteRef
from eckit.kernel.clock import FixedClock
from eckit.kernel.idempotency import Key
from eckit.shop import Shop
from tests.acceptance.trial import Place, card, open_shop

Attempt = tuple[str, str, str, str | None]
"""Cart id, digest and instant of the quote that was shown, and the caller's key."""


def confirm(shop: Shop, token: str, attempt: Attempt, outcomes: "Counter[str]") -> None:
    """Place the order and take its payment; the order's id, counted."""
    import datetime as dt

    cart_id, digest, priced_at, key = attempt
    agreed = QuoteRef(digest=digest, priced_at=dt.datetime.fromisoformat(priced_at))
    try:
        order = shop.place_order(
            Actor.guest(token), cart_id, agreed=agreed, key=Key(scope="place_order", value=key) if key else None
        )
        if order.token:  # the answer to a late asker is a pointer: the order is confirmed, its token was given before
            shop.take_payment(Actor.guest(token, order.token), order.id, instrument=card())
        outcomes[order.id] += 1
    except EckitError as error:
        outcomes[f"{error.code}: {error}"] += 1
    except Exception as error:  # noqa: BLE001 - the point is that there are none
        outcomes[repr(error)] += 1


def at_once(shop: Shop, token: str, attempts: list[Attempt]) -> "Counter[str]":
    """All of them at the same moment."""
    outcomes: Counter[str] = Counter()
    start = threading.Barrier(len(attempts))

    def one(attempt: Attempt) -> None:
        start.wait()
        confirm(shop, token, attempt, outcomes)

    threads = [threading.Thread(target=one, args=(attempt,)) for attempt in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def confirm_in_child(ready: Callable[[], object], place: str, token: str, attempts: list[Attempt]) -> "Counter[str]":
    """What a child does: opens the shop, waits for the others, then confirms."""
    where = Place.of(place)
    shop = open_shop(where, clock=FixedClock(where.now) if where.now else None)
    ready()
    outcomes = at_once(shop, token, attempts)
    shop.close()
    return outcomes
