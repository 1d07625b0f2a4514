"""What the author of a gateway supplies, so that the kit can drive its provider and see what really moved."""

import abc
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, TypeAlias

import attrs

from eckit.kernel.ids import MethodCode
from eckit.payment.model import Instrument, RawRequest
from eckit.testing.payments.proxy import Reply, Request

Settings: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Plugin name → its table, as a settings file would hold it: plain values only."""


class NotApplicable(Exception):  # noqa: N818 -- no error: a check that has nothing to look at
    """This gateway or its harness has no such thing to check; says what."""


@attrs.frozen(kw_only=True)
class LedgerEntry:
    """One movement of money as the provider booked it.

    :ivar payment: our reference of the payment, as the provider knows it.
    :ivar kind: authorize, capture, void, refund, and whatever else a snapshot's movements may be.
    :ivar amount_minor: in minor units of ``currency``, as the world counts them (¥1 is 1).
    """

    payment: str
    kind: str
    amount_minor: int
    currency: str


@attrs.frozen(kw_only=True)
class Games:
    """How the games of C70 are played.

    :ivar games: how many. ``moves``: in each, at most.
    :ivar fresh: other games every time; without it always the same ones.
    :ivar shrink: look for the shortest game that fails, which takes its time.
    :ivar again: play nothing but one game that failed: version and blob, as the failure shows them, a space between.
    """

    games: int = 10
    moves: int = 10
    fresh: bool = False
    shrink: bool = True
    again: str = ""


_WORDS: Final = frozenset({"status", "state", "result", "result_code", "kind", "type"})


class Harness(abc.ABC):
    """Base of a harness. Of what is optional, a check that needs it raises :class:`NotApplicable`, with the reason.

    :cvar method: the id of the gateway to be checked.
    :cvar plugins: where its plugins are, ``module:attribute``; child processes import them too.
    :cvar currency, amount_minor: what an ordinary payment of the checks is of; at least 12 minor units, even, and far
        from the declared limits.
    :cvar declines: a behavior of a buyer's instrument → the standard code it must become.
    :cvar notice_time_limit: how old a signed notice may be, where the scheme has a timestamp.
    :cvar upper_case_mac: whether a MAC in upper-case letters is as good as one in lower case.
    """

    method: ClassVar[MethodCode]
    plugins: ClassVar[tuple[str, ...]]
    currency: ClassVar[str] = "JPY"
    amount_minor: ClassVar[int] = 1200
    declines: ClassVar[Mapping[str, str]] = {}
    notice_time_limit: ClassVar[dt.timedelta | None] = None
    upper_case_mac: ClassVar[bool] = False

    # -- the provider's life -----------------------------------------------------------------------------------------

    @abc.abstractmethod
    def start(self, directory: Path) -> None:
        """Start the fake or sandbox, which may keep files in ``directory``."""

    @abc.abstractmethod
    def stop(self) -> None:
        """End it."""

    @abc.abstractmethod
    def reset(self) -> None:
        """Let the provider forget everything that happened; comes before each check."""

    @abc.abstractmethod
    def address(self) -> tuple[str, int]:
        """Host and port where the provider is reached over plain HTTP; the proxy stands before it."""

    def set_clock(self, now: dt.datetime) -> None:  # noqa: B027 -- most providers have no clock that can be set
        """The shop's time is ``now``; a provider with a clock of its own follows it."""

    # -- the shop's side ---------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def settings(self, base_url: str, *, hasty: bool = False) -> Settings:
        """Settings with which the plugins reach the provider at ``base_url``.

        :param hasty: with timeouts as short as can be, for checks in which nobody answers.
        """

    def other_mode(self, base_url: str) -> Settings:
        """The same for the other mode: live, if these are tests."""
        raise NotApplicable("there is only one mode")

    @abc.abstractmethod
    def instrument(self, behavior: str) -> Instrument | None:
        """What the buyer pays with.

        :param behavior: ``approve``; ``decline`` and the keys of ``declines``; ``challenge`` (the buyer must act),
            ``pending`` (the provider is working until :meth:`buyer` ``"resolve"``).
        :return: None where this method needs no instrument.
        :raises NotApplicable: nobody can behave like this.
        """

    @abc.abstractmethod
    def buyer(self, action: str, reference: str) -> None:
        """Somebody other than the shop acts on a payment.

        :param action: ``approve``, ``deny`` (a challenge), ``resolve`` (what was pending is decided).
        :raises NotApplicable: this cannot happen.
        """

    # -- evidence ----------------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def provider_ledger(self, reference: str | None = None) -> tuple[LedgerEntry, ...]:
        """What really moved since the last reset, by the provider's own books: of one payment, or all; oldest first."""

    def notices(self, reference: str) -> tuple[RawRequest, ...]:
        """What the provider has sent about a payment so far, oldest first; the kit delivers it.

        :raises NotApplicable: it sends no notices.
        """
        raise NotApplicable("the provider sends no notices")

    def deliver(self, notice: RawRequest, mutation: str) -> RawRequest:
        """What arrives when the provider sends a notice again, now, with something wrong in it.

        :param mutation: empty: nothing is wrong, it is just sent again; ``amount``, ``currency``, ``account``, ``mode``
            (signed, and untrue); ``stale`` (signed longer ago than ``notice_time_limit``); ``other_secret`` (signed
            with another key); ``reserialized`` (same content, other bytes than those signed); ``unsigned``.
        :raises NotApplicable: this provider cannot.
        """
        if not mutation:
            return notice
        raise NotApplicable(f"no notice can be made with {mutation}")

    def batch(self, notices: Sequence[RawRequest], broken: int) -> RawRequest:
        """What arrives when the provider tells several notices in one push, now, with one broken record among them.

        :param broken: the place, from 0, of the one whose contents cannot be read; which payment it is about, can.
        :raises NotApplicable: the provider tells one thing at a time.
        """
        raise NotApplicable("the provider tells one thing at a time")

    def signed(self, body: bytes) -> RawRequest:
        """A notice with any body at all, signed as the provider signs.

        :raises NotApplicable: notices are not signed, or the harness has no key.
        """
        raise NotApplicable("no notice can be signed")

    # -- special wishes ----------------------------------------------------------------------------------------------

    def provider(self, wish: str) -> None:
        """Let the provider behave specially until the next reset.

        :param wish: ``over_capture`` (it takes or releases what is not reserved any more), ``over_refund`` (it gives
            back more than was taken), ``refund_async`` (refunds are pending, and done when resolved), ``refund_fails``
            (refunds are pending, and refused when resolved).
        :raises NotApplicable: it cannot.
        """
        raise NotApplicable(f"the provider cannot {wish}")

    def reset_wishes(self) -> None:  # noqa: B027 -- nothing to forget where nothing can be wished
        """Let the provider behave as usual again, without forgetting what happened."""

    def office(self, reference: str, kind: str, amount_minor: int) -> None:
        """Somebody at the provider moves money by hand: ``capture``, ``void`` or ``refund``.

        :raises NotApplicable: nobody can.
        """
        raise NotApplicable("nobody moves money by hand")

    def is_moving(self, request: Request) -> bool:
        """Whether a request may move money; the others only look."""
        return request.method != "GET"

    def fingerprint(self, request: Request) -> bytes:
        """What is the same when the same operation is sent again: without times, nonces and signatures."""
        return f"{request.method} {request.target}\n".encode() + request.body

    def unknown_words(self, reply: Reply) -> Reply:
        """An answer with words in it that nobody knows: by default in the usual members of a JSON body."""
        return attrs.evolve(reply, body=json.dumps(_garbled(json.loads(reply.body))).encode())


def _garbled(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: "zz_unheard_of" if name in _WORDS and isinstance(inner, str) else _garbled(inner)
            for name, inner in value.items()
        }
    return [_garbled(inner) for inner in value] if isinstance(value, list) else value
