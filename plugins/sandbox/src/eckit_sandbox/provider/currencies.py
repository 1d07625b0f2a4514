"""Currencies the provider settles in, and how many decimals their minor unit stands for (ISO 4217)."""

from __future__ import annotations

from typing import Final

EXPONENTS: Final[dict[str, int]] = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(
        (
            *("AED", "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "IDR", "ILS", "INR"),
            *("MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "RON", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "USD", "ZAR"),
        ),
        2,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Decimals by currency code; a currency that is not here is refused."""

SMALLEST: Final = 1
"""Smallest amount of any operation, in minor units."""

LARGEST: Final = 9_999_999_999
"""Largest amount of a payment, in minor units of its currency (ten digits)."""
