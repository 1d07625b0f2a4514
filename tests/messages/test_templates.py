"""The core's own mails: in both languages, escaped in HTML, literal in text; a sandbox for all others."""

import datetime as dt
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import attrs
import pytest

from eckit.kernel.composing import compose_plugins
from eckit.kernel.ids import GroupId, OptionCode
from eckit.kernel.minting import mint
from eckit.kernel.text import Text
from eckit.messages import Rendered, Template, TemplateFailedError, rules, service as messages
from eckit.pricing.model import ChargeKind, PricedOption, QuoteGroup
from tests.messages.conftest import WEB, Post, a_buyer, a_charge, a_mail, letter_data

LOCALES = ("en", "ja")
HOSTILE = "<script>alert(1)</script>{{ 7*7 }}\x1b[31mred\u202eevil\u2066&\"'"


def _rendered(kind: str, data: Any, locale: str = "ja", post: Post | None = None) -> Rendered:
    plugins = compose_plugins(messages.SPECS, [post] if post else [], collect=[messages.collect])
    return messages.rendered(
        plugins,
        a_mail(kind),
        data,
        sender="order@shop.example",
        sender_name="抹茶と器",
        to="aoi@example.jp",
        locale=locale,
    )


class _Page(HTMLParser):
    """What a page has: elements, what is open at its end, links, text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


# -- what they say ----------------------------------------------------------------------------------------------------


def test_every_kind_has_a_template_in_every_language() -> None:
    """Subject, text and HTML, none empty; nothing is left of the template's own marks."""
    for kind in rules.KINDS:
        for locale in LOCALES:
            letter = _rendered(kind, letter_data(locale), locale)
            assert locale == letter.locale
            for part in (letter.subject, letter.text, letter.html):
                assert part.strip()
                assert "{{" not in part
                assert "{%" not in part
            for part in (letter.subject, letter.text, letter.html):
                assert "R-1001" in part
                assert "抹茶と器" in part


def test_a_japanese_confirmation_reads_as_one() -> None:
    """Subject and text as a Japanese shop writes them, with the amounts, the tax within them and the address."""
    letter = _rendered("order_confirmed", letter_data("ja"))
    assert "【抹茶と器】ご注文ありがとうございます（ご注文番号 R-1001）" == letter.subject
    assert (
        """佐藤 葵 様

このたびは抹茶と器をご利用いただき、誠にありがとうございます。
次の内容でご注文を承りました。商品の発送が完了しましたら、あらためてメールでお知らせいたします。

ご注文番号：R-1001
ご注文日：2026年4月1日

■ ご注文内容
・お茶（50 g） × 2  ￥2,000
・お茶（50 g） × 1  ￥1,000

商品小計：￥3,000
初夏のクーポン：-￥500
宅配便：￥550
合計（税込）：￥3,050
（内 消費税 10% ￥277）

■ お届け先
〒150-0002
東京都渋谷区渋谷1-2-3
青山ビル 501
佐藤 葵 様

ご注文の状況は、次のページでご確認いただけます。
https://shop.example/orders/ttttttttttttttttttttttttttttttttttttttttttt

ご不明な点がございましたら、ご注文番号を添えて当店までお問い合わせください。

----------
抹茶と器
https://shop.example"""
        == letter.text
    )


def test_what_a_confirmation_adds_up_is_what_was_agreed() -> None:
    """Sent after the order was canceled, it still shows the goods and charges of the order and the sum they make."""
    data = letter_data("ja", order={"current_total_minor": 0})
    letter = _rendered("order_confirmed", data)
    parts = [data["goods"], *[charge["amount"] for charge in data["charges"] if not charge["included"]]]
    assert ["￥3,000", "-￥500", "￥550"] == parts
    assert "合計（税込）：￥3,050\n" in letter.text
    assert "￥3,050" in letter.html
    assert "￥0" not in letter.text + letter.html


def test_a_carrier_is_named_as_the_buyer_chose_it() -> None:
    """The label of the option that was taken, not the code of a plugin; another carrier by what the parcel says."""
    option = PricedOption(
        option=OptionCode("yamato.parcel"), label=Text.of("Parcel", ja="宅配便"), before_minor=550, after_minor=550
    )
    group = QuoteGroup(
        id=GroupId(mint("group")),
        mode="ship",
        destination=None,
        tax_place=None,
        option=option.option,
        options=(option,),
    )
    other = attrs.evolve(option, option=OptionCode("sagawa.parcel"))
    taken = letter_data("ja", groups=(group,))
    assert "配送会社：宅配便\n" in _rendered("order_shipped", taken).text
    not_taken = letter_data("ja", groups=(attrs.evolve(group, option=other.option, options=(option, other)),))
    assert "配送会社：yamato\n" in _rendered("order_shipped", not_taken).text


def test_an_english_shipping_notice_reads_as_one() -> None:
    """With the carrier, the number and the page to follow it on."""
    letter = _rendered("order_shipped", letter_data("en"), "en")
    assert "Your order R-1001 from 抹茶と器 is on its way" == letter.subject
    assert letter.text.startswith("Hello 佐藤 葵,\n\nWe have handed your goods over to the carrier.\n\n")
    assert "Carrier: yamato\nTracking number: 444413758703\nhttps://track.example/444413758703\n" in letter.text


def test_a_refund_tells_its_amount_and_a_decline_its_deadline() -> None:
    """The amount of this refund, not the order's; the deadline in the market's zone."""
    refund = _rendered("payment_refunded", letter_data("ja"))
    assert "返金額：￥1,200" in refund.text
    assert "￥1,200" in refund.html
    decline = _rendered("payment_declined", letter_data("ja"))
    assert "ご注文は2026年4月1日 12:00までお取り置きしています。" in decline.text
    assert (
        "We keep the order for you until April 1, 2026 12:00."
        in _rendered("payment_declined", letter_data("en"), "en").text
    )


def test_a_company_is_onchu_and_nobody_is_a_customer() -> None:
    """御中 for a company without a person; somebody without a name is still greeted."""
    company = _rendered("order_delivered", letter_data(buyer=a_buyer(name="", company="株式会社茶器")))
    nobody = _rendered("order_delivered", letter_data(buyer=a_buyer(name="")))
    assert ("株式会社茶器 御中", "お客様") == (company.text.splitlines()[0], nobody.text.splitlines()[0])
    assert "Hello,\n" in _rendered("order_delivered", letter_data("en", buyer=a_buyer(name="")), "en").text


@pytest.mark.parametrize("kind", rules.KINDS)
@pytest.mark.parametrize("locale", LOCALES)
def test_whatever_an_order_lacks_the_mail_is_whole(kind: str, locale: str) -> None:
    """No address, no parcel, no base URL, no charges, no deadline: nothing is undefined, no link is empty (ACC-13)."""
    bare = letter_data(
        locale,
        charges=(),
        destinations=[],
        parcels=[],
        channel=attrs.evolve(WEB, base_url=None),
        order={"pay_by": None},
    )
    letter = _rendered(kind, bare, locale)
    page = _Page(letter.html)
    assert ([], []) == (page.open, page.links)
    assert "http" not in letter.text


def test_totals_with_tax_on_top_and_within_are_told_apart() -> None:
    """A tax that is added stands above the total, one that is contained below it."""
    on_top = letter_data("en", charges=(a_charge(ChargeKind.TAX, "Sales tax", 277),))
    text = _rendered("order_confirmed", on_top, "en").text
    assert text.index("Sales tax: ") < text.index("Total (tax included)")
    assert "includes" not in text


def test_amounts_and_days_are_written_in_the_orders_language() -> None:
    """Anything unknown falls back, and never stops a mail."""
    for locale, day in (
        ("ja-JP", "2026年4月1日"),
        ("de-AT", "1. April 2026"),
        ("xx", "April 1, 2026"),
        ("?", "April 1, 2026"),
    ):
        assert day == letter_data("ja", order={"locale": locale})["order"]["placed_on"]
    late = letter_data("ja", order={"placed_at": dt.datetime(2026, 3, 31, 15, 30, tzinfo=dt.UTC)})
    assert "2026年4月1日" == late["order"]["placed_on"]


def test_a_mail_about_a_parcel_shows_that_parcel() -> None:
    """Of two, the one its event is about; without one, all."""
    data = letter_data("ja")
    assert 1 == len(data["parcels"])
    assert [] == letter_data("ja", facts={"parcel_id": "pcl_other"})["parcels"]


# -- what is put in ---------------------------------------------------------------------------------------------------


def _hostile(locale: str) -> Any:
    """Every text that people, plugins and carriers write."""
    data = dict(letter_data(locale))

    def spoil(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: spoil(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [spoil(inner) for inner in value]
        return f"{value}{HOSTILE}" if isinstance(value, str) else value

    return {name: spoil(value) for name, value in data.items()}


@pytest.mark.parametrize("kind", rules.KINDS)
@pytest.mark.parametrize("locale", LOCALES)
def test_what_people_write_is_inert_in_every_part(kind: str, locale: str) -> None:
    """INJ-01, INJ-02: escaped in HTML, literal in text; no control character, escape or direction trick in any."""
    letter = _rendered(kind, _hostile(locale), locale)
    page = _Page(letter.html)

    assert "script" not in page.elements
    assert not {name for name, _ in page.attributes if name.startswith("on")}
    assert [] == page.open
    assert "<script>alert(1)</script>{{ 7*7 }}redevil&\"'" in letter.text
    assert "<script>alert(1)</script>{{ 7*7 }}redevil&\"'" in "".join(page.texts)
    for part in (letter.subject, letter.text, letter.html):
        assert not [sign for sign in part if sign != "\n" and (ord(sign) < 32 or sign in "\u202e\u2066\x7f")]
    assert 1 == len(letter.subject.splitlines())


def test_a_link_of_a_wrong_scheme_is_never_made() -> None:
    """INJ-19: links come from the channel's configured address and from parcels, which keep https only."""
    page = _Page(_rendered("order_shipped", letter_data("ja")).html)
    assert all(link.startswith("https://") for link in page.links)
    assert 3 == len(page.links)


def test_html_is_accessible_and_needs_nothing_from_outside() -> None:
    """A language, a title, headings, header cells; no image, script, style sheet or form."""
    for kind in rules.KINDS:
        for locale in LOCALES:
            page = _Page(_rendered(kind, letter_data(locale), locale).html)
            assert ("lang", locale) in page.attributes
            assert 1 == page.elements.count("h1") == page.elements.count("title")
            assert page.elements.count("th") == len([one for one in page.attributes if one[0] == "scope"])
            assert not set(page.elements) & {"img", "script", "link", "style", "form", "iframe"}


def test_a_long_subject_is_cut_and_says_so() -> None:
    """INJ-13: 200 characters, on one line."""
    data = {**letter_data("ja"), "shop": {"name": "長い" * 500, "url": ""}}
    subject = _rendered("order_confirmed", data).subject
    assert (200, "…") == (len(subject), subject[-1])


# -- templates of others ----------------------------------------------------------------------------------------------


def _template(source: str, kind: str = "greeting", locale: str = "ja") -> Template:
    return Template(kind=kind, locale=locale, subject="件名", text=source, html=source)


ESCAPES = (
    "{{ ''.__class__.__mro__ }}",
    "{{ order.__class__ }}",
    "{{ order['__class__'] }}",
    "{{ order|attr('__class__') }}",
    "{{ lines[0].__init__.__globals__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ lipsum() }}",
    "{{ range(10**9) }}",
    "{{ dict(a=1) }}",
    "{{ namespace() }}",
    "{{ '%s'|format(order) }}",
    "{{ '{0.__class__}'.format(order) }}",
    "{{ order.items() }}",
    "{{ lines.append(1) }}",
    "{{ order.update({}) }}",
    "{{ lines|map(attribute='__class__')|list }}",
    "{{ secret }}",
    "{{ settings.password }}",
    "{{ ''.join }}",
    "{{ joiner() }}",
    "{{ lines|groupby('__class__') }}",
    "{{ lines|tojson }}",
    "{{ 'x'|safe }}",
    "{% include 'order_confirmed.txt' %}",
    "{% import 'os' as os %}",
    "{% extends '/etc/passwd' %}",
    "{% from 'os' import system %}",
    "{% for a in order.number %}{{ a.__class__ }}{% endfor %}",
    "{{ loop.__class__ }}",
    "{% for x in lines %}{{ loop._iterator }}{% endfor %}",
    "{{ shop.name.upper() }}",
    "{{ (1).real }}",
    "{{ broken ",
    "{{ 'a' * 1000000 }}",
)


@pytest.mark.parametrize("source", ESCAPES)
def test_a_template_reaches_nothing_but_its_data(source: str) -> None:
    """INJ-04: no attribute, method, global, format string, other file; the mail waits, its owner is told which."""
    with pytest.raises(TemplateFailedError) as caught:
        _rendered("greeting", letter_data(), post=Post(templates=(_template(source),)))
    assert ("greeting", "ja") == (caught.value.kind, caught.value.locale)


def test_a_template_may_loop_and_choose() -> None:
    """Entries of dicts and lists, conditions, loops and plain filters are all there is."""
    source = (
        "{% for line in lines %}{{ loop.index }}. {{ line.title|upper|trim }}"
        "{% if not loop.last %}, {% endif %}{% endfor %}"
    )
    assert "1. お茶, 2. お茶" == _rendered("greeting", letter_data(), post=Post(templates=(_template(source),))).text


def _texts(post: Post, kind: str, *locales: str) -> Iterator[str]:
    return (_rendered(kind, letter_data("ja"), locale, post).text for locale in locales)


def test_a_plugins_template_takes_the_place_of_the_cores() -> None:
    """Of the same kind and language only; others stay the core's; a region's language before the language."""
    post = Post(
        templates=(_template("うちの文面", "order_shipped"), _template("関西の文面", "order_shipped", "ja-x-kansai"))
    )
    ja, kansai, region, english = _texts(post, "order_shipped", "ja", "ja-x-kansai", "ja-JP", "en")
    assert ("うちの文面", "関西の文面", "うちの文面") == (ja, kansai, region)
    assert english.startswith("Hello")
    assert "承りました" in next(_texts(post, "order_confirmed", "ja"))


def test_a_kind_without_a_template_is_told() -> None:
    """A plugin that wishes for a kind brings its template; English is the last resort, another kind never."""
    with pytest.raises(TemplateFailedError, match="no template"):
        _rendered("greeting", letter_data())
    post = Post(templates=(_template("Hi", "greeting", "en"),))
    assert ["Hi", "Hi"] == list(_texts(post, "greeting", "ja", "de"))
    for odd in ("../../etc/passwd", "order_confirmed/../order_shipped", "", "order confirmed"):
        with pytest.raises(TemplateFailedError):
            _rendered(odd, letter_data())


def test_a_mail_is_known_by_its_event() -> None:
    """Message-ID: the event, the kind, the sender's domain; the same each time it is made."""
    letter = _rendered("order_confirmed", letter_data())
    event_id, _, rest = letter.message_id.strip("<>").partition(".")
    assert event_id.startswith("evt_")
    assert "order_confirmed@shop.example" == rest
