"""Tables and sentences a person likes to read."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from eckit.kernel.errors import EckitError, InvalidInputError
from eckit.kernel.text import strip_controls

console = Console(highlight=False)


def say(text: str = "", style: str | None = None) -> None:
    """A line of plain text; the terminal breaks it, so that a command in it can be copied."""
    console.print(escape(strip_controls(text)), style=style, soft_wrap=True)


def headline(text: str) -> None:
    """What comes next."""
    console.print()
    console.rule(f"[bold]{escape(text)}", align="left")


def grid(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, numbers: Iterable[int] = ()) -> None:
    """A table; ``numbers`` are the columns set flush right."""
    right = set(numbers)
    table = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    for position, column in enumerate(columns):
        table.add_column(column, justify="right" if position in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(strip_controls(str(cell))) for cell in row))
    console.print(table)


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Any]:
    """A progress bar; gives a function that takes how much is done."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )
    with bar:
        task = bar.add_task(escape(what), total=total)
        yield lambda done, of=None: bar.update(task, completed=done, total=of if of is not None else total)


def complain(error: EckitError, locale: str) -> None:
    """Say what went wrong, each problem on a line, on standard error."""
    stderr = Console(stderr=True, highlight=False)
    problems = getattr(error, "problems", ())
    if isinstance(error, InvalidInputError) or problems:
        lines = "\n".join(f"• {problem.text(locale)}" for problem in problems)
    else:
        lines = error.text(locale)
    stderr.print(Panel(escape(strip_controls(lines)), title=escape(error.code), border_style="red", title_align="left"))
    sys.stderr.flush()
