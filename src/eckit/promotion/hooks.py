"""What promotion asks plugins."""

from typing import Any

from eckit.kernel.hookspecs import CLOSED, hookspec
from eckit.kernel.plugins import Answer, Plugins
from eckit.promotion.model import Action, Adjustment, Condition, Draft, PromotionChanged


@hookspec()
def register_promotion_conditions(settings: Any) -> tuple[Condition, ...]:  # type: ignore[empty-body]
    """Register kinds of condition, each with an attrs class for its settings.

    :param settings: the plugin's own settings.
    """


@hookspec()
def register_promotion_actions(settings: Any) -> tuple[Action, ...]:  # type: ignore[empty-body]
    """Register kinds of action, each with an attrs class for its settings and the phase it works in.

    :param settings: the plugin's own settings.
    """


@hookspec(failure=CLOSED)
def propose_adjustments(draft: Draft) -> tuple[Adjustment, ...]:  # type: ignore[empty-body]
    """Propose discounts and surcharges for a draft, after list prices and before tax.

    Asked after line promotions for the goods (targets: a line or ``"order"``), and again once shipping is known (target
    ``"shipping"``); only answers for the targets asked about are used.

    :param draft: the quote so far; amounts are in the draft's own tax basis (``draft.prices_include_tax``).
    :return: adjustments in its currency, each with its own ``code``, negative to lower the price; ``()`` for none.
    :raises RefusedError: this cart cannot be priced at all.

    Example::

        @hookimpl
        def propose_adjustments(draft):
            return (Adjustment(code="club", label="Club discount", amount=Money(-330, "JPY")),)
    """


@hookspec()
def promotion_changed(event: PromotionChanged, shop: Any) -> None:
    """A promotion or its coupons were saved. After the commit; at least once."""


def ask_adjustments(plugins: Plugins, draft: Draft) -> tuple[Answer[tuple[Adjustment, ...]], ...]:
    """What each plugin proposes, sorted by plugin name."""
    if not plugins.implementations("propose_adjustments"):
        return ()
    given: tuple[Answer[tuple[Adjustment, ...]], ...] = plugins.call.propose_adjustments(draft=draft).given
    return given
