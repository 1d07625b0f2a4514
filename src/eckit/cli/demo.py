"""``eckit demo``: a shop, five purchases, and a proof that everything adds up."""

import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import attrs
from cyclopts import Parameter

from eckit.catalog import rules as catalog_rules
from eckit.catalog.model import ProductState, Variant
from eckit.cli import shows
from eckit.cli.demo_shop import COUPON, Demo, Wish, running
from eckit.cli.opening import OPERATOR, Locale, chosen_locale, database_explained, read_file, writing_to
from eckit.cli.printing import grid, headline, say
from eckit.cli.starting import LOCATION
from eckit.cli.working import round_of
from eckit.customer.model import Address, Party
from eckit.kernel.actors import Actor
from eckit.kernel.errors import EckitError, invalid
from eckit.kernel.ids import MethodCode, OptionCode, OrderId, PartyId
from eckit.kernel.minting import mint
from eckit.kernel.money import format_minor
from eckit.kernel.secrets import Secret
from eckit.kernel.texts import say as text_of
from eckit.order.model import Order, OrderState
from eckit.payment.model import CardToken, PaymentResult
from eckit.shop import Work
from eckit.stock import OutOfStockError

METHOD: Final = MethodCode("sandbox.card")
OPTION: Final = OptionCode("tablerate.standard")
_PLENTY: Final = 8


def demo(
    folder: Annotated[Path | None, Parameter(help="A folder that does not exist yet; default: a new one here.")] = None,
    *,
    database: Annotated[
        str | None, Parameter(help='A database URL, or "postgres" to start one; default: SQLite in the folder.')
    ] = None,
    catalogue: Annotated[Path | None, Parameter(help="A CSV file instead of the bundled catalogue.")] = None,
    inventory: Annotated[Path | None, Parameter(help="A CSV file with the stock of the catalogue.")] = None,
    currency: Annotated[str | None, Parameter(help="Currency of the catalogue, where the file does not say.")] = None,
    minor_units: Annotated[bool, Parameter(help="The catalogue's prices count cents.")] = False,
    locale: Locale = None,
) -> None:
    """A shop in a fresh folder: five purchases at an offline provider, mails in a folder, and an audit at the end."""
    language = chosen_locale(locale)
    data = None if catalogue is None else read_file(catalogue)
    if data is not None:
        catalog_rules.read_csv(data, currency=currency, minor_units=minor_units)  # complain before anything is made
    home = _fresh(folder)
    wish = Wish(
        folder=home,
        database=database,
        catalogue=data,
        name=catalogue.name if catalogue else "products.csv",
        inventory=None if inventory is None else read_file(inventory),
        currency=currency,
        minor_units=minor_units,
        locale=language,
    )
    with database_explained(), running(wish) as made:
        Play(made, language, home).run()


def _fresh(folder: Path | None) -> Path:
    if folder is None:
        with writing_to(Path.cwd()):
            return Path(tempfile.mkdtemp(prefix="eckit-demo-", dir=Path.cwd()))
    if folder.exists():
        raise invalid("file-exists", "folder", folder.name)
    with writing_to(folder):
        return folder


@attrs.frozen
class _Goods:
    """What the demo buys: one of each tax class where there are two, and something of which little is left."""

    mixed: tuple[str, ...]
    last: str
    sold_out: tuple[str, ...]


def _variants(work: Work, state: str) -> list[Variant]:
    """Every variant of every product in a state, read page by page."""
    found: list[Variant] = []
    after: str | None = None
    while True:
        page = work.catalog.list_products(list_id="main", state=state, after=after, limit=200)
        for row in page.items:
            found.extend(work.catalog.variants(row.product_id))
        if page.after is None:
            return found
        after = page.after


class Play:
    """The five purchases, told as they happen."""

    def __init__(self, demo: Demo, locale: str, home: Path) -> None:
        self.demo = demo
        self.shop = demo.shop
        self.locale = locale
        self.home = home
        self.orders: list[OrderId] = []
        self.goods = self._choose()

    def t(self, key: str, **facts: object) -> str:
        return text_of(f"demo.{key}", self.locale, **facts)

    def money(self, minor: int) -> str:
        return format_minor(minor, self.demo.start.currency, self.locale)

    def run(self) -> None:
        """All of it."""
        self._introduce()
        explained = self._domestic()
        self._last_unit()
        self._lost_answer()
        self._declined()
        self._canceled()
        self._work()
        self._look(explained)
        if shows.audit(self.shop):
            raise SystemExit(1)

    # -- before ------------------------------------------------------------------------------------------------------

    def _choose(self) -> _Goods:
        """Pick goods by what they are, not by name, so that any catalogue will do."""
        with self.shop.read(OPERATOR) as work:
            variants = _variants(work, "published")
            there = work.stock.availability([one.id for one in variants])
        ranked = sorted(variants, key=lambda one: (-there[one.id], one.sku))
        plenty = [one for one in ranked if there[one.id] >= _PLENTY]
        if not plenty or len([one for one in ranked if there[one.id]]) < 2:
            raise invalid("too-few-goods", "--catalogue", self.demo.start.name, limit=_PLENTY)
        by_class = {one.tax_class: one.sku for one in reversed(plenty)}
        mixed = tuple(dict.fromkeys((*(by_class[name] for name in sorted(by_class)), plenty[0].sku, plenty[-1].sku)))
        left = [one for one in reversed(ranked) if there[one.id] >= 1]
        scarce = [one for one in left if one.sku not in mixed] or left
        return _Goods(
            mixed=mixed,
            last=scarce[0].sku,
            sold_out=tuple(sorted(one.sku for one in ranked if there[one.id] == 0)),
        )

    def _introduce(self) -> None:
        headline(self.t("shop", name=self.demo.start.name))
        report = self.demo.report
        with self.shop.read(OPERATOR) as work:
            stored = [one for state in ProductState for one in _variants(work, state.value)]
        products = len({one.product_id for one in stored})
        say(self.t("folder", folder=self.home.name))
        say(self.t("imported", rows=report.rows, products=products, variants=len(stored)))
        if self.goods.sold_out:
            say(self.t("sold_out", skus=", ".join(self.goods.sold_out[:5])))

    # -- buying ------------------------------------------------------------------------------------------------------

    def _confirm(self, lines: Sequence[tuple[str, int]], *, code: str | None = None) -> tuple[Actor, Order]:
        """A guest fills a cart, sees the price, and agrees to it."""
        cart = self.shop.start_cart(Actor.guest(), "web", locale=self.locale)
        guest = Actor.guest(cart.token)
        self.shop.set_cart_lines(guest, cart.id, list(lines))
        with self.shop.write(guest) as work:
            buyer = work.customer.add_party(self._buyer())
            work.cart.set_buyer(cart.id, buyer)
            work.cart.set_destination(cart.id, buyer)
            work.cart.set_option(cart.id, OPTION)
            work.cart.set_method(cart.id, METHOD)
            if code is not None:
                work.cart.add_code(cart.id, code)
        quote = self.shop.price_cart(guest, cart.id)
        order = self.shop.place_order(guest, cart.id, agreed=quote.ref)
        self.orders.append(order.id)
        return Actor.guest(cart.token, order.token), order

    def _buyer(self) -> Party:
        number = len(self.orders) + 1
        place = {
            "JP": Address(
                country="JP", postal_code="150-0002", region="東京都", city="渋谷区", lines=("渋谷1-2-3", "見本ビル 4F")
            ),
            "GB": Address(country="GB", postal_code="SW1A 1AA", city="London", lines=("1 Example Road",)),
            "US": Address(country="US", postal_code="62704", region="IL", city="Springfield", lines=("123 Main St",)),
            "DE": Address(country="DE", postal_code="10115", city="Berlin", lines=("Beispielweg 1",)),
        }[self.demo.start.country]
        name = f"見本 {number}子" if self.locale == "ja" else f"Sample Buyer {number}"
        return Party(
            id=PartyId(mint("party")),
            name=name,
            email=f"buyer{number}@example.com",
            email_kind="direct",
            phones=("03-1234-5678",),
            address=place,
        )

    def _pay(self, buyer: Actor, order: Order, token: str) -> PaymentResult:
        return self.shop.take_payment(
            buyer,
            order.id,
            instrument=CardToken(token=Secret(token)),
            return_url="https://shop.example/return",
        )

    def _tell(self, order: Order, result: PaymentResult) -> None:
        now = shows.find_order(self.shop, order.id).order
        say(
            self.t(
                "order_is",
                number=now.number,
                total=self.money(now.current_total_minor),
                payment=self._status(result),
                state=self._state(now),
            )
        )

    def _state(self, order: Order) -> str:
        """What became of it; a canceled order was confirmed once, and is not any more."""
        if order.state is OrderState.PLACED:
            return self.t("confirmed" if order.confirmed_at else "not_confirmed")
        return shows.state_of(order, self.locale)

    def _tell_again(self, buyer: Actor, order: Order) -> None:
        result = self.shop.find_payment(buyer, order.id)
        if result is not None:
            self._tell(order, result)

    def _status(self, result: PaymentResult) -> str:
        state = text_of(f"demo.payment.{result.status.state.value}", self.locale)
        return f"{state} ({self.t('in_doubt')})" if result.status.in_doubt else state

    # -- the five purchases --------------------------------------------------------------------------------------------

    def _domestic(self) -> Order:
        buyer, order = self._confirm([(sku, 2) for sku in self.goods.mixed], code=COUPON)
        headline(f"(a) {self.t('a', what=self._special(order))}")
        result = self._pay(buyer, order, "tok_challenge")
        say(self.t("challenge"))
        reference = result.payment.begin_reference if result.payment else ""
        self.demo.provider.approve(reference)
        result = self.shop.resume_payment(buyer, order.id, {})
        self._tell(order, result)
        parcels = self.shop.ship_order(OPERATOR, order.id, number="1234-5678-9012")
        say(self.t("shipped", number=parcels[0].number))
        self.shop.record_delivery(OPERATOR, order.id)
        say(self.t("delivered"))
        shows.show_order(self.shop, order.id, self.locale)
        return order

    def _special(self, order: Order) -> str:
        """What there is about the first order, which depends on the catalogue."""
        charges = shows.find_order(self.shop, order.id).placement.charges
        rates = {charge.tax.rate for charge in charges if charge.tax is not None}
        parts = ["rates"] if len(rates) > 1 else []
        parts += ["coupon"] if any(charge.coupon == COUPON for charge in charges) else []
        return self.t("and").join(self.t(f"a.{part}") for part in (*parts, "challenge"))

    def _leave_one(self, sku: str) -> None:
        """If many are left of something, find by counting that it is one."""
        left = self._available(sku)
        if left > 1:
            with self.shop.write(OPERATOR) as work:
                work.stock.count(sku, 1, at=LOCATION)
            say(self.t("counted", sku=sku, before=left, after=self._available(sku)))

    def _last_unit(self) -> None:
        headline(f"(b) {self.t('b', sku=self.goods.last)}")
        self._leave_one(self.goods.last)
        outcomes: list[str] = []
        barrier = threading.Barrier(2)

        def buy(name: str) -> None:
            barrier.wait()
            try:
                buyer, order = self._confirm([(self.goods.last, 1)])
                self._pay(buyer, order, "tok_ok")
                outcomes.append(self.t("got_it", name=name, number=order.number))
            except OutOfStockError as error:
                outcomes.append(self.t("sold_to_other", name=name, why=error.text(self.locale)))

        threads = [threading.Thread(target=buy, args=(name,)) for name in ("A", "B")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for outcome in sorted(outcomes):
            say(outcome)

    def _lost_answer(self) -> None:
        headline(f"(c) {self.t('c')}")
        buyer, order = self._confirm([(self.goods.mixed[0], 1)])
        lost = {"match": {"operation": "begin", "times": 1}, "do": ["act_then_reset", "notice_drop"]}
        self.demo.provider.script(lost)
        self._tell(order, self._pay(buyer, order, "tok_ok"))
        self.demo.clock.ahead += 60
        report = self.shop.chase()
        say(self.t("chased", asked=report.asked, settled=report.settled))
        self._tell_again(buyer, order)

    def _declined(self) -> None:
        headline(f"(d) {self.t('d')}")
        buyer, order = self._confirm([(self.goods.mixed[-1], 1)])
        result = self._pay(buyer, order, "tok_declined_insufficient_funds")
        if result.decline is not None:
            say(text_of(f"decline.{result.decline.code}", self.locale), "yellow")
        self._tell(order, self._pay(buyer, order, "tok_ok"))

    def _canceled(self) -> None:
        headline(f"(e) {self.t('e')}")
        sku = self.goods.mixed[0]
        buyer, order = self._confirm([(sku, 2)])
        self._tell(order, self._pay(buyer, order, "tok_ok"))
        before = self._available(sku)
        self.shop.cancel_order(buyer, order.id, reason="buyer_changed_mind")
        self._tell_again(buyer, order)
        say(self.t("stock_back", sku=sku, before=before, after=self._available(sku)))

    def _available(self, sku: str) -> int:
        with self.shop.read(OPERATOR) as work:
            variant = work.catalog.variant_by_sku(sku)
            return work.stock.availability([variant.id])[variant.id]

    # -- afterwards ----------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        headline(self.t("work"))
        self.demo.provider.wait_for_notices()
        reports: dict[str, Any] = {}
        for _ in range(3):
            reports = round_of(self.shop)
            for report in reports.values():
                if isinstance(report, EckitError):
                    raise report
        mails = sorted((self.home / "mails").glob("*.eml"))
        say(self.t("mails", count=len(mails), folder="mails"))
        say(self.t("notices", count=self.demo.notices.received))

    def _look(self, explained: Order) -> None:
        headline(self.t("orders"))
        rows = []
        for order_id in self.orders:
            view = shows.find_order(self.shop, order_id)
            placed = view.order
            skus = ", ".join(f"{line.sku} × {line.steps}" for line in placed.lines)
            total = self.money(placed.current_total_minor)
            rows.append((placed.number, skus, shows.state_of(placed, self.locale), total))
        columns = [text_of(f"cli.{name}", self.locale) for name in ("order", "goods", "state", "total")]
        grid("", columns, rows, numbers=(3,))
        for language in ("en", "ja"):
            headline(text_of("demo.explain", language, number=explained.number))
            shows.explain_order(self.shop, explained.id, language)
        headline(self.t("audit"))
