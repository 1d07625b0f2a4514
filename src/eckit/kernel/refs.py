"""How facts of unknown capabilities are named."""

from typing import Self

import attrs

from eckit.kernel.errors import invalid
from eckit.kernel.ids import PREFIXES, expect_id


@attrs.frozen
class Ref:
    """Kind and id of something another capability (or a plugin) owns: a name, not a join.

    Plugins may use kinds of their own (``goods_receipts.receipt``); the core's kinds check the id's prefix.
    """

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @classmethod
    def parse(cls, text: str, *, path: str = "ref") -> Self:
        """Read ``"order:ord_…"``.

        :raises InvalidInputError: ``wrong-id``, if it is no such text or the id is of another kind.
        """
        kind, colon, id_ = text.partition(":")
        if not (kind and colon and id_):
            raise invalid("wrong-id", path, text, limit="kind:id")
        if kind in PREFIXES:
            expect_id(kind, id_, path=path)
        return cls(kind, id_)
