"""reference/payment-conformance.md: the checks a payment method has to pass."""

from collections.abc import Iterator

from docs.pages.writing import NOTE, escaped, prose, signature, table
from eckit.testing.payments import GROUPS, Games, Harness, all_checks


def page() -> str:
    """The page."""
    return NOTE + "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    checks = list(all_checks())
    yield "# Payment conformance\n"
    yield (
        f"The kit `eckit.testing.payments` runs {len(checks)} checks on a gateway and its provider's fake or sandbox, "
        "in a real shop on a real database, with the network failing between the two. Each ends with one comparison: "
        "eckit's movements are the provider's ledger, movement by movement, or the payment is marked as in doubt "
        "or as needing a person. [How to run it](../how-to/write-a-payment-method.md#check-it).\n"
    )
    for letter, title in GROUPS.items():
        yield f"## {letter}. {title}\n"
        rows = [
            (f"`{check.id}`", _words(check.name), escaped(check.rule) + (" *(slow)*" if check.slow else ""))
            for check in checks
            if check.group == letter
        ]
        yield table(("check", "", "rule"), rows) + "\n"
    yield "## The games of C70\n"
    yield prose(Games.__doc__ or "") + "\n"
    yield "## The harness\n"
    yield (
        "What the author of a gateway writes, as a subclass of `eckit.testing.payments.Harness`. What is marked "
        "abstract must be there; of the rest, a check that needs it says that it is not applicable.\n"
    )
    for name, method in vars(Harness).items():
        if not name.startswith("_") and callable(method):
            abstract = " (abstract)" if name in Harness.__abstractmethods__ else ""
            yield f"### {name}{abstract}\n"
            yield f"```text\n{signature(method, without=('self',), name=name)}\n```\n"
            yield prose(method.__doc__ or "") + "\n"


def _words(name: str) -> str:
    return name.partition("_")[2].replace("_", " ")
