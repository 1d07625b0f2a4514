"""How a product comes to be seen by buyers."""

import enum
from typing import Final

import attrs

from eckit.catalog.model import Product, ProductState as S, Variant
from eckit.kernel.errors import Objection
from eckit.kernel.states import move, table


class E(enum.Enum):
    """What is done to a product."""

    PUBLISH = "publish"
    UNPUBLISH = "unpublish"
    ARCHIVE = "archive"
    RESTORE = "restore"


# fmt: off
MOVES: Final = table(
    # from        when         to
    (S.DRAFT,     E.PUBLISH,   S.PUBLISHED),
    (S.PUBLISHED, E.UNPUBLISH, S.DRAFT),
    (S.DRAFT,     E.ARCHIVE,   S.ARCHIVED),
    (S.PUBLISHED, E.ARCHIVE,   S.ARCHIVED),
    (S.ARCHIVED,  E.RESTORE,   S.DRAFT),
)
# fmt: on

_TOWARDS: Final = {S.PUBLISHED: E.PUBLISH, S.ARCHIVED: E.ARCHIVE}


def moved(product: Product, state: S) -> Product:
    """The product in another state, by whatever leads there; as it is, where it is in that state already.

    :raises NotInTransitionError: an archived product is restored to a draft before it is published again.
    """
    before = S(product.state)
    if before is state:
        return product
    return done(product, _TOWARDS.get(state) or (E.RESTORE if before is S.ARCHIVED else E.UNPUBLISH))


def done(product: Product, event: E) -> Product:
    """The product after something was done to it.

    :raises NotInTransitionError: it cannot be done to it as it is.
    """
    return attrs.evolve(product, state=move(MOVES, S(product.state), event).value)


def objections(product: Product, variants: tuple[Variant, ...]) -> tuple[Objection, ...]:
    """What the core itself holds against publishing a product: no title, nothing in it to buy."""
    found = []
    if not product.title:
        found.append(Objection(code="untitled", path="title"))
    if not any(variant.active for variant in variants):
        found.append(Objection(code="nothing-to-buy", path="variants"))
    return tuple(found)
