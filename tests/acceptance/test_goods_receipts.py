"""A plugin's rows, a core verb and their events commit together or not at all, wherever the process dies."""

import ast
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from examples import goods_receipts
from tests.acceptance.children import ended
from tests.acceptance.fingerprint import fingerprint
from tests.acceptance.receiving import STEPS, book, book_and_die
from tests.acceptance.trial import Trial


@pytest.fixture
def store(begun: Callable[..., Trial]) -> Trial:
    """A shop with the plugin, and two things to receive."""
    made = begun(plugins=[goods_receipts.plugin], more_tables=[goods_receipts.metadata])
    made.goods("TEA-50", 648)
    made.goods("BOWL", 3300)
    return made


def _rows(trial: Trial) -> dict[str, str]:
    with trial.shop.database.reading() as connection:
        return fingerprint(connection)


def _counts(trial: Trial) -> tuple[int, ...]:
    queries = (
        "select count(*) from goods_receipts_receipt",
        "select count(*) from goods_receipts_line",
        "select count(*) from eckit_stock_movement",
        "select coalesce(sum(on_hand), 0) from eckit_level",
        "select count(*) from eckit_outbox where name in ('goods.received', 'stock.changed')",
    )
    with trial.shop.database.reading() as connection:
        return tuple(int(connection.execute(sa.text(query)).scalar_one()) for query in queries)


@pytest.mark.parametrize("step", STEPS)
def test_a_receipt_is_booked_whole_or_not_at_all(store: Trial, step: str) -> None:
    """Killed with -9 after any writing statement: nothing of the receipt is there; booked again, all of it is."""
    before = _rows(store)

    assert -signal.SIGKILL == ended(book_and_die, store.place.to_json(), step)

    assert before == _rows(store)
    book(store.place)
    assert (1, 2, 2, 46, 3) == _counts(store)
    book(store.place)
    assert (1, 2, 2, 46, 3) == _counts(store)
    assert [] == store.audit()


def test_the_plugin_uses_nothing_but_the_public_face() -> None:
    """What it imports is ``eckit``, a face, or the kernel; SQLAlchemy for its own tables."""
    source = Path(goods_receipts.__file__).read_text(encoding="utf-8")
    modules = {
        node.module
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("eckit")
    }

    assert set() == {name for name in modules if name != "eckit" and not (name or "").startswith("eckit.kernel.")}
