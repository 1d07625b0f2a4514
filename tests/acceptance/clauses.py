"""The invariants, clause by clause, and what holds each: checks of the auditor, or tests where data cannot tell."""

from typing import Final

LIST: Final = """
refunds ≤ captures ≤ authorizations per payment; an order's paid sum equals the applications to it, applications ≤
captures per payment · provider movements are single entries that never change; credit is double entry, each group zero
per currency · order total = Σ charges not contained in another, Σ net + Σ tax by rate = the same, the same number in
quote, order, documents and exports; Σ payments asked for = dues = total − credit applied · shares sum to the whole ·
no negative total, line or quantity · amounts of two currencies never meet · rounding only at declared points · 0 ≤ on
hand; reserved ≤ on hand + open shortages; promised beyond stock ≤ its cap, only where the variant allows it; movements
= on hand, each with one cause · each hold belongs to a live registered owner or has expired · per line: canceled +
shipped ≤ ordered, returned ≤ shipped · one cart version, at most one order that has not lapsed; one key, one outcome;
one order, one number · a placed order differs from its placement record only by amendment rows; personal data is
outside the record · histories contain only declared transitions · the amount charged is the amount confirmed · one
attempt, at most one charge; one charge, one attempt · each acknowledged notice is stored and applied at most once; each
committed event is delivered at least once · redemptions ≤ limits · balances = ledger ≥ 0 · pricing is a pure function
of its inputs · validity windows are half-open instants from the shop's zone · no card number, secret or token in any
table, log, exception, mail or export · no actor reaches another's data · untrusted text is inert in every sink · no
outgoing connection to private addresses from configurable URLs, except hosts on an allow-list that is empty by default
· events leave only after commit · a plugin's failure, delay or mutation changes no core data · behavior equal on both
databases · queries constant in lines and rules
"""

_ACCEPTANCE: Final = "tests/acceptance"
_NO_CREDIT: Final = f"{_ACCEPTANCE}/test_auditor.py::test_there_is_no_credit_to_be_out_of_balance"

CLAUSES: Final[dict[str, tuple[str, ...]]] = {
    "refunds ≤ captures ≤ authorizations per payment": ("refunds-within-captures", "captures-within-authorizations"),
    "an order's paid sum equals the applications to it, applications ≤ captures per payment": (
        "what-was-taken-is-applied",
        "applications-within-captures",
    ),
    "provider movements are single entries that never change": ("movement-is-one-entry", "movement-is-its-payments"),
    "credit is double entry, each group zero per currency": (_NO_CREDIT,),
    "order total = Σ charges not contained in another, Σ net + Σ tax by rate = the same, the same number in quote, "
    "order, documents and exports": (
        "order-total-is-its-charges",
        "placement-adds-up",
        "rows-are-as-placed",
        "tests/order/test_audit.py::test_records_that_were_sealed_anew_are_found",
    ),
    "Σ payments asked for = dues = total − credit applied": ("asked-is-due",),
    "shares sum to the whole": (
        "placement-adds-up",
        "tests/pricing/test_properties.py::test_shares_make_their_charges",
    ),
    "no negative total, line or quantity": ("cart-is-whole", "hold-is-of-something"),
    "amounts of two currencies never meet": ("price-currency",),
    "rounding only at declared points": (
        "tests/pricing/test_stages.py::test_rounding_is_the_markets_and_frozen_on_the_quote",
    ),
    "0 ≤ on hand": ("counters-in-bounds",),
    "reserved ≤ on hand + open shortages": ("what-is-open-is-held", "counters-in-bounds"),
    "promised beyond stock ≤ its cap, only where the variant allows it": ("counters-in-bounds",),
    "movements = on hand, each with one cause": (
        "movements-make-on-hand",
        "movement-has-one-cause",
        "what-left-is-sold",
    ),
    "each hold belongs to a live registered owner or has expired": (
        "hold-has-its-owner",
        "hold-is-of-a-live-order",
        "hold-of-an-order-has-no-end",
    ),
    "per line: canceled + shipped ≤ ordered, returned ≤ shipped": (
        "steps-do-not-exceed-what-was-ordered",
        "shipped-is-what-left",
        "shipments-are-of-what-was-ordered",
    ),
    "one cart version, at most one order that has not lapsed": (
        "live-key-is-the-cart-version",
        "cart-and-order-know-each-other",
    ),
    "one key, one outcome": ("key-done-with-reply-time",),
    "one order, one number": ("one-order-of-a-number",),
    "a placed order differs from its placement record only by amendment rows": (
        "placement-is-sealed",
        "order-has-its-record",
        "rows-are-as-placed",
        "order-is-placement-and-amendments",
    ),
    "personal data is outside the record": (
        "placement-names-nobody",
        "order-knows-its-people",
        "erased-party-is-empty",
    ),
    "histories contain only declared transitions": ("steps-are-declared", "confirmed-once", "ended-is-ended"),
    "the amount charged is the amount confirmed": ("charged-as-confirmed",),
    "one attempt, at most one charge": ("paid-order-is-confirmed", "money-of-a-canceled-order-goes-back"),
    "one charge, one attempt": ("one-charge-one-attempt",),
    "each acknowledged notice is stored and applied at most once": ("applied-notice-has-its-payment",),
    "each committed event is delivered at least once": (
        "event-seq-gapless",
        "order-was-announced",
        "event-done-heard",
        f"{_ACCEPTANCE}/test_kill.py::test_what_was_sent_and_not_marked_is_sent_again_the_same",
    ),
    "redemptions ≤ limits": (
        "promotion-within-its-limit",
        "promotion-counts-its-uses",
        "use-is-of-a-live-order",
        "use-is-what-was-given",
    ),
    "balances = ledger ≥ 0": (_NO_CREDIT,),
    "pricing is a pure function of its inputs": (
        "tests/pricing/test_properties.py::test_pricing_is_a_function_of_its_inputs",
    ),
    "validity windows are half-open instants from the shop's zone": (
        "price-window",
        "promotion-window-is-half-open",
        "tests/kernel/test_clock.py::test_window_covers_its_start_and_not_its_end",
    ),
    "no card number, secret or token in any table, log, exception, mail or export": (
        "no-card-number-or-secret",
        "mail-row-names-nobody",
        "tests/kernel/test_cards.py::test_installed_filter_reaches_every_logger",
        "tests/kernel/test_secrets.py::test_secret_shows_itself_nowhere",
    ),
    "no actor reaches another's data": (
        "token-is-real",
        "one-order-of-a-token",
        "cart-token-is-real",
        "tests/order/test_viewing.py::test_own_orders_are_seen_and_no_others",
    ),
    "untrusted text is inert in every sink": (
        "tests/messages/test_templates.py::test_what_people_write_is_inert_in_every_part",
        "tests/order/test_viewing.py::test_exported_texts_cannot_be_taken_for_formulas",
    ),
    "no outgoing connection to private addresses from configurable URLs, except hosts on an allow-list that is empty "
    "by default": (
        "tests/kernel/test_http.py::test_requests_to_the_inside_are_blocked",
        "tests/kernel/test_http.py::test_allow_list_opens_exactly_what_it_names",
    ),
    "events leave only after commit": (
        "mail-is-of-a-committed-event",
        "tests/kernel/test_relay.py::test_nothing_leaves_before_the_commit_or_without_one",
    ),
    "a plugin's failure, delay or mutation changes no core data": (
        "tests/kernel/test_plugins.py::test_a_plugin_cannot_change_what_it_is_shown",
        f"{_ACCEPTANCE}/test_bad_plugins.py::test_who_only_listens_changes_nothing",
        f"{_ACCEPTANCE}/test_bad_plugins.py::test_what_makes_an_amount_fails_closed",
    ),
    "behavior equal on both databases": (f"{_ACCEPTANCE}/test_kill.py::test_killed_anywhere_the_shop_recovers",),
    "queries constant in lines and rules": (
        f"{_ACCEPTANCE}/test_statement_budgets.py::test_buying_takes_the_same_few_statements_whatever_is_in_the_cart",
    ),
}
"""Clause → checks, and tests as ``file::name``. A clause that has only tests is one that data cannot violate."""
