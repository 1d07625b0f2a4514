"""Verbs of customer."""

from collections.abc import Iterable
from typing import Any

import attrs

from eckit.customer import hooks, rules, store
from eckit.customer.errors import NotRegisteredError, SignInRefusedError, UnknownSchemeError
from eckit.customer.model import Consent, Credential, Customer, CustomerErased, Party, PasswordScheme
from eckit.kernel import desk, facets, idempotency
from eckit.kernel.actors import Actor
from eckit.kernel.desk import verb
from eckit.kernel.errors import InvalidInputError, NotFoundError, PluginError, invalid
from eckit.kernel.hookspecs import declared
from eckit.kernel.ids import CustomerId, PartyId, expect_id
from eckit.kernel.minting import mint
from eckit.kernel.plugins import Plugins
from eckit.kernel.refs import Ref
from eckit.kernel.text import clean, fold_email
from eckit.kernel.work import Work

SPECS = declared(hooks, "customer")
READ, MANAGE = "customer.read", "customer.write"
SCHEMES = "customer.password_schemes"
_ADD_PARTY = "customer.add_party"
_PASSWORD = "password"  # noqa: S105 - a kind of credential


def collect(plugins: Plugins) -> None:
    """Ask once for permissions and password schemes."""
    plugins.collect("register_permissions", "customer.permissions", code=lambda permission: permission.code)
    plugins.collect("register_password_schemes", SCHEMES, code=lambda scheme: scheme.code)


# -- parties ----------------------------------------------------------------------------------------------------------


def add_party(work: Work, party: Party) -> Party:
    """Keep a person or company as named now; a correction is another one. Its id is the way to it.

    :raises InvalidInputError: names the field.
    """
    expect_id("party", party.id, path="party.id")
    accepted = rules.accepted(party)
    store.add_party(work, accepted, work.actor.customer_id)
    work.did(_ADD_PARTY, Ref("party", party.id))
    return accepted


def party(work: Work, party_id: PartyId) -> Party:
    """A party of the actor's own, or any with ``customer.read``.

    :raises NotFoundError: there is none, or it is somebody else's.
    """
    return parties(work, [party_id])[party_id]


def parties(work: Work, party_ids: Iterable[PartyId]) -> dict[PartyId, Party]:
    """Several parties at once; see :func:`party`."""
    wanted = [PartyId(expect_id("party", one)) for one in party_ids]
    found = store.parties(work, wanted)
    for one in wanted:
        owner = found[one][1] if one in found else None
        mine = owner is not None and owner == work.actor.customer_id
        if one not in found or not (mine or work.actor.may(READ)):
            raise NotFoundError(kind="party", id=one)
    return {party_id: found[party_id][0] for party_id in wanted}


def usable(work: Work, party_id: PartyId) -> Party:
    """A party an actor names in a cart: its own, or one no customer owns (a guest's, known by its unguessable id).

    :raises NotFoundError: there is none, or it is another customer's.
    """
    found = store.parties(work, [PartyId(expect_id("party", party_id))]).get(party_id)
    if found is None or not (found[1] in (None, work.actor.customer_id) or work.actor.may(READ)):
        raise NotFoundError(kind="party", id=party_id)
    return found[0]


# -- customers and accounts -------------------------------------------------------------------------------------------


def save_customer(work: Work, customer: Customer) -> Customer:
    """Add or change a customer. Needs ``customer.write``.

    :raises NotFoundError: it was erased.
    :raises InvalidInputError: names the field.
    """
    work.actor.require(MANAGE)
    expect_id("customer", customer.id, path="customer.id")
    if not store.put_customer(work, rules.accepted_customer(customer)):
        raise NotFoundError(kind="customer", id=customer.id)
    work.bump(f"customer:{customer.id}")
    work.did("customer.save", Ref("customer", customer.id))
    return customer


def customer(work: Work, customer_id: CustomerId) -> Customer:
    """Oneself, or anybody with ``customer.read``; with the facets plugins keep for whoever reads a customer.

    :raises NotFoundError: there is none, or it is somebody else.
    """
    expect_id("customer", customer_id)
    found = store.customer_of(work, customer_id)
    if found is None or not (work.actor.customer_id == customer_id or work.actor.may(READ)):
        raise NotFoundError(kind="customer", id=customer_id)
    ref = Ref("customer", customer_id)
    return attrs.evolve(found, facets=facets.load(work, [ref], "customer")[ref])


def save_facet(work: Work, customer_id: CustomerId, facet: Any) -> None:
    """Store a plugin's extra facts on a customer, in place of earlier ones of the same class. Needs ``customer.write``.

    :raises NotFoundError: there is no such customer.
    :raises InvalidInputError: no plugin registers this class on customers; it cannot be stored.
    """
    work.actor.require(MANAGE)
    expect_id("customer", customer_id)
    if store.customer_of(work, customer_id, lock=True) is None:
        raise NotFoundError(kind="customer", id=customer_id)
    facets.save(work, Ref("customer", customer_id), facet)
    work.bump(f"customer:{customer_id}")


def groups_of(work: Work, customer_id: CustomerId | None) -> frozenset[str]:
    """The groups a customer is in; none for a guest, without a statement. For prices, whoever asks for them."""
    if customer_id is None:
        return frozenset()
    found = store.customer_of(work, customer_id)
    return found.groups if found else frozenset()


def register(work: Work, *, email: str, password: str, name: str = "", locale: str = "en") -> Customer:
    """Make an account.

    A page that lets strangers register shows one answer for success and :class:`NotRegisteredError` alike, and tells
    the rest by mail; both take the same time.

    :raises NotRegisteredError: no account was made; it does not say that the address has one.
    :raises InvalidInputError: no mail address, or a password too short or too long.
    """
    key = fold_email(email, "email")
    rules.accepted_locale(locale, "locale")
    data, scheme = _hash(work.plugins, rules.accepted_password(password))
    customer_id = CustomerId(mint("customer"))
    if not store.claim_email(work, customer_id, key):
        raise NotRegisteredError()
    owner = Party(id=PartyId(mint("party")), name=name or email, email=email, email_kind="direct")
    store.add_party(work, rules.accepted(owner), customer_id)
    made = Customer(id=customer_id, locale=locale, party_id=owner.id)
    store.put_customer(work, made)
    store.put_credential(work, Credential(customer_id=customer_id, kind=_PASSWORD, scheme=scheme, data=data))
    work.did("customer.register", Ref("customer", customer_id))
    return made


def sign_in(work: Work, *, email: str, password: str) -> Customer:
    """The customer whose address and password these are; an old hash is replaced by today's.

    An unknown address costs the same time as a wrong password and gives the same answer. How often one may try is the
    host's to limit: it knows where the request comes from.

    :raises SignInRefusedError: no such pair.
    """
    typed = rules.typed_password(password)
    if typed is None:
        raise SignInRefusedError()
    password = typed
    customer_id = store.by_email(work, _key_of(email))
    kept = store.credential_of(work, customer_id, _PASSWORD) if customer_id else None
    if customer_id is None or kept is None:
        _hash(work.plugins, password)
        raise SignInRefusedError()
    if not _verifies(work.plugins, kept, password):
        raise SignInRefusedError()
    best = _best(work.plugins)[1].code
    if kept.rehash_wanted or kept.scheme != best:
        data, scheme = _hash(work.plugins, password)
        store.put_credential(work, attrs.evolve(kept, scheme=scheme, data=data, rehash_wanted=False))
    work.did("customer.sign_in", Ref("customer", customer_id))
    found = store.customer_of(work, customer_id)
    if found is None:
        raise SignInRefusedError()
    return found


def _key_of(email: str) -> str:
    """The key of an address, or of none: what is no address has no account, and is answered alike."""
    try:
        return fold_email(email, "email")
    except InvalidInputError:
        return ""


def _best(plugins: Plugins) -> tuple[str, PasswordScheme]:
    """The scheme new passwords get: of those that can hash, a plugin's before the core's own."""
    able = [entry for entry in plugins.things(SCHEMES) if getattr(entry.thing, "hashes", True)]
    ranked = sorted(able, key=lambda entry: (entry.plugin.startswith("eckit-"), entry.code))
    if not ranked:
        raise UnknownSchemeError(scheme="")
    return ranked[0].plugin, ranked[0].thing


def _hash(plugins: Plugins, password: str) -> tuple[str, str]:
    plugin, scheme = _best(plugins)
    data = plugins.guarded(plugin, "hash", scheme.hash, password)
    if not (isinstance(data, str) and data):
        raise PluginError(plugin=plugin, hook="hash", reason="gave no hash")
    return data, scheme.code


def _verifies(plugins: Plugins, kept: Credential, password: str) -> bool:
    entry = plugins.thing(SCHEMES, kept.scheme)
    if entry is None:
        raise UnknownSchemeError(scheme=kept.scheme)
    answer: object = plugins.guarded(entry.plugin, "verify", entry.thing.verify, kept.data, password)
    if not isinstance(answer, bool):
        raise PluginError(plugin=entry.plugin, hook="verify", reason=f"answered {type(answer).__name__}")
    return answer


def consent(work: Work, given: Consent) -> None:
    """Keep what somebody agreed to, or took back: one's own, or anybody's with ``customer.write``.

    A guest has no name to be known by, and any cart may name any party: so for a party no customer owns it is given in
    the Work that adds the party.

    :raises NotFoundError: there is no such party, or it is not the actor's.
    """
    _require_own(work, given.owner, MANAGE)
    for name in ("purpose", "asserted_by", "text_version"):
        if not clean(getattr(given, name), path=f"consent.{name}", max_length=80):
            raise invalid("empty", f"consent.{name}", "")
    store.add_consent(work, given)
    work.did("customer.consent", given.owner)


def consents(work: Work, owner: Ref) -> tuple[Consent, ...]:
    """The newest consent of each purpose, granted or taken back: one's own, or anybody's with ``customer.read``.

    :raises NotFoundError: there is no such party, or it is not the actor's.
    """
    _require_own(work, owner, READ)
    newest = {given.purpose: given for given in store.consents(work, owner)}
    return tuple(given for _, given in sorted(newest.items()))


def _require_own(work: Work, owner: Ref, permission: str) -> None:
    if owner.kind != "party":
        if owner.kind != "customer" or work.actor.customer_id != owner.id:
            work.actor.require(permission)
        return
    found = store.parties(work, [PartyId(expect_id("party", owner.id))]).get(PartyId(owner.id))
    customer_id = None if found is None else found[1]
    mine = work.has_done(_ADD_PARTY, owner) if customer_id is None else customer_id == work.actor.customer_id
    if found is None or not (mine or work.actor.may(permission)):
        raise NotFoundError(kind="party", id=owner.id)


def erase(work: Work, customer_id: CustomerId) -> None:
    """Take away everything that names a customer: parties are emptied, account and credentials go; records stay whole.

    Facets that plugins declared personal go, those of plugins that are gone too, and so do the replies kept under the
    customer's idempotency keys. One's own, or anybody's with ``customer.write``. Erasing again changes nothing.

    :raises NotFoundError: there is no such customer.
    """
    expect_id("customer", customer_id)
    if work.actor.customer_id != customer_id:
        work.actor.require(MANAGE)
    if store.customer_of(work, customer_id, lock=True) is None:
        if store.was_erased(work, customer_id):
            return
        raise NotFoundError(kind="customer", id=customer_id)
    parties = store.parties_of(work, customer_id)
    for one in parties:
        store.overwrite_party(work, one.id, rules.erased(one))
    facets.erase(work, [Ref("customer", customer_id), *(Ref("party", one.id) for one in parties)])
    idempotency.forget(work.connection, Actor.buyer(customer_id).identity)
    store.erase_customer(work, customer_id, work.now)
    work.bump(f"customer:{customer_id}")
    work.did("customer.erase", Ref("customer", customer_id))
    work.announce(CustomerErased(customer_id=customer_id))


class Desk(desk.Desk):
    """``work.customer``."""

    add_party = verb(add_party)
    party = verb(party)
    parties = verb(parties)
    save_customer = verb(save_customer)
    customer = verb(customer)
    save_facet = verb(save_facet)
    register = verb(register)
    sign_in = verb(sign_in)
    consent = verb(consent)
    consents = verb(consents)
