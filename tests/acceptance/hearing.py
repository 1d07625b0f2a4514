"""A shop that hears its provider's notices by HTTP, and what is told to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eckit.cli.notices import NoticeServer
from tests.acceptance.trial import Trial


@contextmanager
def hearing(trial: Trial) -> Iterator[NoticeServer]:
    """The trial's shop hears notices until the block ends."""
    with NoticeServer().serving() as server:
        server.shop = trial.shop
        trial.provider.notify(server.url)
        yield server
        trial.provider.wait_for_notices()
        trial.provider.notify(None)


def approve_late(trial: Trial, *references: str) -> None:
    """Buyers pass challenges that the provider holds open longer than the shop waits; then the provider tells it.

    Until then the provider's clock stands where it was set last: advance the shop's by ``trial.clock``.
    """
    for reference in references:
        trial.provider.approve(reference)
    trial.provider.set_clock(trial.clock.now())
    with hearing(trial):
        for reference in references:
            assert {200} == set(trial.provider.deliver(payment=reference))
        trial.shop.apply_notices()


def confirmations(trial: Trial, order_id: str) -> int:
    """How often an order was announced as confirmed."""
    return announced(trial, "order.confirmed", f"order:{order_id}")


def announced(trial: Trial, name: str, subject: str) -> int:
    """How often an event was announced of a subject."""
    return count(trial, f"select count(*) from eckit_outbox where name = '{name}' and subject = '{subject}'")


def count(trial: Trial, sql: str) -> int:
    """One number out of the database."""
    with trial.shop.database.reading() as connection:
        found: Any = connection.exec_driver_sql(sql).scalar_one()
    return int(found)
