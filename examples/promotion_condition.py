"""Only on certain days of the week: a promotion condition in one file.

Stored with a promotion as ``{"code": "weekday", "settings": {"days": ["tue"]}}``, and combined with any action.
"""

from zoneinfo import ZoneInfo

import attrs

import eckit

name, version, eckit_interface = "weekday", "1.0", {"promotion": 1}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@attrs.frozen(kw_only=True)
class WeekdaySettings:
    days: tuple[str, ...] = attrs.field(validator=attrs.validators.deep_iterable(attrs.validators.in_(DAYS)))
    zone: str = "Asia/Tokyo"


class Weekday:
    code = "weekday"
    settings = WeekdaySettings

    def keys(self, rule):  # what a cart must contain for the rule to be worth judging; "cart" is any cart
        return ("cart",)

    def judge(self, draft, rules):  # all rules of this kind at once, one verdict each
        lines = tuple(line.id for line in draft.lines)
        today = [DAYS[draft.at.astimezone(ZoneInfo(rule.zone)).weekday()] for rule in rules]
        return [eckit.Matched(met=day in rule.days, lines=lines) for day, rule in zip(today, rules, strict=True)]


@eckit.hookimpl
def register_promotion_conditions(settings):
    return (Weekday(),)
