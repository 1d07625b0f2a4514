"""Tax: which rate applies to what, and how much that is.

A plugin's engine gives the rates; the core computes and rounds by the market's named policy.
"""

from eckit.tax.errors import TaxUnavailableError
from eckit.tax.model import Taxable, TaxEngine, TaxLine, TaxRequest

__all__ = ["TaxEngine", "TaxLine", "TaxRequest", "TaxUnavailableError", "Taxable"]
