"""Write the pages of docs/reference from the code: ``python docs/generate.py``.

English docstrings are the source. A test fails when a page is stale; ``--check`` does the same from the command line.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:  # run as a program, the project's own folder is not on the path
    sys.path.insert(0, str(HERE.parent))

from docs.pages import commands, conformance, errors, events, facts, hooks, operations, settings, states  # noqa: E402

PAGES: Final[dict[str, Callable[[], str]]] = {
    "commands": commands.page,
    "errors": errors.page,
    "events": events.page,
    "hooks": hooks.page,
    "operations": operations.page,
    "payment-conformance": conformance.page,
    "settings": settings.page,
    "states": states.page,
    "facts": facts.page,
}


def file_of(name: str) -> Path:
    """Where a page is kept."""
    return HERE / "reference" / f"{name}.md"


def is_current(name: str) -> bool:
    """Whether a page says what the code says."""
    return file_of(name).is_file() and file_of(name).read_text(encoding="utf-8") == PAGES[name]()


def main(arguments: Sequence[str]) -> int:
    """Write what is stale, or with ``--check`` only name it."""
    check = "--check" in arguments
    found = []
    for name, page in PAGES.items():
        if is_current(name):
            continue
        found.append(name)
        if not check:
            file_of(name).parent.mkdir(exist_ok=True)
            file_of(name).write_text(page(), encoding="utf-8")
        sys.stdout.write(f"{'stale' if check else 'wrote'}: {file_of(name).name}\n")
    return 1 if found and check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
