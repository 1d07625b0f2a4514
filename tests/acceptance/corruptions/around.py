"""Corruptions of notices, events, mails, people, the catalog, and what the kernel keeps."""

from typing import Final

from tests.acceptance.corruptions.planting import added, copied, delete, of, plant, update

_NOTICE: Final = "select min(id) from eckit_notice where state = 'applied'"
_FIRST_MAIL: Final = "from eckit_mail where about = 'order:{lost.order}' order by id limit 1"
_MAIL: Final = f"select id {_FIRST_MAIL}"
_THIS_MAIL: Final = f"id = ({_MAIL})"
_EVENT: Final = "select id from eckit_outbox where subject = 'order:{lost.order}' and name = 'order.confirmed'"
_THIS_EVENT: Final = f"id = ({_EVENT})"
_CUSTOMER: Final = "select id from eckit_customer"
_VARIANT: Final = "select variant_id from eckit_order_line where id = '{lost.line1}'"
_PRODUCT: Final = f"select product_id from eckit_variant where id = ({_VARIANT})"

_DELIVERY: Final = (
    *of(
        "each acknowledged notice is stored and applied at most once",
        plant(
            "a notice was applied twice",
            {"notice/one-notice-of-an-event": _NOTICE},
            copied("notice", f"id = ({_NOTICE})", id="'ntc_x'"),
        ),
        plant(
            "a notice was applied to nothing",
            {"notice/applied-notice-has-its-payment": _NOTICE},
            update("notice", "begin_reference = 'x'", f"id = ({_NOTICE})"),
        ),
    ),
    *of(
        "each committed event is delivered at least once",
        plant(
            "an event is missing",
            {"outbox/event-seq-gapless": "payment:{lost.payment}"},
            delete("outbox", "subject = 'payment:{lost.payment}' and seq = 1"),
        ),
        plant(
            "an order nobody heard of",
            {"order/order-was-announced": "{lost.order}"},
            update("outbox", "name = 'order.amended'", "subject = 'order:{lost.order}' and name = 'order.placed'"),
        ),
        plant(
            "an event is done and still waited for",
            {"outbox/event-done-heard": _EVENT},
            update("outbox", """waiting = '{{"x":"y"}}'""", _THIS_EVENT),
        ),
        plant(
            "an event is leased by nobody",
            {"outbox/event-leased-by-somebody": _EVENT},
            update("outbox", "state = 'leased', lease = null", _THIS_EVENT),
        ),
        plant(
            "an event was moved aside and nobody says why",
            {"outbox/event-parked-with-reason": _EVENT},
            update("outbox", "state = 'parked', waiting = null", _THIS_EVENT),
        ),
        plant(
            "an event that nothing of the core announces",
            {"outbox/event-known": _EVENT},
            update("outbox", "name = 'order.forgotten'", _THIS_EVENT),
        ),
        plant(
            "a mail that was tried too often",
            {"mail/mail-is-tried-in-bounds": _MAIL},
            update("mail", "tries = -1", _THIS_MAIL),
        ),
        plant(
            "one mail twice",
            {"mail/one-mail-of-an-event": f"select id || '/' || event_id {_FIRST_MAIL}"},
            copied("mail", _THIS_MAIL, id="'mal_x'"),
        ),
        plant(
            "a mail about nothing",
            {"mail/mail-is-about-something": _MAIL},
            update("mail", "about = 'x'", _THIS_MAIL),
        ),
        plant(
            "a mail about an order that is not there",
            {"mail/mail-is-of-an-order": _MAIL},
            update("mail", "about = 'order:ord_x'", _THIS_MAIL),
        ),
    ),
    *of(
        "events leave only after commit",
        plant(
            "a mail of what never happened",
            {"mail/mail-is-of-a-committed-event": f"select id || '/' || kind {_FIRST_MAIL}"},
            update("mail", "event_id = 'evt_x'", _THIS_MAIL),
        ),
    ),
)  # fmt: skip

_SECRETS: Final = of(
    "no card number, secret or token in any table, log, exception, mail or export",
    plant(
        "a card number in a title",
        {"product/no-card-number-or-secret": _PRODUCT},
        update("product", """title = '{{"en":"4111 1111 1111 1111"}}'""", f"id = ({_PRODUCT})"),
    ),
    plant(
        "a card number in a kept notice",
        {"notice/no-card-number-or-secret": _NOTICE},
        update("notice", "reason = '4111 1111 1111 1111'",
               f"id = ({_NOTICE})"),
    ),
    plant(
        "a secret in a reason",
        {"history/no-card-number-or-secret": "select min(id) from eckit_history"},
        update("history", "reason = '{secret}'", "id = (select min(id) from eckit_history)"),
    ),
    plant(
        "a mail that says who gets it",
        {"mail/mail-row-names-nobody": _MAIL},
        update("mail", "last_failure = 'hanako@example.com'", _THIS_MAIL),
    ),
)  # fmt: skip

_PEOPLE: Final = of(
    "no actor reaches another's data",
    plant(
        "an order's token that can be guessed",
        {"order/token-is-real": "{lost.order}"},
        update("order", "token = 'abc'", "id = '{lost.order}'"),
    ),
    plant(
        "one token for two orders",
        {"order/one-order-of-a-token": "select min(id) from eckit_order where id in ('{last.order}', '{lost.order}')"},
        update("order", "token = (select token from eckit_order where id = '{last.order}')", "id = '{lost.order}'"),
    ),
    plant(
        "a cart that anybody can open",
        {"cart/cart-token-is-real": "{lost.cart}"},
        update("cart", "token = 'abc'", "id = '{lost.cart}'"),
    ),
    plant(
        "an account whose key is not normal",
        {"account/account-key-is-normal": _CUSTOMER},
        update("account", "email_key = 'HANAKO@example.com'", "1 = 1"),
    ),
    plant(
        "two accounts of one mailbox",
        {"account/one-account-of-a-mailbox": _CUSTOMER, "account/account-has-its-customer": "cus_x"},
        copied("account", "1 = 1", customer_id="'cus_x'"),
    ),
    plant(
        "an account of nobody",
        {"account/account-has-its-customer": "cus_x", "credential/credential-opens-an-account": _CUSTOMER},
        update("account", "customer_id = 'cus_x'", "1 = 1"),
    ),
    plant(
        "a password that opens nothing",
        {"credential/credential-opens-an-account": "cus_x"},
        copied("credential", "1 = 1", customer_id="'cus_x'"),
    ),
    plant(
        "a customer who is somebody else",
        {"customer/customer-has-its-party": _CUSTOMER},
        update("customer", "party_id = 'pty_x'", "1 = 1"),
    ),
    plant(
        "a customer who became oneself",
        {"customer/merged-into-a-customer": _CUSTOMER},
        update("customer", "merged_into = id", "1 = 1"),
    ),
    plant(
        "a link to nothing",
        {"external_ref/link-has-its-owner": "select id from eckit_external_ref"},
        update("external_ref", "owner = 'order:x'", "1 = 1"),
    ),
    plant(
        "an external id of two things",
        {"external_ref/one-owner-of-an-external-id": "select id || '/order' from eckit_external_ref"},
        copied("external_ref", "1 = 1", id="'xrf_x'", owner="'order:{lost.order}'"),
    ),
)  # fmt: skip

_CATALOG: Final = (
    *of(
        "every way up ends at a root",
        plant(
            "a category above itself",
            {"category/category-tree": "cat_x"},
            added("category", id="'cat_x'", code="'x'", parent_id="'cat_x'", title="'{{}}'", position=0),
        ),
    ),
    *of(
        "a category lists the products put into it or below",
        plant(
            "a product its category's parent does not list",
            {"product_category/category-holds-products": f"select category_id || '/' || product_id "
             f"from eckit_product_category where product_id = ({_PRODUCT}) and not direct"},
            delete("product_category", f"product_id = ({_PRODUCT}) and not direct"),
        ),
    ),
    *of(
        "and no others",
        plant(
            "a product where it does not belong",
            {"product_category/category-holds-only-these": f"select min(id) || '/' || ({_PRODUCT}) from eckit_category "
             f"where id not in (select category_id from eckit_product_category where product_id = ({_PRODUCT}))"},
            added("product_category", category_id="(select min(id) from eckit_category where id not in "
                  f"(select category_id from eckit_product_category where product_id = ({_PRODUCT})))",
                  product_id=f"({_PRODUCT})", direct="false"),
        ),
    ),
    *of(
        "product and category are there",
        plant(
            "a product that is gone and still listed",
            {"product_category/category-of-product": "select min(id) || '/prd_x' from eckit_category "
             "where parent_id is null"},
            added("product_category", category_id="(select min(id) from eckit_category where parent_id is null)",
                  product_id="'prd_x'", direct="true"),
        ),
    ),
    *of(
        "a price is of a variant that is there",
        plant(
            "a price of nothing",
            {"price/price-of-variant": "select 'var_x/' || list_id || '/' || min_steps from eckit_price "
             f"where variant_id = ({_VARIANT})"},
            copied("price", f"variant_id = ({_VARIANT})", variant_id="'var_x'"),
        ),
    ),
    *of(
        "a variant is of a product that is there",
        plant(
            "a variant of nothing",
            {"variant/variant-of-product": _VARIANT},
            update("variant", "product_id = 'prd_x'", f"id = ({_VARIANT})"),
        ),
    ),
)  # fmt: skip

_KERNEL: Final = (
    *of(
        "a stamp is never below 0, where it starts",
        plant(
            "a stamp below its start",
            {"stamp/stamp-not-below-zero": "x"},
            added("stamp", name="'x'", version=-1),
        ),
    ),
    *of(
        "every audit row says who did what",
        plant(
            "a deed of nobody",
            {"history/deed-named": "select min(id) from eckit_history"},
            update("history", '"by" = \'\'', "id = (select min(id) from eckit_history)"),
        ),
    ),
    *of(
        "every facet belongs to something and has a namespace",
        plant(
            "a facet of nothing",
            {"facet/facet-owned": "fct_x"},
            added("facet", id="'fct_x'", owner_kind="'order'", owner_id="''", namespace="'x'", version=1,
                  personal="false", body="'{{}}'"),
        ),
    ),
    *of(
        "a lease ends after it was taken",
        plant(
            "a lease that ended before it began",
            {"lease/lease-forward": "x"},
            added("lease", name="'x'", holder="'y'", taken_at="{later}", until="{earlier}"),
        ),
    ),
    *of(
        "an answer is valid after it was kept",
        plant(
            "an answer that was too old when it was kept",
            {"answer/answer-forward": "tax/x"},
            added("answer", engine="'tax'", digest="'x'", kept_at="{later}", valid_until="{earlier}"),
        ),
    ),
    *of(
        "a subscriber has a row only while it fails",
        plant(
            "a subscriber that is well and counted as failing",
            {"subscriber/subscriber-failing": "x"},
            added("subscriber", name="'x'", failures=0, failing_since="{later}", reason="''"),
        ),
    ),
)  # fmt: skip

CORRUPTIONS: Final = (*_DELIVERY, *_SECRETS, *_PEOPLE, *_CATALOG, *_KERNEL)
