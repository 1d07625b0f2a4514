"""Makes and checks the tables of the core and of every plugin, by alembic; each plugin has a branch of its own."""

from eckit.migrations.runner import Revision, pending, upgrade

__all__ = ["Revision", "pending", "upgrade"]
