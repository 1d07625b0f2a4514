"""I. Model: games of operations, faults, notices and restarts, that all have to end with the same books."""

from eckit.testing.payments.bench import Bench
from eckit.testing.payments.harness import NotApplicable
from eckit.testing.payments.registry import check


@check("I", slow=True)
def c70_games_end_with_the_same_books(bench: Bench) -> None:
    """Whatever happens in whatever order (operations, faults, notices, restarts, time): never more is captured than
    reserved or refunded than captured, nothing is left without an owner, and in the end the books are the same."""
    try:
        from eckit.testing.payments.machine import play
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        raise NotApplicable("hypothesis is not installed") from error
    play(bench, bench.games)
