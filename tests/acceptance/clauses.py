"""The invariants, clause by clause: which of them the auditor holds, and which tests hold what data cannot tell."""

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

BY_TESTS: Final[dict[str, tuple[str, ...]]] = {
    "credit is double entry, each group zero per currency": (_NO_CREDIT,),
    "rounding only at declared points": (
        "tests/pricing/test_stages.py::test_rounding_is_the_markets_and_frozen_on_the_quote",
    ),
    "balances = ledger ≥ 0": (_NO_CREDIT,),
    "pricing is a pure function of its inputs": (
        "tests/pricing/test_properties.py::test_pricing_is_a_function_of_its_inputs",
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
    "a plugin's failure, delay or mutation changes no core data": (
        "tests/kernel/test_plugins.py::test_a_plugin_cannot_change_what_it_is_shown",
        f"{_ACCEPTANCE}/test_bad_plugins.py::test_a_hook_that_goes_wrong_hurts_nothing",
        f"{_ACCEPTANCE}/test_bad_protocols.py::test_a_thing_that_goes_wrong_hurts_nothing",
    ),
    "behavior equal on both databases": (f"{_ACCEPTANCE}/test_kill.py::test_killed_anywhere_the_shop_recovers",),
    "queries constant in lines and rules": (
        f"{_ACCEPTANCE}/test_statement_budgets.py::test_buying_takes_the_same_few_statements_whatever_is_in_the_cart",
    ),
}
"""Clauses that data cannot violate, and the tests that hold them, as ``file::name``."""

BY_TESTS_TOO: Final[dict[str, tuple[str, ...]]] = {
    "order total = Σ charges not contained in another, Σ net + Σ tax by rate = the same, the same number in quote, "
    "order, documents and exports": ("tests/order/test_audit.py::test_records_that_were_sealed_anew_are_found",),
    "shares sum to the whole": ("tests/pricing/test_properties.py::test_shares_make_their_charges",),
    "each committed event is delivered at least once": (
        f"{_ACCEPTANCE}/test_kill.py::test_what_was_sent_and_not_marked_is_sent_again_the_same",
    ),
    "validity windows are half-open instants from the shop's zone": (
        "tests/kernel/test_clock.py::test_window_covers_its_start_and_not_its_end",
    ),
    "no card number, secret or token in any table, log, exception, mail or export": (
        "tests/kernel/test_cards.py::test_installed_filter_reaches_every_logger",
        "tests/kernel/test_secrets.py::test_secret_shows_itself_nowhere",
    ),
    "no actor reaches another's data": ("tests/order/test_viewing.py::test_own_orders_are_seen_and_no_others",),
    "events leave only after commit": (
        "tests/kernel/test_relay.py::test_nothing_leaves_before_the_commit_or_without_one",
    ),
}
"""Clauses that the auditor holds as far as data can tell, and the tests that hold the rest of them."""

OF_THE_HOUSE: Final = (
    "every way up ends at a root",
    "a category lists the products put into it or below",
    "and no others",
    "product and category are there",
    "a price is of a variant that is there",
    "a variant is of a product that is there",
    "a stamp is never below 0, where it starts",
    "every audit row says who did what",
    "every facet belongs to something and has a namespace",
    "a lease ends after it was taken",
    "an answer is valid after it was kept",
    "a subscriber has a row only while it fails",
    "goods that have left are paid, or a person was told",
)
"""What the auditor holds besides."""
