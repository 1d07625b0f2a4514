"""Decides what people are told: mails about orders, payments and parcels, built from current state when they are sent.

At least once, with a stable id per event; no mail leaves for something that was not committed.
"""

from eckit.messages.errors import TemplateFailedError
from eckit.messages.model import Mail, MailState, MessageWish, Rendered, Template, Transport

__all__ = ["Mail", "MailState", "MessageWish", "Rendered", "Template", "TemplateFailedError", "Transport"]
