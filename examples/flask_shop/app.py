"""A small shop inside a Flask application: catalog, cart, checkout by card, the provider's notices, the order's page.

The session remembers the cart; whoever holds its token may use it. Events, mails and recovery are `eckit work`'s.
"""

import datetime as dt

from flask import Flask, Response, redirect, render_template, request, session, url_for

from eckit import (
    Actor,
    Address,
    CardToken,
    ConflictError,
    EckitError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    Party,
    PartyId,
    PluginError,
    QuoteChangedError,
    QuoteRef,
    RawRequest,
    Redirect,
    Secret,
    Shop,
    UncertainError,
    mint,
)  # fmt: skip
from eckit.kernel.money import format_minor

METHOD = "sandbox.card"
STATUS = {
    NotFoundError: 404, NotAllowedError: 403, InvalidInputError: 400, ConflictError: 409, UncertainError: 202,
    PluginError: 503,
}  # fmt: skip


def create_app(shop: Shop, secret_key: str, locale: str = "en") -> Flask:
    app = Flask(__name__)
    app.secret_key = secret_key
    app.config.update(SESSION_COOKIE_SAMESITE="Lax", MAX_CONTENT_LENGTH=256 * 1024)

    @app.template_filter()
    def money(minor, currency):
        return format_minor(minor, currency, locale)

    @app.template_filter()
    def words(text):
        return text.get(locale)

    @app.errorhandler(EckitError)
    def refused(error):
        status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 422)
        return render_template("page.html", message=error.text(locale)), status

    def buyer():
        return Actor.guest(session.get("token", ""))

    @app.get("/")
    def catalog():
        with shop.read(buyer()) as work:
            page = work.catalog.list_products(list_id="main", after=request.args.get("after"))
            variants = {item.product_id: work.catalog.variants(item.product_id) for item in page.items}
        return render_template("catalog.html", page=page, variants=variants)

    @app.post("/cart")
    def add():
        if "cart" not in session:
            cart = shop.start_cart(buyer(), "web", locale=locale)
            session.update(cart=cart.id, token=cart.token)
        shop.add_to_cart(buyer(), session["cart"], request.form["sku"], int(request.form.get("steps", "1")))
        return redirect(url_for("cart"))

    @app.get("/cart")
    def cart():
        quote = shop.price_cart(buyer(), session["cart"]) if "cart" in session else None
        return render_template("cart.html", quote=quote)

    @app.post("/checkout")
    def checkout():
        """Name, address, the cheapest delivery option; answered with the price to confirm."""
        form = request.form
        where = Address(country=form["country"], postal_code=form["postal_code"], region=form["region"],
                        city=form["city"], lines=(form["line"],))  # fmt: skip
        with shop.write(buyer()) as work:
            party = work.customer.add_party(
                Party(id=mint("party"), name=form["name"], email=form["email"], email_kind="direct", address=where)
            )
            work.cart.set_buyer(session["cart"], party)
            work.cart.set_destination(session["cart"], party)
            work.cart.set_method(session["cart"], METHOD)
        (group,) = shop.price_cart(buyer(), session["cart"]).groups
        with shop.write(buyer()) as work:
            work.cart.set_option(session["cart"], group.options[0].option if group.options else None)
        return redirect(url_for("cart"))

    @app.post("/orders")
    def order():
        """The buyer has confirmed the price shown: place the order, then take the money."""
        agreed = QuoteRef(digest=request.form["digest"], priced_at=dt.datetime.fromisoformat(request.form["priced_at"]))
        try:
            placed = shop.place_order(buyer(), session["cart"], agreed=agreed)
        except QuoteChangedError as changed:
            return render_template("cart.html", quote=changed.quote, message=changed.text(locale)), 409
        back = url_for("show", order_id=placed.id, token=placed.token, _external=True)
        session.clear()
        token = CardToken(token=Secret(request.form["card_token"]))  # from the provider's own form, never a card number
        result = shop.take_payment(Actor.guest(placed.token), placed.id, instrument=token, return_url=back)
        return redirect(result.action.url if isinstance(result.action, Redirect) else back)

    @app.get("/orders/<order_id>/<token>")
    def show(order_id, token):
        """The order's page, where the buyer's browser also comes back from the provider."""
        result = shop.resume_payment(Actor.guest(token), order_id, request.args.to_dict())
        with shop.read(Actor.guest(token)) as work:
            view = work.order.get(order_id)
        return render_template("order.html", order=view.order, status=result.status, decline=result.decline)

    @app.post("/notices/<gateway>")
    def notice(gateway):
        """A provider's notice: raw bytes in, stored before it is acknowledged."""
        raw = RawRequest(
            body=request.get_data(),
            headers={name.lower(): value for name, value in request.headers.items()},
            remote_ip=request.remote_addr or "",
        )
        ack = shop.receive_notice(gateway, raw)
        return Response(ack.body, status=ack.status)

    return app
