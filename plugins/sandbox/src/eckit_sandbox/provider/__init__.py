"""The sandbox provider: a make-believe card company in a process of its own.

It keeps its own ledger, speaks its own HTTP dialect and knows nothing of eckit: this package imports the standard
library only, so that what it books is evidence independent of the shop it is compared with.
Start it with ``python -m eckit_sandbox.provider`` or through :class:`eckit_sandbox.process.SandboxProcess`.
"""
