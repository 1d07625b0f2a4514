"""Accounts, parties, consents: one mailbox one account, uniform answers, erased without breaking a record."""

import datetime as dt
import time
import unicodedata
from statistics import median

import attrs
import pytest
import sqlalchemy as sa

from eckit.customer import (
    Consent,
    Customer,
    NotRegisteredError,
    SignInRefusedError,
    UnknownSchemeError,
    service as customer,
)
from eckit.customer.store import account, credential, party as party_table
from eckit.kernel.actors import Actor
from eckit.kernel.errors import InvalidInputError, NotAllowedError, NotFoundError
from eckit.kernel.ids import CustomerId, PartyId
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.testing.begin import make_begin
from tests.cart.support import raised, together
from tests.customer.conftest import EMOJI, STAFF, People, Quick, Schemes, a_party

# -- accounts ---------------------------------------------------------------------------------------------------------


def test_an_account_is_made_and_opened(people: People) -> None:
    """Who registers can sign in, and has a party to be written to."""
    made = people.register(name=EMOJI, locale="ja")

    assert made == people.sign_in()
    with people.begin.read(Actor.buyer(made.id)) as work:
        assert (EMOJI, "aoi@example.jp") == (
            customer.party(work, made.party_id).name,  # type: ignore[arg-type]
            customer.party(work, made.party_id).email,  # type: ignore[arg-type]
        )


def test_one_mailbox_has_one_account(people: People) -> None:
    """ENC-10: case, width, spaces, decomposed letters, international domains, the dotted I, the sharp s: however it is
    written, on both databases; the display form is kept as it was given.
    """
    mailboxes = {
        "aoi@example.jp": ("AOI@Example.JP", "ａｏｉ＠ｅｘａｍｐｌｅ．ｊｐ", " aoi@example.jp "),
        "jose\u0301@example.jp": ("josé@example.jp",),
        "aoi@お茶.jp": (f"aoi@{'お茶'.encode('idna').decode()}.jp", "aoi@お茶。jp"),
        "i\u0307@example.com": ("İ@example.com",),
        "straße@example.de": ("STRASSE@example.de",),
    }
    for first, others in mailboxes.items():
        made = people.register(email=first)
        for other in others:
            with pytest.raises(NotRegisteredError):
                people.register(email=other)
            assert made == people.sign_in(email=other)
        with people.begin.read(STAFF) as work:
            kept = customer.party(work, made.party_id).email  # type: ignore[arg-type]
        assert unicodedata.normalize("NFC", first) == kept


def test_one_mailbox_is_registered_once_by_ten_at_the_same_moment(people: People) -> None:
    """ENC-10, two tabs: one account, nine refusals, and no party left behind by those."""
    results = together(*[people.register] * 10)

    assert [NotRegisteredError] * 9 == [type(error) for error in raised(results)]
    with people.begin.read(STAFF) as work:
        assert 1 == work.execute(sa.select(sa.func.count()).select_from(account)).scalar_one()
        assert 1 == work.execute(sa.select(sa.func.count()).select_from(party_table)).scalar_one()


def test_a_wrong_password_and_an_unknown_address_get_one_answer(people: People) -> None:
    """ACC-07: the same error with the same text and no facts; what is no address at all too."""
    people.register()
    answers = set()
    for email, password in (
        ("aoi@example.jp", "wrong horse"),
        ("unknown@example.jp", "correct horse"),
        ("no address", "correct horse"),
        ("", ""),
        ("aoi@example.jp", "x" * 100_000),
        ("aoi@example.jp", "\ud800"),
    ):
        with pytest.raises(SignInRefusedError) as caught:
            people.sign_in(email, password)
        answers.add((caught.value.code, str(caught.value), tuple(caught.value.facts())))
    assert 1 == len(answers)


def test_an_unknown_address_costs_a_hash_as_a_known_one_does(people: People) -> None:
    """ACC-07: one operation of the scheme either way, so that time tells nothing; a taken address is hashed for too."""
    people.register()
    asked = people.schemes.quick.asked
    costs = []
    for email in ("aoi@example.jp", "unknown@example.jp", "no address"):
        asked.clear()
        with pytest.raises(SignInRefusedError):
            people.sign_in(email, "wrong horse")
        costs.append(len(asked))
    asked.clear()
    with pytest.raises(NotRegisteredError):
        people.register()
    assert [1, 1, 1, 1] == [*costs, len(asked)]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_medians_of_real_hashes_lie_in_the_noise(migrated_url: str) -> None:
    """ACC-07 with the core's own scheme: known and unknown addresses answer in comparable time."""
    begin = make_begin(migrated_url)
    with begin.write(Actor.guest()) as work:
        customer.register(work, email="aoi@example.jp", password="correct horse")

    def cost(email: str) -> float:
        started = time.perf_counter()
        with pytest.raises(SignInRefusedError), begin.write(Actor.guest()) as work:
            customer.sign_in(work, email=email, password="wrong horse")
        return time.perf_counter() - started

    times = [(cost("aoi@example.jp"), cost("unknown@example.jp")) for _ in range(15)]
    known, unknown = (median(column) for column in zip(*times, strict=True))
    assert 0.5 < known / unknown < 2


def test_an_old_shops_hash_is_replaced_at_the_first_sign_in(people: People) -> None:
    """A foreign scheme verifies only; afterwards the account has one of today's."""
    made = people.register()
    with people.begin.write(STAFF) as work:
        old = {"scheme": "old-shop", "data": "md5:esroh derettab"}
        work.execute(sa.update(credential).where(credential.c.customer_id == made.id).values(**old))

    for _ in range(2):
        assert made == people.sign_in(password="battered horse")
        with people.begin.read(STAFF) as work:
            assert "quick" == work.execute(sa.select(credential.c.scheme)).scalar_one()
    with pytest.raises(SignInRefusedError):
        people.sign_in()


def test_a_hash_whose_plugin_is_gone_is_kept(people: People) -> None:
    """The owner is told what is missing; nothing is overwritten."""
    people.register()
    alone = make_begin(people.url, clock=people.clock)
    with pytest.raises(UnknownSchemeError) as caught, alone.write(Actor.guest()) as work:
        customer.sign_in(work, email="aoi@example.jp", password="correct horse")

    assert "quick" == caught.value.scheme
    assert people.sign_in()


def test_a_password_is_accepted_by_its_length_alone(people: People) -> None:
    """Too short or too long is refused without showing it; nothing is stored."""
    for password in ("short", "x" * 201):
        with pytest.raises(InvalidInputError) as caught:
            people.register(password=password)
        assert password not in str(caught.value)
    people.register(password="  八文字の合言葉  ")
    assert people.sign_in(password="  八文字の合言葉  ")


def test_the_cores_own_schemes_verify_what_they_hash() -> None:
    """argon2 and scrypt: a salt each time, never the password in the hash; a wrong password is False."""
    from eckit.defaults import passwords

    for scheme in passwords.plugin.register_password_schemes():
        one, two = scheme.hash("correct horse"), scheme.hash("correct horse")
        assert one is not None
        assert one != two
        assert "correct" not in one
        assert (True, False) == (scheme.verify(one, "correct horse"), scheme.verify(one, "wrong horse"))


# -- customers and parties --------------------------------------------------------------------------------------------


def test_rare_signs_are_stored_and_shown_identically(people: People) -> None:
    """ENC-03: emoji, rare kanji and all else of a party are the same when read, on both databases."""
    party = a_party(name=EMOJI, company=EMOJI, department="販売部 & <Co> \" ' ; \\ |")
    with people.begin.write(STAFF) as work:
        kept = customer.add_party(work, party)

    assert party == kept
    with people.begin.read(STAFF) as work:
        assert party == customer.party(work, party.id)


def test_a_customer_reads_its_own_parties_only(people: People) -> None:
    """Missing equals forbidden: another's party, a guest's, and none at all give one answer."""
    mine, others, guests = (a_party() for _ in range(3))
    aoi, jo = (Actor.buyer(CustomerId(mint("customer"))) for _ in range(2))
    for actor, party in ((aoi, mine), (jo, others), (Actor.guest(), guests)):
        with people.begin.write(actor) as work:
            customer.add_party(work, party)

    with people.begin.read(aoi) as work:
        assert mine == customer.party(work, mine.id)
        answers = set()
        for party_id in (others.id, guests.id, PartyId(mint("party"))):
            with pytest.raises(NotFoundError) as caught:
                customer.parties(work, [mine.id, party_id])
            answers.add((caught.value.kind, caught.value.id == party_id))
    assert {("party", True)} == answers


def test_a_guests_party_can_be_used_by_who_knows_its_id(people: People) -> None:
    """A cart names it by its unguessable id; a customer's can only be used by that customer."""
    mine, guests = a_party(), a_party()
    aoi = Actor.buyer(CustomerId(mint("customer")))
    for actor, party in ((aoi, mine), (Actor.guest(), guests)):
        with people.begin.write(actor) as work:
            customer.add_party(work, party)

    for actor in (aoi, Actor.guest(), STAFF):
        with people.begin.read(actor) as work:
            assert guests == customer.usable(work, guests.id)
    with people.begin.read(Actor.guest()) as work, pytest.raises(NotFoundError):
        customer.usable(work, mine.id)
    with people.begin.read(Actor.guest()) as work, pytest.raises(InvalidInputError):
        customer.usable(work, mint("order"))  # type: ignore[arg-type]


def test_a_customer_is_changed_by_staff_and_moves_the_quotes_that_rest_on_it(people: People) -> None:
    """Groups decide prices: who joins one is priced anew."""
    made = people.register()
    before = attrs.evolve(made, groups=frozenset({"wholesale"}), locale="ja")
    with people.begin.read(STAFF) as work:
        stamp = work.stamps([f"customer:{made.id}"])
    with people.begin.write(STAFF) as work:
        customer.save_customer(work, before)

    with people.begin.read(Actor.buyer(made.id)) as work:
        assert before == customer.customer(work, made.id)
        assert frozenset({"wholesale"}) == customer.groups_of(work, made.id)
        assert frozenset() == customer.groups_of(work, None)
        assert stamp != work.stamps([f"customer:{made.id}"])
    with pytest.raises(NotAllowedError), people.begin.write(Actor.buyer(made.id)) as work:
        customer.save_customer(work, before)
    with people.begin.read(Actor.buyer(CustomerId(mint("customer")))) as work, pytest.raises(NotFoundError):
        customer.customer(work, made.id)


def test_erasing_takes_away_who_it_was_and_leaves_the_records(people: People) -> None:
    """Parties are emptied in place, account and credentials go; erasing again changes nothing; one event tells it."""
    made = people.register(name=EMOJI)
    other = a_party()
    with people.begin.write(Actor.buyer(made.id)) as work:
        customer.add_party(work, other)
    events = []
    for _ in range(2):
        with people.begin.write(Actor.buyer(made.id)) as work:
            customer.erase(work, made.id)
            events += [event.name for event in work._events]

    assert ["customer.erased"] == events
    with people.begin.read(STAFF) as work:
        rows = work.execute(sa.select(party_table)).all()
        texts = " ".join(str(value) for row in rows for value in row)
        assert 2 == len(rows)
        assert (0, 0) == tuple(
            work.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in (account, credential)
        )
        erased = customer.party(work, other.id)
        with pytest.raises(NotFoundError):
            customer.customer(work, made.id)
    for personal in ("佐藤", "サトウ", "aoi@", "5678", "渋谷", "T1234567890123", EMOJI):
        assert personal not in texts
    assert ("JP", "東京都", "150") == (
        erased.address.country,  # type: ignore[union-attr]
        erased.address.region,  # type: ignore[union-attr]
        erased.address.postal_code,  # type: ignore[union-attr]
    )
    with pytest.raises(SignInRefusedError):
        people.sign_in()
    assert people.register().id != made.id


def test_an_erased_customer_does_not_come_back(people: People) -> None:
    """A form that was open while it was erased cannot save it again; one that never was cannot be erased."""
    made = people.register()
    with people.begin.write(STAFF) as work:
        customer.erase(work, made.id)

    with pytest.raises(NotFoundError), people.begin.write(STAFF) as work:
        customer.save_customer(work, made)
    with pytest.raises(NotFoundError), people.begin.write(STAFF) as work:
        customer.erase(work, CustomerId(mint("customer")))
    with pytest.raises(NotAllowedError), people.begin.write(Actor.guest()) as work:
        customer.erase(work, made.id)


def test_the_newest_consent_of_a_purpose_counts(people: People) -> None:
    """Append-only; one's own, or staff's to note; nobody else's."""
    made = people.register()
    owner = Ref("customer", made.id)

    def note(purpose: str, granted: bool, actor: Actor) -> None:
        with people.begin.write(actor) as work:
            given = Consent(
                owner=owner,
                purpose=purpose,
                granted=granted,
                asserted_by=str(actor),
                text_version="2026-04",
                at=people.clock.advance(dt.timedelta(seconds=1)),
            )
            customer.consent(work, given)

    note("newsletter", True, Actor.buyer(made.id))
    note("newsletter", False, STAFF)
    note("profiling", True, Actor.buyer(made.id))
    for stranger in (Actor.guest(), Actor.buyer(CustomerId(mint("customer")))):
        with pytest.raises(NotAllowedError):
            note("newsletter", True, stranger)

    with people.begin.read(Actor.buyer(made.id)) as work:
        found = customer.consents(work, owner)
    assert [("newsletter", False), ("profiling", True)] == [(given.purpose, given.granted) for given in found]
    with people.begin.read(Actor.guest()) as work, pytest.raises(NotAllowedError):
        customer.consents(work, owner)


def test_a_guest_consents_in_the_work_that_adds_the_party(people: People) -> None:
    """ACC-01: afterwards the party's id opens its consents to nobody but staff: as if there were no such party."""
    guests, owned, customer_id = a_party(), a_party(), CustomerId(mint("customer"))

    def given(party_id: PartyId, purpose: str = "newsletter") -> Consent:
        owner = Ref("party", party_id)
        at = people.clock.now()
        return Consent(owner=owner, purpose=purpose, granted=True, asserted_by="guest", text_version="1", at=at)

    with people.begin.write(Actor.guest()) as work:
        customer.add_party(work, guests)
        customer.consent(work, given(guests.id))
        with pytest.raises(InvalidInputError):
            customer.consent(work, given(guests.id, purpose=""))
        assert [given(guests.id)] == list(customer.consents(work, Ref("party", guests.id)))
    with people.begin.write(Actor.buyer(customer_id)) as work:
        customer.add_party(work, owned)
    with people.begin.write(Actor.buyer(customer_id)) as work:
        customer.consent(work, given(owned.id))
        customer.consents(work, Ref("party", owned.id))

    for stranger in (Actor.guest(), Actor.buyer(CustomerId(mint("customer"))), Actor.staff("eve")):
        for party_id in (guests.id, owned.id, PartyId(mint("party"))):
            with pytest.raises(NotFoundError), people.begin.write(stranger) as work:
                customer.consent(work, given(party_id))
            with pytest.raises(NotFoundError), people.begin.read(stranger) as work:
                customer.consents(work, Ref("party", party_id))
    with people.begin.read(STAFF) as work:
        assert [given(guests.id)] == list(customer.consents(work, Ref("party", guests.id)))


def test_a_scheme_that_gives_no_hash_makes_no_account(people: People) -> None:
    """A broken plugin cannot leave an account that nobody can open, or that everybody can."""

    class Broken(Quick):
        def hash(self, password: str) -> str:
            return ""

    begin = make_begin(people.url, plugins=[Schemes(quick=Broken())], clock=people.clock)
    from eckit.kernel.errors import PluginError

    with pytest.raises(PluginError, match="test-passwords"), begin.write(Actor.guest()) as work:
        customer.register(work, email="aoi@example.jp", password="correct horse")
    assert people.register()


def test_registering_is_refused_by_field_before_anything_is_stored(people: People) -> None:
    """No address, no language: named; no account, no party."""
    for email, locale in (("no address", "en"), ("aoi@example.jp", "not a language")):
        with pytest.raises(InvalidInputError):
            people.register(email=email, locale=locale)
    with people.begin.read(STAFF) as work:
        assert 0 == work.execute(sa.select(sa.func.count()).select_from(party_table)).scalar_one()


def test_a_customer_is_only_what_a_customer_can_be(people: People) -> None:
    """An id of another kind is refused, and so is a group that is no code."""
    with pytest.raises(InvalidInputError), people.begin.write(STAFF) as work:
        customer.save_customer(work, Customer(id=mint("order")))  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError), people.begin.write(STAFF) as work:
        customer.save_customer(work, Customer(id=mint("customer"), groups=frozenset({"V I P"})))  # type: ignore[arg-type]
