"""A shop's transactions for customers, with a password scheme that costs nothing."""

import hashlib
from typing import Any, Final

import attrs
import pytest

from eckit.customer import Address, Customer, Party, PasswordScheme, service as customer
from eckit.kernel.actors import Actor
from eckit.kernel.clock import FixedClock
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.minting import mint
from eckit.kernel.work import Begin
from eckit.testing.begin import START, make_begin

STAFF = Actor.staff("ito", "customer.read", "customer.write")
EMOJI: Final = "𠮷野家 髙﨑 👨‍👩‍👧 😀"
"""Rare kanji outside the basic plane, variants that older encodings lack, joined and plain emoji."""


@attrs.frozen
class Quick:
    """Verifies at once; counts what it was asked."""

    code: str = "quick"
    asked: list[str] = attrs.field(factory=list)

    def hash(self, password: str) -> str:
        self.asked.append("hash")
        return hashlib.sha256(password.encode()).hexdigest()

    def verify(self, data: str, password: str) -> bool:
        self.asked.append("verify")
        return data == hashlib.sha256(password.encode()).hexdigest()


@attrs.frozen
class OldShop:
    """Knows an old shop's hashes, and makes none."""

    code: str = "old-shop"
    hashes: bool = False

    def hash(self, password: str) -> None:
        return None

    def verify(self, data: str, password: str) -> bool:
        return data == f"md5:{password[::-1]}"


@attrs.frozen
class Schemes:
    """The plugin that brings both."""

    quick: Quick = attrs.field(factory=Quick)
    old: OldShop = attrs.field(factory=OldShop)
    name: str = "test-passwords"
    version: str = "1"
    eckit_interface: Any = attrs.field(factory=lambda: {"customer": 1})

    @hookimpl
    def register_password_schemes(self) -> tuple[PasswordScheme, ...]:
        return self.quick, self.old


@attrs.frozen
class People:
    """Begins Works on a database, and knows the scheme."""

    begin: Begin
    clock: FixedClock
    schemes: Schemes
    url: str

    def register(self, email: str = "aoi@example.jp", password: str = "correct horse", **others: Any) -> Customer:
        with self.begin.write(Actor.guest()) as work:
            return customer.register(work, email=email, password=password, **others)

    def sign_in(self, email: str = "aoi@example.jp", password: str = "correct horse") -> Customer:
        with self.begin.write(Actor.guest()) as work:
            return customer.sign_in(work, email=email, password=password)


def a_party(**others: Any) -> Party:
    """A person in Tokyo."""
    values: dict[str, Any] = {
        "id": mint("party"),
        "name": "佐藤 葵",
        "kana": "サトウ アオイ",
        "email": "aoi@example.jp",
        "email_kind": "direct",
        "phones": ("03-1234-5678",),
        "address": Address(
            country="JP", postal_code="150-0002", region="東京都", city="渋谷区", lines=("渋谷1-2-3", "青山ビル 501")
        ),
        "tax_ids": (("jp-invoice", "T1234567890123"),),
        "purposes": ("order",),
    }
    return Party(**{**values, **others})


@pytest.fixture
def people(migrated_url: str) -> People:
    """On both databases."""
    clock, schemes = FixedClock(START), Schemes()
    return People(make_begin(migrated_url, plugins=[schemes], clock=clock), clock, schemes, migrated_url)
