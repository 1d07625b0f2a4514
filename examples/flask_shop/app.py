"""A small shop inside a Flask application: catalog, cart, checkout by card, the provider's notices, the order's page.

The session remembers the cart; whoever holds its token may use it. Events, mails and recovery are done by `eckit work`.
"""

import datetime as dt

from flask import Flask, Response, abort, redirect, render_template, request, session, url_for

import eckit
from eckit.kernel.money import format_minor


def status_of(error):
    """Kinds of error, mapped to HTTP once; the leaves say more in their text."""
    kinds = {
        eckit.NotFoundError: 404,
        eckit.NotAllowedError: 403,
        eckit.InvalidInputError: 400,
        eckit.RefusedError: 422,
    }
    kinds |= {eckit.BusyError: 503, eckit.DatabaseUnavailableError: 503, eckit.ConflictError: 409}
    kinds |= {eckit.UncertainError: 202, eckit.PluginError: 503}
    return next((status for kind, status in kinds.items() if isinstance(error, kind)), 500)


def buyer():
    return eckit.Actor.guest(session.get("token", ""))


def cart_id():
    return session.get("cart", "")


def confirmed(form):
    """The price the buyer saw; what the page did not send like that is a bad request."""
    try:
        return eckit.QuoteRef(digest=form["digest"], priced_at=dt.datetime.fromisoformat(form["priced_at"]))
    except ValueError:
        abort(400)


def card_of(form):
    """The token that the provider's own form made of a card; it refuses to be a card number."""
    return eckit.CardToken(token=eckit.Secret(form["card_token"], "card_token"))


def take(shop, placed, card):
    """Take the money of an order; the buyer goes on at the provider's page, or to the order's."""
    if not placed.token:  # a second click, after the first has come to its end
        return render_template("page.html", message=f"We have received your order {placed.number}: see your mail.")
    back = url_for("show", token=placed.token, _external=True)
    try:
        paid = shop.take_payment(eckit.Actor.guest(placed.token), placed.id, instrument=card, return_url=back)
    except eckit.EckitError as error:  # the order stands, and can be paid on its page
        return render_template("page.html", message=error.text(placed.locale), link=back), status_of(error)
    return redirect(paid.action.url if isinstance(paid.action, eckit.Redirect) else back)


def create_app(shop, secret_key, locale="en"):
    app = Flask(__name__)
    app.secret_key = secret_key
    app.config.update(SESSION_COOKIE_SAMESITE="Lax", MAX_CONTENT_LENGTH=256 * 1024)
    app.add_template_filter(lambda minor, currency: format_minor(minor, currency, locale), "money")
    app.add_template_filter(lambda text: text.get(locale), "words")

    @app.errorhandler(eckit.EckitError)
    def refused(error):
        return render_template("page.html", message=error.text(locale)), status_of(error)

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
        shop.add_to_cart(buyer(), cart_id(), request.form["sku"])
        return redirect(url_for("cart"))

    @app.get("/cart")
    def cart():
        quote = shop.price_cart(buyer(), cart_id()) if cart_id() else None
        return render_template("cart.html", quote=quote)

    @app.post("/checkout")
    def checkout():
        """Who buys, where it goes, the cheapest way to deliver it; the cart's page then shows the price to confirm."""
        form = request.form
        address = eckit.Address(
            lines=(form["line"],), **{name: form[name] for name in ("country", "postal_code", "region", "city")}
        )
        party = eckit.Party(
            id=eckit.mint("party"), name=form["name"], email=form["email"], email_kind="direct", address=address
        )
        with shop.write(buyer()) as work:
            party = work.customer.add_party(party)
            work.cart.set_buyer(cart_id(), party)
            work.cart.set_destination(cart_id(), party)
            work.cart.set_method(cart_id(), "sandbox.card")
        (group,) = shop.price_cart(buyer(), cart_id()).groups
        with shop.write(buyer()) as work:
            work.cart.set_option(cart_id(), group.options[0].option if group.options else None)
        return redirect(url_for("cart"))

    @app.post("/orders")
    def order():
        """The buyer has confirmed the price shown: place the order, then take the money."""
        agreed, card = confirmed(request.form), card_of(request.form)  # what is wrong in the form places nothing
        try:
            placed = shop.place_order(buyer(), cart_id(), agreed=agreed)
        except eckit.QuoteChangedError as changed:
            return render_template("cart.html", quote=changed.quote, message=changed.text(locale)), 409
        session.clear()
        return take(shop, placed, card)

    @app.post("/orders/<token>/pay")
    def pay(token):
        """Another card, after one that was declined."""
        with shop.read(eckit.Actor.guest(token)) as work:
            placed = work.order.by_token(token).order
        return take(shop, placed, card_of(request.form))

    @app.get("/orders/<token>")
    def show(token):
        """The order's page: where the links of mails lead, and the buyer's browser comes back to from the provider."""
        holder = eckit.Actor.guest(token)
        with shop.read(holder) as work:
            placed = work.order.by_token(token).order
        paid = shop.resume_payment(holder, placed.id, request.args.to_dict())
        return render_template("order.html", order=placed, paid=paid, message=paid.text(locale))

    @app.post("/notices/<gateway>")
    def notice(gateway):
        """A provider's notice, as raw bytes: it is stored before it is acknowledged."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        raw = eckit.RawRequest(body=request.get_data(), headers=headers, remote_ip=request.remote_addr or "")
        ack = shop.receive_notice(gateway, raw)
        return Response(ack.body, status=ack.status)

    return app
