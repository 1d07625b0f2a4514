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
    Charge,
    ChargeKind,
    Due,
    ExplainLine,
    FeeRule,
    FeeTier,
    MethodOffer,
    OpenItem,
    PricedOption,
    Quote,
    QuoteBasis,
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
    "Charge",
    "ChargeKind",
    "DoesNotAddUpError",
    "Due",
    "ExplainLine",
    "FeeRule",
    "FeeTableError",
    "FeeTier",
    "MethodOffer",
    "NotReadyError",
    "OpenItem",
    "PricedOption",
    "Quote",
    "QuoteBasis",
    "QuoteChangedError",
    "QuoteGroup",
    "QuoteLine",
    "QuoteRef",
    "Share",
    "ShippingOffer",
    "TaxFacts",
    "TraceEntry",
]
