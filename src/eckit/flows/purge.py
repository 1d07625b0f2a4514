"""What is kept only for a while and whose time is over is forgotten."""

import attrs

from eckit.kernel import answers, idempotency
from eckit.kernel.actors import Actor
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin


@attrs.frozen(kw_only=True)
class PurgeReport:
    """How much was forgotten.

    :ivar replies: idempotency keys whose reply is no longer kept.
    :ivar answers: answers of outside services that are no longer valid.
    """

    replies: int
    answers: int

    def __bool__(self) -> bool:
        return bool(self.replies or self.answers)


@again_if_moved
def purge(begin: Begin) -> PurgeReport:
    """Forget the replies of idempotency keys past their time, and what outside services answered past its validity.

    A key comes back as a new one then; a question is asked anew. Facts of orders are no part of this.
    """
    with begin.write(Actor.system("purge")) as work:
        return PurgeReport(replies=idempotency.purge(work.connection, work.now), answers=answers.purge(work))
