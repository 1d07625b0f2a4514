"""The closed table of operations: what may follow what. Everything not listed is refused."""

from typing import Final

from eckit.kernel.states import table
from eckit.payment.model import OperationKind, OpMove, OpState, StoredOperation

_S, _E = OpState, OpMove

# fmt: off
MOVES: Final = table(
    # from                 when                 to
    (_S.PLANNED,           _E.SENDING,          _S.SENT),
    (_S.PLANNED,           _E.ABANDONED,        _S.CANCELED),
    (_S.SENT,              _E.SUCCEEDED,        _S.SUCCEEDED),
    (_S.SENT,              _E.DECLINED,         _S.FAILED),
    (_S.SENT,              _E.BUYER_MUST_ACT,   _S.WAITING_BUYER),
    (_S.SENT,              _E.PROVIDER_WORKS,   _S.WAITING_PROVIDER),
    (_S.SENT,              _E.NO_ANSWER,        _S.IN_DOUBT),
    (_S.SENT,              _E.NOT_SENT,         _S.PLANNED),
    (_S.WAITING_BUYER,     _E.SUCCEEDED,        _S.SUCCEEDED),
    (_S.WAITING_BUYER,     _E.DECLINED,         _S.FAILED),
    (_S.WAITING_BUYER,     _E.PROVIDER_WORKS,   _S.WAITING_PROVIDER),
    (_S.WAITING_BUYER,     _E.EXPIRED,          _S.EXPIRED),
    (_S.WAITING_BUYER,     _E.ABANDONED,        _S.CANCELED),
    (_S.WAITING_BUYER,     _E.NO_ANSWER,        _S.IN_DOUBT),
    (_S.WAITING_PROVIDER,  _E.SUCCEEDED,        _S.SUCCEEDED),
    (_S.WAITING_PROVIDER,  _E.DECLINED,         _S.FAILED),
    (_S.WAITING_PROVIDER,  _E.OVERDUE,          _S.IN_DOUBT),
    (_S.IN_DOUBT,          _E.SUCCEEDED,        _S.SUCCEEDED),
    (_S.IN_DOUBT,          _E.DECLINED,         _S.FAILED),
    (_S.IN_DOUBT,          _E.BUYER_MUST_ACT,   _S.WAITING_BUYER),
    (_S.IN_DOUBT,          _E.PROVIDER_WORKS,   _S.WAITING_PROVIDER),
    (_S.IN_DOUBT,          _E.NOT_FOUND,        _S.PLANNED),
    (_S.IN_DOUBT,          _E.ABANDONED,        _S.CANCELED),
    (_S.IN_DOUBT,          _E.GIVEN_UP,         _S.NEEDS_HUMAN),
    (_S.NEEDS_HUMAN,       _E.SUCCEEDED,        _S.SUCCEEDED),
    (_S.NEEDS_HUMAN,       _E.DECLINED,         _S.FAILED),
    (_S.EXPIRED,           _E.LATE_MONEY,       _S.SUCCEEDED),
    (_S.CANCELED,          _E.LATE_MONEY,       _S.SUCCEEDED),
    (_S.FAILED,            _E.LATE_MONEY,       _S.SUCCEEDED),
)
# fmt: on

ENDED: Final = frozenset({_S.SUCCEEDED, _S.FAILED, _S.EXPIRED, _S.CANCELED})
"""States in which nobody waits for anything."""

UNKNOWN: Final = frozenset({_S.IN_DOUBT, _S.NEEDS_HUMAN})
"""States in which nobody knows what happened."""

_FALLEN: Final = frozenset({_S.EXPIRED, _S.CANCELED, _S.FAILED})
_DEFINITE_NO: Final = frozenset({_E.EXPIRED, _E.ABANDONED})


GIVE_BACK_KEY: Final = "give-back:"
"""Keys of operations that give back what the order does not want begin with this."""

RETURN_KEY: Final = "return:"
"""The same for a part that the order does not want any more, while it keeps the rest."""


def gives_back(operation: StoredOperation) -> bool:
    """Whether the core itself planned it, to give back what an order does not want; it also tries again by itself."""
    return (operation.key or "").startswith((GIVE_BACK_KEY, RETURN_KEY))


def is_open(operation: StoredOperation) -> bool:
    """Whether it has not ended."""
    return operation.state not in ENDED


def blocks(operation: StoredOperation) -> bool:
    """Whether it keeps any other operation of its payment from being planned: at most one such at a time.

    A refund that the provider has accepted and is working on does not: its amount is reserved in the sums instead.
    """
    accepted_refund = operation.kind is OperationKind.REFUND and operation.state is _S.WAITING_PROVIDER
    return is_open(operation) and not accepted_refund


def way(state: OpState, move: OpMove) -> tuple[OpMove, ...]:
    """The listed moves by which news of this kind is taken in this state; none if the table refuses it.

    News may overtake our own notes. Evidence of something we have not noted as sent shows that it was sent; money for
    an attempt that was given up is late money; where a listed "no" has a more special form, the plain one is used.
    """
    if (state, move) in MOVES:
        return (move,)
    if state in _FALLEN:
        return (_E.LATE_MONEY,) if move is _E.SUCCEEDED else ()
    if state is _S.PLANNED and move is not _E.NOT_SENT:
        rest = way(_S.SENT, move)
        return (_E.SENDING, *rest) if rest else ()
    if move in _DEFINITE_NO and (state, _E.DECLINED) in MOVES:
        return (_E.DECLINED,)
    return ()


_TO_A_PERSON: Final = {
    _S.PLANNED: (_E.SENDING, _E.NO_ANSWER, _E.GIVEN_UP),
    _S.SENT: (_E.NO_ANSWER, _E.GIVEN_UP),
    _S.WAITING_BUYER: (_E.NO_ANSWER, _E.GIVEN_UP),
    _S.WAITING_PROVIDER: (_E.OVERDUE, _E.GIVEN_UP),
    _S.IN_DOUBT: (_E.GIVEN_UP,),
}


def way_to_a_person(state: OpState) -> tuple[OpMove, ...]:
    """The listed moves to ``needs_human``: for answers that do not fit what was asked."""
    return _TO_A_PERSON.get(state, ())
