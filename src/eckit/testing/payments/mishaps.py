"""What may happen to a request between gateway and provider: see :meth:`Proxy.meddling`."""

import time
from collections.abc import Callable
from typing import Final

import attrs

from eckit.testing.payments.proxy import Exchange, Reply


@attrs.frozen
class ResetUnread:
    """The request left and never arrived: the connection breaks, the provider did nothing."""

    def __call__(self, exchange: Exchange) -> None:
        exchange.reset()


@attrs.frozen
class DropAnswer:
    """The provider acts; the connection breaks before a byte of its answer."""

    def __call__(self, exchange: Exchange) -> None:
        exchange.forward()
        exchange.reset()


@attrs.frozen
class Hang:
    """The provider acts; its answer does not come.

    :ivar seconds: the longest the proxy waits for the gateway to leave.
    """

    seconds: float = 60.0

    def __call__(self, exchange: Exchange) -> None:
        exchange.forward()
        exchange.wait_for_gateway(self.seconds)
        exchange.reset()


@attrs.frozen
class Late:
    """The provider acts at once, and takes its time to answer: whoever races has the time to do it.

    :ivar seconds: how long.
    """

    seconds: float = 0.3

    def __call__(self, exchange: Exchange) -> None:
        reply = exchange.forward()
        time.sleep(self.seconds)
        exchange.answer(reply)


@attrs.frozen(kw_only=True)
class Instead:
    """The gateway reads this answer. The provider has acted, unless ``acted`` is False."""

    reply: Reply
    acted: bool = True

    def __call__(self, exchange: Exchange) -> None:
        if self.acted:
            exchange.forward()
        exchange.answer(self.reply)


@attrs.frozen(kw_only=True)
class Changed:
    """The provider acts, and its answer is changed on the way."""

    change: Callable[[Reply], Reply]

    def __call__(self, exchange: Exchange) -> None:
        exchange.answer(self.change(exchange.forward()))


@attrs.frozen(kw_only=True)
class Truncated:
    """The provider acts, and half of its answer arrives: announced as if that were all, or ``announced`` whole."""

    announced: bool = False

    def __call__(self, exchange: Exchange) -> None:
        reply = exchange.forward()
        half = len(reply.body) // 2
        if self.announced:
            exchange.answer(reply, cut_at=half)
        else:
            exchange.answer(attrs.evolve(reply, body=reply.body[:half]))


@attrs.frozen
class Twice:
    """The request is delivered twice, as a network may; the second answer arrives."""

    def __call__(self, exchange: Exchange) -> None:
        exchange.forward()
        exchange.answer(exchange.forward())


_HTML: Final = "<html><body><h1>Bad Gateway</h1><p>ただいま混み合っています。</p></body></html>"


def status(code: int, *, acted: bool = True) -> Instead:
    """An error page of a server in front of the provider: ``text/plain``, no word of its protocol in it."""
    reply = Reply(status=code, headers={"Content-Type": "text/plain"}, body=b"upstream error")
    return Instead(reply=reply, acted=acted)


def html(code: int = 200) -> Instead:
    """A page for people where an answer was expected."""
    headers = {"Content-Type": "text/html; charset=utf-8"}
    return Instead(reply=Reply(status=code, headers=headers, body=_HTML.encode()))


def empty(code: int = 200) -> Instead:
    """A good status, and nothing else."""
    return Instead(reply=Reply(status=code, headers={"Content-Type": "application/json"}))


def wrong_charset() -> Changed:
    """The answer in other bytes than its header says: UTF-16 called UTF-8."""
    return Changed(change=lambda reply: attrs.evolve(reply, body=reply.body.decode("utf-8").encode("utf-16")))


def rate_limited(seconds: int = 30) -> Instead:
    """429 with ``Retry-After``; nothing was done."""
    headers = {"Content-Type": "application/json", "Retry-After": str(seconds)}
    return Instead(reply=Reply(status=429, headers=headers, body=b'{"error":{"code":"rate_limited"}}'), acted=False)


def redirect(location: str, code: int = 307) -> Instead:
    """A redirect, which must not be followed: it would take the request, and the key, somewhere else."""
    return Instead(reply=Reply(status=code, headers={"Location": location}), acted=False)
