"""Files as spreadsheets write them, read so that everything that is wrong with one is told at its line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portal.workflow.blockers import Blocker, Param, _


@dataclass(frozen=True)
class LineError:
    """What is wrong with one line of an uploaded file."""

    line: int
    blocker: Blocker


class Refused(ValueError):
    """An uploaded file has errors, all of them here by line; nothing of it was written."""

    def __init__(self, errors: Sequence[LineError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{e.line}: {e.blocker.code}" for e in errors))


@dataclass(frozen=True)
class Sheet:
    """The lines that have as many cells as there are columns, with their numbers, and what is wrong with the others."""

    lines: Sequence[tuple[int, Sequence[str]]] = ()
    errors: Sequence[LineError] = ()
    decimal_comma: bool = False

    def number(self, cell: str) -> str:
        """A cell's number with a decimal point."""
        return cell.replace(",", ".") if self.decimal_comma else cell


def decode_sheet(content: bytes, *, rule: str) -> str:
    """UTF-8 with or without its mark; without NUL characters, which UTF-16 is full of. Raises Refused."""
    try:
        if (nul := content.find(b"\0")) >= 0:
            raise UnicodeDecodeError("utf-8", content, nul, nul + 1, "NUL")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise Refused([_line_error(line, "encoding", _("This line is not UTF-8."), rule=rule)]) from error


def read_sheet(text: str, columns: Sequence[str], *, rule: str) -> Sheet:
    """The file's cells, without the space around them; empty lines are left out.

    Commas, or semicolons with decimal commas as spreadsheets write them in Turkish and German.
    """
    delimiter = ";" if ";" in text.split("\n", 1)[0] else ","
    reader = csv.reader(text.splitlines(), delimiter=delimiter)
    try:
        header = tuple(cell.strip().lower() for cell in next(reader, []))
        if header != tuple(columns):
            message = _("The first line must name the columns: %(columns)s.")
            return Sheet(errors=[_line_error(1, "header", message, rule=rule, columns=",".join(columns))])
        found = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:  # a cell of more than 131,072 characters
        message = _("Not readable as CSV: %(error)s")
        return Sheet(errors=[_line_error(reader.line_num, "unreadable", message, rule=rule, error=str(error))])
    filled = [(line, cells) for line, cells in found if any(cells)]
    lines = [(line, cells) for line, cells in filled if len(cells) == len(columns)]
    return Sheet(lines, list(_widths(filled, len(columns), rule)), decimal_comma=delimiter == ";")


def _widths(lines: Sequence[tuple[int, Sequence[str]]], expected: int, rule: str) -> Iterator[LineError]:
    message = _("The line needs %(expected)s values and has %(found)s.")
    for line, cells in lines:
        if len(cells) != expected:
            yield _line_error(line, "columns", message, rule=rule, expected=expected, found=len(cells))


def _line_error(line: int, code: str, message: str, *, rule: str, **params: Param) -> LineError:
    return LineError(line, Blocker(code, message, rule=rule, params=params))
