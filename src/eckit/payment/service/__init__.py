"""Verbs of payment: load, ask, decide, save, announce. What moves money is a flow that calls these."""

from eckit.kernel import desk
from eckit.kernel.desk import verb
from eckit.kernel.hookspecs import declared
from eckit.payment import hooks
from eckit.payment.service.beginning import attempt, intend, order_payments
from eckit.payment.service.gateways import (
    capabilities,
    collect,
    fees,
    find_gateway,
    gateway_of,
    known_capabilities,
    methods,
    require_no_objection,
    timeout_of,
)
from eckit.payment.service.inbox import (
    MAX_BODY,
    LeasedNotice,
    claim,
    keep,
    lease_notices,
    misfit_of,
    postpone,
    quarantine,
    set_aside,
    was_used,
)
from eckit.payment.service.planning import (
    abandon,
    give_up,
    mark_sent,
    plan,
    plan_capture,
    plan_give_back,
)
from eckit.payment.service.reading import (
    close_task,
    find,
    for_order,
    in_doubt,
    notices,
    order_of,
    tasks,
)
from eckit.payment.service.settling import (
    AnyNews,
    Closing,
    Evidence,
    Silence,
    drop_unsendable,
    due,
    follow,
    learn,
    lease_operations,
    lease_reservations,
    sweep,
)

SPECS = declared(hooks, "payment")


class Desk(desk.Desk):
    """``work.payment``, for staff: how payments stand and what people have to do. Money moves by flows of the shop."""

    find = verb(find)
    for_order = verb(for_order)
    in_doubt = verb(in_doubt)
    tasks = verb(tasks)
    close_task = verb(close_task)
    notices = verb(notices)


__all__ = [
    "MAX_BODY",
    "SPECS",
    "AnyNews",
    "Closing",
    "Desk",
    "Evidence",
    "LeasedNotice",
    "Silence",
    "abandon",
    "attempt",
    "capabilities",
    "claim",
    "close_task",
    "collect",
    "drop_unsendable",
    "due",
    "fees",
    "find",
    "find_gateway",
    "follow",
    "for_order",
    "gateway_of",
    "give_up",
    "in_doubt",
    "intend",
    "keep",
    "known_capabilities",
    "learn",
    "lease_notices",
    "lease_operations",
    "lease_reservations",
    "mark_sent",
    "methods",
    "misfit_of",
    "notices",
    "order_of",
    "order_payments",
    "plan",
    "plan_capture",
    "plan_give_back",
    "postpone",
    "quarantine",
    "require_no_objection",
    "set_aside",
    "sweep",
    "tasks",
    "timeout_of",
    "was_used",
]
