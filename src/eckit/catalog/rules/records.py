"""The records of a CSV file, each with the line it starts on."""

import csv
import io
from collections.abc import Iterator
from typing import Final

from eckit.catalog.errors import FileTooLargeError
from eckit.catalog.model import RowProblem
from eckit.kernel.errors import InvalidInputError, Problem

MAX_BYTES: Final = 256 * 2**20
MAX_ROWS: Final = 1_000_000


def check_size(data: bytes) -> None:
    """Refuse a file that would not fit into memory comfortably.

    :raises FileTooLargeError: more than 256 MiB.
    """
    if len(data) > MAX_BYTES:
        raise FileTooLargeError(found=len(data), limit=MAX_BYTES)


class Records:
    """Reads records strictly; goes on after a broken one, so that all problems are found at once."""

    def __init__(self, text: str, delimiter: str, skip: int, problems: list[RowProblem]) -> None:
        self._reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        self._skip = skip
        self._problems = problems
        self.count = 0

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Line and cells of each record that is not empty.

        :raises FileTooLargeError: more than a million rows.
        """
        reader, skip = self._reader, self._skip
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self.count += 1
                self._problems.append(RowProblem(line=line, path="", code="csv-quoting", value=str(error)))
                continue
            if not any(cells):  # an empty line, or the empty rows that spreadsheets leave at the end
                continue
            if skip:
                skip -= 1
                continue
            self.count += 1
            if self.count > MAX_ROWS:
                raise FileTooLargeError(found=self.count, limit=MAX_ROWS)
            yield line, cells


def fits(line: int, cells: list[str], width: int, problems: list[RowProblem]) -> bool:
    """Whether a record has as many cells as there are columns; empty ones may follow."""
    if len(cells) == width or (len(cells) > width and not any(cells[width:])):
        return True
    problems.append(RowProblem(line=line, path="", code="cell-count", value=str(len(cells)), limit=str(width)))
    return False


def problems_at(line: int, error: InvalidInputError) -> list[RowProblem]:
    """An error of one cell as problems of its row."""
    return [_at(line, problem) for problem in error.problems]


def _at(line: int, problem: Problem) -> RowProblem:
    return RowProblem(
        line=line,
        path=problem.path,
        code=problem.code,
        value=problem.value,
        limit=problem.limit,
        suggestion=problem.suggestion,
    )
