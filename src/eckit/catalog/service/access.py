"""Who may do what with the catalog: what is published is open to everybody."""

from typing import Final

from eckit.kernel.work import Work

WRITE: Final = "catalog.write"
READ: Final = "catalog.read"
"""To see what is not published, and what things cost the shop."""


def require_write(work: Work) -> None:
    """Insist that the actor may change the catalog.

    :raises NotAllowedError: the actor may not.
    """
    work.actor.require(WRITE)


def sees_all(work: Work) -> bool:
    """Whether the actor sees drafts and archived products."""
    return work.actor.may(READ) or work.actor.may(WRITE)
