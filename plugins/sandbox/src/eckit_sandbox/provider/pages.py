"""The buyer's side of a challenge: one small page with two buttons."""

from __future__ import annotations

from html import escape

from eckit_sandbox.provider.currencies import EXPONENTS
from eckit_sandbox.provider.ledger import Payment

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body {{ font: 16px/1.5 sans-serif; max-width: 30em; margin: 4em auto; padding: 0 1em }}
button {{ font: inherit; padding: .5em 1.5em; margin-right: 1em }}</style></head>
<body><h1>{title}</h1>{content}</body></html>
"""

_CHOICE = """<p>A sandbox shop asks for <strong>{amount}</strong>. No real money moves.</p>
<form method="post"><button name="decision" value="approve">Approve</button>
<button name="decision" value="deny">Deny</button></form>"""


def written_amount(amount: int, currency: str) -> str:
    """Write integer minor units with the decimals of the currency."""
    exponent = EXPONENTS[currency]
    if not exponent:
        return f"{amount:,} {currency}"
    whole, rest = divmod(amount, 10**exponent)
    return f"{whole:,}.{rest:0{exponent}d} {currency}"


def challenge_page(payment: Payment, status: str) -> bytes:
    """Ask the buyer, or say what was decided."""
    if status == "challenge":
        content = _CHOICE.format(amount=escape(written_amount(payment.amount, payment.currency)))
    else:
        content = f"<p>This payment is {escape(status)}. You can close this window.</p>"
    return _PAGE.format(title="Sandbox challenge", content=content).encode()
