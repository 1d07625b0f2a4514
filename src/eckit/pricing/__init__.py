"""Pricing: what a cart costs and why.

Pure rules turn lines, prices, adjustments, fares, fees and rates into a Quote whose every unit is accounted for.
"""

from eckit.pricing.errors import (
    AdjustmentError,
    DoesNotAddUpError,
    FeeTableError,
    NotReadyError,
    QuoteChangedError,
)
from eckit.pricing.model import (
    Basis,
    Charge,
    Due,
    ExplainLine,
    FeeRule,
    FeeTier,
    Kind,
    MethodOffer,
    OpenItem,
    PricedOption,
    Quote,
    QuoteGroup,
    QuoteLine,
    QuoteRef,
    Share,
    ShippingOffer,
    TaxFacts,
    TraceEntry,
)

__all__ = [
    "AdjustmentError",
    "Basis",
    "Charge",
    "DoesNotAddUpError",
    "Due",
    "ExplainLine",
    "FeeRule",
    "FeeTableError",
    "FeeTier",
    "Kind",
    "MethodOffer",
    "NotReadyError",
    "OpenItem",
    "PricedOption",
    "Quote",
    "QuoteChangedError",
    "QuoteGroup",
    "QuoteLine",
    "QuoteRef",
    "Share",
    "ShippingOffer",
    "TaxFacts",
    "TraceEntry",
]
