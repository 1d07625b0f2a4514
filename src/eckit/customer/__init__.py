"""Decides who buys and where it goes: parties, customers, accounts, consents. The only place personal data is kept.

Parties never change: a correction is a new one, and erasure empties rows without breaking a record that points to them.
"""

from eckit.customer.errors import NotRegisteredError, SignInRefusedError, UnknownSchemeError
from eckit.customer.model import (
    Address,
    Consent,
    Credential,
    Customer,
    CustomerErased,
    Party,
    PasswordScheme,
    Permission,
    TaxPlace,
)

__all__ = [
    "Address",
    "Consent",
    "Credential",
    "Customer",
    "CustomerErased",
    "NotRegisteredError",
    "Party",
    "PasswordScheme",
    "Permission",
    "SignInRefusedError",
    "TaxPlace",
    "UnknownSchemeError",
]
