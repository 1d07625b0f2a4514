"""Conformance kit for payment gateways."""

from eckit.testing.payments.harness import Harness, LedgerEntry, NotApplicable, Settings

__all__ = ["Harness", "LedgerEntry", "NotApplicable", "Settings"]
