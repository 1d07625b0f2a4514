"""What makes a party acceptable, and how an address is laid out."""

import re
import unicodedata

import attrs

from eckit.customer.model import Address, Customer, Party
from eckit.kernel.clock import utc
from eckit.kernel.countries import STANDARD, countries
from eckit.kernel.errors import invalid
from eckit.kernel.text import clean, fold_digits, fold_email

EMAIL_KINDS = ("direct", "relay", "none")
MAX_LINES = 6
MAX_PHONES = 5
MAX_GROUPS = 20
PASSWORD_LENGTH = (8, 200)
_CODE = re.compile(r"[a-z][a-z0-9._-]{0,39}")
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")


def accepted(party: Party, *, path: str = "party") -> Party:
    """The party in its normal form: text cleaned, digits half-width, e-mail shape checked; names are left as written.

    :raises InvalidInputError: names the field.
    """
    if party.email_kind not in EMAIL_KINDS:
        raise invalid("unknown-code", f"{path}.email_kind", party.email_kind, limit=EMAIL_KINDS)
    if party.email:
        fold_email(party.email, f"{path}.email")
    name = clean(party.name, path=f"{path}.name", max_length=200)
    if not (name.strip() or party.company.strip() or party.email):
        raise invalid("empty", f"{path}.name", party.name)
    for field, most in (("phones", MAX_PHONES), ("tax_ids", 10), ("purposes", 10)):
        if len(getattr(party, field)) > most:
            raise invalid("too-many", f"{path}.{field}", len(getattr(party, field)), limit=most)
    return attrs.evolve(
        party,
        name=name,
        kana=clean(party.kana, path=f"{path}.kana", max_length=200),
        company=clean(party.company, path=f"{path}.company", max_length=200),
        department=clean(party.department, path=f"{path}.department", max_length=200),
        email=clean(party.email, path=f"{path}.email", max_length=254).strip(),
        email_kind=party.email_kind if party.email else "none",
        phones=tuple(fold_digits(phone, f"{path}.phones") for phone in party.phones),
        tax_ids=tuple(
            (clean(scheme, path=f"{path}.tax_ids", max_length=40), clean(number, path=f"{path}.tax_ids", max_length=40))
            for scheme, number in party.tax_ids
        ),
        purposes=tuple(_code(purpose, f"{path}.purposes") for purpose in party.purposes),
        keep_until=None if party.keep_until is None else utc(party.keep_until, f"{path}.keep_until"),
        address=None if party.address is None else accepted_address(party.address, path=f"{path}.address"),
    )


def accepted_customer(customer: Customer) -> Customer:
    """The customer, if its kind, language and groups can be such.

    :raises InvalidInputError: names the field.
    """
    _code(customer.kind, "customer.kind")
    accepted_locale(customer.locale, "customer.locale")
    if len(customer.groups) > MAX_GROUPS:
        raise invalid("too-many", "customer.groups", len(customer.groups), limit=MAX_GROUPS)
    for group in sorted(customer.groups):
        _code(group, "customer.groups")
    return customer


def accepted_locale(locale: object, path: str) -> str:
    """A language as ``ja`` or ``zh-Hant-TW``.

    :raises InvalidInputError: ``not-a-locale``.
    """
    if not (isinstance(locale, str) and len(locale) <= 20 and _LOCALE.fullmatch(locale)):
        raise invalid("not-a-locale", path, locale)
    return locale


def _code(text: object, path: str) -> str:
    if not (isinstance(text, str) and _CODE.fullmatch(text)):
        raise invalid("wrong-code", path, text, limit="a-z 0-9 . _ -")
    return text


def accepted_address(address: Address, *, path: str = "address") -> Address:
    """The address in its normal form. Japanese postal codes become ``150-0002``.

    :raises InvalidInputError: names the field.
    """
    country = address.country.strip().upper()
    if country not in countries():
        raise invalid("wrong-country", f"{path}.country", address.country, limit=STANDARD)
    if len(address.lines) > MAX_LINES:
        raise invalid("too-many", f"{path}.lines", len(address.lines), limit=MAX_LINES)
    return Address(
        country=country,
        postal_code=_postal_code(country, address.postal_code, f"{path}.postal_code"),
        region=clean(address.region, path=f"{path}.region", max_length=100),
        city=clean(address.city, path=f"{path}.city", max_length=100),
        lines=tuple(
            clean(line, path=f"{path}.lines[{number}]", max_length=200) for number, line in enumerate(address.lines)
        ),
    )


def _postal_code(country: str, text: str, path: str) -> str:
    if not text.strip():
        return ""
    folded = fold_digits(text, path, letters=True, max_length=16)
    if country != "JP":
        return folded
    digits = folded.replace("-", "").replace("〒", "").strip()
    if not (len(digits) == 7 and digits.isascii() and digits.isdigit()):
        raise invalid("wrong-postal-code", path, text, limit="123-4567")
    return f"{digits[:3]}-{digits[3:]}"


def layout(party: Party, *, locale: str) -> tuple[str, ...]:
    """The lines of an address label, as people of the address's country write them.

    In Japan from general to particular, the name last with 様 (御中 for a company without a person); elsewhere the name
    first and the place last. The country's name is left to whoever prints for abroad.
    """
    address = party.address
    if address is None:
        return tuple(filter(None, (party.company, party.department, party.name)))
    if address.country == "JP" and locale.partition("-")[0] == "ja":
        return _japanese(party, address)
    place = " ".join(filter(None, (address.city, address.region, address.postal_code)))
    return tuple(filter(None, (party.name, party.company, party.department, *address.lines, place)))


def _japanese(party: Party, address: Address) -> tuple[str, ...]:
    street, *rest = address.lines or ("",)
    honored = f"{party.name} 様" if party.name else ""
    company = party.company if honored else f"{party.company} 御中" if party.company else ""
    postal = f"〒{address.postal_code}" if address.postal_code else ""
    return tuple(
        filter(None, (postal, f"{address.region}{address.city}{street}", *rest, company, party.department, honored))
    )


def erased(party: Party) -> dict[str, object]:
    """The columns of an erased party: nothing that names anybody; country and region stay for tax and statistics."""
    address = party.address
    return {
        "name": "",
        "kana": "",
        "company": "",
        "department": "",
        "tax_ids": [],
        "email": "",
        "email_kind": "none",
        "phones": [],
        "postal_code": address.postal_code[:3] if address else "",
        "city": "",
        "lines": [],
    }


def accepted_password(password: object) -> str:
    """A password of acceptable length, in NFC; what else is in it is nobody's business.

    :raises InvalidInputError: too short or too long; the value is not shown.
    """
    least, most = PASSWORD_LENGTH
    if not (isinstance(password, str) and least <= len(password) <= most):
        raise invalid("wrong-password-length", "password", "********", limit=f"{least}…{most}")
    folded = typed_password(password)
    if folded is None:
        raise invalid("unexpected-character", "password", "********")
    return folded


def typed_password(password: object) -> str | None:
    """A password as it is compared: keyboards write ``é`` in two ways. None: nobody's can be like that."""
    if not isinstance(password, str) or len(password) > 5 * PASSWORD_LENGTH[1]:
        return None
    folded = unicodedata.normalize("NFC", password)
    return None if any("\ud800" <= sign <= "\udfff" for sign in folded) else folded
