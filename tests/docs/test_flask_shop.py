"""The Flask example sells for real: a server on loopback, a browser without a screen, a payment provider's process."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import httpx2
import pytest
from werkzeug.serving import make_server

from docs.pages import errors
from eckit import (
    Actor,
    ConflictError,
    EckitError,
    NotFoundError,
    PluginError,
    RefusedError,
    Shop,
    SystemClock,
    UncertainError,
)
from eckit.kernel.settings import HttpSettings
from eckit_sandbox import SandboxProcess
from examples.flask_shop.app import create_app, status_of
from tests.docs.shop import Pages, prepared

BUYER = {
    "name": "Hanako Mihon",
    "email": "hanako@example.com",
    "country": "JP",
    "postal_code": "150-0002",
    "region": "東京都",
    "city": "渋谷区",
    "line": "渋谷1-2-3",
}


@attrs.define
class Site:
    """A running site, its shop and its payment provider."""

    url: str
    shop: Shop
    provider: SandboxProcess


@pytest.fixture
def site(pages: Pages) -> Iterator[Site]:
    """The example on a real server, with the sandbox provider sending notices to it."""
    apps = []
    server = make_server("127.0.0.1", 0, lambda environ, start: apps[0](environ, start), threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    with SandboxProcess(pages.folder / "provider", f"{url}/notices/sandbox.card") as provider:
        shop = prepared(
            f"sqlite:///{pages.folder / 'site.sqlite'}",
            SystemClock(),
            plugin_settings={"sandbox": provider.settings()},
            http=HttpSettings(allow=(f"127.0.0.1:{provider.port}",)),
        )
        pages.opened.callback(shop.close)
        apps.append(create_app(shop, secret_key="of the tests"))
        thread.start()
        try:
            yield Site(url, shop, provider)
        finally:
            server.shutdown()
            server.server_close()
            thread.join(timeout=10)


@pytest.fixture
def browser(site: Site) -> Iterator[httpx2.Client]:
    """Somebody at a screen: keeps cookies, follows redirects within the site."""
    with httpx2.Client(base_url=site.url, timeout=30) as client:
        yield client


def _until_confirmation(browser: httpx2.Client) -> dict[str, str]:
    """Look, put something in, say where it goes; what the confirmation page would send."""
    assert "Morning Sencha" in browser.get("/").text
    assert 302 == browser.post("/cart", data={"sku": "TEA-50"}).status_code
    assert 302 == browser.post("/checkout", data=BUYER).status_code
    page = browser.get("/cart").text
    return dict(re.findall(r'name="(digest|priced_at)" value="([^"]+)"', page))


def _order(browser: httpx2.Client, form: dict[str, str], token: str) -> httpx2.Response:
    return browser.post("/orders", data={**form, "card_token": token})


def test_an_order_is_placed_and_paid_over_http(site: Site, browser: httpx2.Client) -> None:
    """From the catalog to the order's page; the provider's own ledger has the money once."""
    form = _until_confirmation(browser)
    assert "¥1,588" in browser.get("/cart").text  # 648, and 940 for delivery to Tokyo
    answer = _order(browser, form, "tok_ok")
    assert 302 == answer.status_code
    page = browser.get(answer.headers["Location"]).text
    assert "Order 0000001" in page
    assert "¥1,588: authorized" in page
    assert [("authorize", 1588)] == [(entry.kind, entry.amount) for entry in site.provider.ledger()]


def test_a_double_click_over_http_makes_one_order_and_one_charge(site: Site, browser: httpx2.Client) -> None:
    """Two requests with the same form and the same cookie at the same time lead to the same page."""
    form = _until_confirmation(browser)
    cookies = dict(browser.cookies)

    def click(_: int) -> str:
        with httpx2.Client(base_url=site.url, cookies=cookies, timeout=30) as tab:
            return str(_order(tab, form, "tok_ok").headers["Location"])

    with ThreadPoolExecutor(2) as pool:
        places = set(pool.map(click, range(2)))
    assert 1 == len(places)
    assert ["authorize"] == [entry.kind for entry in site.provider.ledger()]


def test_a_slow_double_click_is_told_that_the_order_is_received(site: Site, browser: httpx2.Client) -> None:
    """The second request, with the same form and cookie, comes after the first has ended: its number, no second charge,
    and nothing that opens the order.
    """
    form = _until_confirmation(browser)
    cookies = dict(browser.cookies)
    assert 302 == _order(browser, form, "tok_ok").status_code
    with httpx2.Client(base_url=site.url, cookies=cookies, timeout=30) as tab:
        late = _order(tab, form, "tok_ok")
        assert 200 == late.status_code
        assert "We have received your order 0000001" in late.text
        assert "session=;" in late.headers["set-cookie"]

    (order,) = _orders(site)
    assert order.token not in late.text
    assert ["authorize"] == [entry.kind for entry in site.provider.ledger()]


@pytest.mark.parametrize("token", ["", " ", "4111 1111 1111 1111"])
def test_what_is_no_card_token_places_nothing(site: Site, browser: httpx2.Client, token: str) -> None:
    """A bad request; the cart is as it was, and the same page then works."""
    form = _until_confirmation(browser)
    assert 400 == _order(browser, form, token).status_code
    assert () == _orders(site)
    assert "¥1,588" in browser.get("/cart").text
    assert 302 == _order(browser, form, "tok_ok").status_code


@pytest.mark.parametrize("priced_at", ["", "yesterday", "2026-04-01", "2026-13-01T00:00:00+00:00"])
def test_an_instant_that_is_none_is_a_bad_request(browser: httpx2.Client, priced_at: str) -> None:
    """It is the buyer's page that is wrong, or what somebody made of it; not the shop."""
    form = _until_confirmation(browser)
    assert 400 == _order(browser, {**form, "priced_at": priced_at}, "tok_ok").status_code
    assert 302 == _order(browser, form, "tok_ok").status_code


def test_an_address_abroad_is_asked_for_again(site: Site, browser: httpx2.Client) -> None:
    """The shop does not sell there: the cart is shown all the same, and says what is missing."""
    _until_confirmation(browser)
    assert 302 == browser.post("/checkout", data={**BUYER, "country": "US", "postal_code": "90210"}).status_code
    page = browser.get("/cart")
    assert 200 == page.status_code
    assert "Missing: country" in page.text
    assert 400 == browser.post("/checkout", data={**BUYER, "country": "XX"}).status_code
    assert 302 == browser.post("/checkout", data={**BUYER, "country": "jp"}).status_code
    assert "Order and pay ¥1,588" in browser.get("/cart").text


def test_the_buyer_is_sent_to_the_provider_and_comes_back(site: Site, browser: httpx2.Client) -> None:
    """A challenge: the page of the provider, approval there, and the order's page finds out by asking."""
    answer = _order(browser, _until_confirmation(browser), "tok_challenge")
    assert answer.headers["Location"].startswith(site.provider.base_url)
    (order,) = _orders(site)
    back = f"/orders/{order.token}"
    assert "awaiting_buyer" in browser.get(back).text
    (payment,) = _payments(site, order.id)
    site.provider.approve(payment.begin_reference)
    assert "authorized" in browser.get(back).text
    assert "authorized" in browser.get(back).text


def test_a_declined_card_then_another(site: Site, browser: httpx2.Client) -> None:
    """A definite no is said, and no money moved; the order's page takes another card, and asks for none when paid."""
    answer = _order(browser, _until_confirmation(browser), "tok_declined_insufficient_funds")
    page = answer.headers["Location"]
    told = browser.get(page).text
    assert "There is not enough money or credit left" in told
    assert () == site.provider.ledger()
    (form,) = re.findall(r'action="(/orders/[^"]+/pay)"', told)

    assert 400 == browser.post(form, data={"card_token": ""}).status_code
    assert "declined" in browser.get(page).text
    assert page == browser.post(form, data={"card_token": "tok_ok"}).headers["Location"]
    told = browser.get(page).text
    assert "¥1,588: authorized" in told
    assert form not in told
    assert "not enough" not in told
    assert ["authorize"] == [entry.kind for entry in site.provider.ledger()]
    assert 404 == browser.post("/orders/guessed/pay", data={"card_token": "tok_ok"}).status_code


def test_an_order_whose_payment_cannot_begin_is_not_lost(
    site: Site, browser: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Placed, and then something fails: the page says so and leads to the order, where it can be paid."""
    form = _until_confirmation(browser)

    def fails(*_: object, **__: object) -> None:
        raise PluginError(plugin="sandbox", hook="begin", reason="is away")

    with monkeypatch.context() as patch:
        patch.setattr(Shop, "take_payment", fails)
        answer = _order(browser, form, "tok_ok")
    assert 503 == answer.status_code
    (page,) = re.findall(r'href="([^"]+/orders/[^"]+)"', answer.text)
    (again,) = re.findall(r'action="(/orders/[^"]+/pay)"', browser.get(page).text)
    assert 302 == browser.post(again, data={"card_token": "tok_ok"}).status_code
    assert "¥1,588: authorized" in browser.get(page).text


def test_notices_are_taken_over_http(site: Site, browser: httpx2.Client) -> None:
    """The provider's notice is verified on its raw bytes, stored and acknowledged; a forged one is refused."""
    _order(browser, _until_confirmation(browser), "tok_ok")
    site.provider.wait_for_notices()
    assert 1 <= site.shop.apply_notices()
    assert 400 == browser.post("/notices/sandbox.card", content=b'{"payment": "mine"}').status_code
    assert 404 == browser.post("/notices/unheard.of", content=b"{}").status_code


def test_a_cart_changed_in_another_tab_is_shown_before_it_is_ordered(site: Site, browser: httpx2.Client) -> None:
    """What was confirmed is not what is in the cart now: nothing is placed, the new price is shown."""
    form = _until_confirmation(browser)
    browser.post("/cart", data={"sku": "CUP"})
    answer = _order(browser, form, "tok_ok")
    assert 409 == answer.status_code
    assert "Tea Cup" in answer.text
    assert () == _orders(site)
    assert () == site.provider.ledger()


def test_an_order_is_shown_to_nobody_without_its_token(site: Site, browser: httpx2.Client) -> None:
    """Missing and forbidden look the same."""
    _order(browser, _until_confirmation(browser), "tok_ok")
    (order,) = _orders(site)
    assert 404 == browser.get("/orders/guessed").status_code
    assert 404 == browser.get(f"/orders/{order.id}").status_code
    assert 400 == browser.post("/orders", data={"digest": "", "priced_at": "2026-04-01T00:00:00+00:00"}).status_code


def _orders(site: Site) -> tuple[Any, ...]:
    with site.shop.read(Actor.system("tests")) as work:
        return tuple(work.order.list_orders().items)


def _payments(site: Site, order_id: str) -> tuple[Any, ...]:
    with site.shop.read(Actor.system("tests")) as work:
        return tuple(work.payment.for_order(order_id))


@pytest.mark.parametrize("kind", errors.every_error(), ids=lambda kind: kind.code)
def test_the_example_answers_with_the_documented_status(kind: type[EckitError]) -> None:
    """What the reference advises is what the example does; mistakes of the program itself are 500 in both."""
    of_a_kind = issubclass(kind, NotFoundError | RefusedError | ConflictError | UncertainError | PluginError)
    if of_a_kind and errors.status(kind) != 500:
        assert errors.status(kind) == status_of(kind.__new__(kind))


def test_the_example_stays_short() -> None:
    """A whole shop in a page or two."""
    import examples.flask_shop.app

    assert 150 > len(Path(examples.flask_shop.app.__file__).read_text(encoding="utf-8").splitlines())
