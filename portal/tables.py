"""Tables in CSV and XLSX files of any size and origin, read as text with limits, and the cells that people type there.

What a spreadsheet would take for a formula is neutralised when a file is written, and restored when it is read.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TypeVar

from portal.sheets import LineError, Refused
from portal.workflow.blockers import Blocker, Param, _

#: The rule of lists and their files.
RULE = "REF-20"
#: Bytes of a file: a thousand rows with fifty people and fifty solutions each.
MAX_BYTES = 10_000_000
#: Bytes that the parts of an XLSX file may come to when they are unpacked.
MAX_UNPACKED_BYTES = 100_000_000
MAX_PARTS = 200
MAX_COLUMNS = 300
#: What a cell of a spreadsheet holds.
MAX_CELL = 32_767
#: Rows that hold nothing count for nothing; a sheet with so many isn't one that a person filled in.
MAX_EMPTY_ROWS = 20_000
_ZIP = b"PK\x03\x04"

T = TypeVar("T")

# Formulas

#: A sign that a spreadsheet takes for the beginning of a formula, where a cell may begin: at the front, and behind a
#: semicolon, a tab or a line's end, for a spreadsheet whose separator that is (;, in most of Europe) splits there,
#: whatever is quoted. Spaces and quotes before it don't help. Mere numbers, also phone numbers, are none.
_BEGIN = r"""((?:^|[;\t\r\n])[\s"]*)"""
_SIGN = r"[=@+\-\uff1d\uff20\uff0b\uff0d]"
_NUMBER = r"'*[+-][\d ().,/-]*(?:[;\t\r\n]|$)"
_FORMULA = re.compile(rf"{_BEGIN}(?={_SIGN})(?!{_NUMBER})")
_READ_AS_ONE = re.compile(rf"{_BEGIN}(?='*{_SIGN})(?!{_NUMBER})")
_NEUTRALISED = re.compile(rf"{_BEGIN}'(?='*{_SIGN})(?!{_NUMBER})")


def harmless(text: str) -> str:
    """The text with an apostrophe before whatever could be a formula; for files that are only read."""
    return _FORMULA.sub(r"\1'", text)


def neutralised(text: str) -> str:
    """The same for files that come back: with one before what restored() would take for such an apostrophe, too."""
    return _READ_AS_ONE.sub(r"\1'", text)


def restored(text: str) -> str:
    """What the text was before it was neutralised."""
    return _NEUTRALISED.sub(r"\1", text)


# Files


@dataclass(frozen=True)
class Table:
    """The rows of a file, each with its number in the spreadsheet (the header is row 1), cells by column.

    `unknown`: the columns of the file that nobody knows. `decimal_comma`: whether amounts in it are written so.
    """

    columns: Sequence[str]
    rows: Sequence[tuple[int, Mapping[str, str]]]
    unknown: Sequence[str] = ()
    decimal_comma: bool = False


def read_table(content: bytes, known: Iterable[str], *, max_rows: int) -> Table:
    """The file's table, read by its `known` columns, whatever their case. Raises Refused.

    CSV with commas, semicolons or tabs in UTF-8, UTF-16 or Windows-1254; or the first sheet of an XLSX file.
    """
    if len(content) > MAX_BYTES:
        message = _("The file is larger than %(limit)s MB; upload it in parts.")
        raise _refused("file_too_large", message, limit=MAX_BYTES // 1_000_000)
    comma = False
    if content.startswith(_ZIP):
        lines = _limited(_xlsx_lines(content), max_rows)
    else:
        text = _decoded(content)
        delimiter, text = _delimiter(text)
        comma = delimiter == ";"
        lines = _limited(_csv_lines(text, delimiter), max_rows)
    return _table(lines, known, decimal_comma=comma)


def _table(lines: Sequence[tuple[int, Sequence[str]]], known: Iterable[str], *, decimal_comma: bool) -> Table:
    if not lines:
        raise _refused("file_empty", _("There is nothing in the file."))
    (number, header), *body = lines
    by_name = {_folded(name): name for name in known}
    names = [by_name.get(_folded(cell)) for cell in header]
    found = [name for name in names if name]
    if twice := sorted({name for name in found if found.count(name) > 1}):
        message = _("The column “%(column)s” is there more than once.")
        raise Refused([_error(number, "column_twice", message, column=name) for name in twice])
    if not found:
        raise _refused("no_known_column", _("The first line names none of the columns; download a file to see them."))
    empty = dict.fromkeys(found, "")
    filled = []
    for line, cells in body:
        given = {name: restored(cell) for name, cell in zip(names, cells, strict=False) if name}
        if any(given.values()):
            filled.append((line, empty | given))
    if not filled:
        raise _refused("file_empty", _("There is nothing in the file."))
    unknown = [cell[:100] for cell, name in zip(header, names, strict=True) if cell and not name]
    return Table(found, filled, unknown, decimal_comma)


def _limited(lines: Iterable[tuple[int, Sequence[str]]], max_rows: int) -> list[tuple[int, Sequence[str]]]:
    """The lines that hold something. Raises Refused if there are too many, or if one is too wide or holds too much."""
    kept: list[tuple[int, Sequence[str]]] = []
    for number, cells in lines:
        if any(cells):
            kept.append((number, cells))
            if len(cells) > MAX_COLUMNS and any(cells[MAX_COLUMNS:]):
                message = _("A file may have %(limit)s columns at most.")
                raise Refused([_error(number, "too_many_columns", message, limit=MAX_COLUMNS)])
            if any(len(cell) > MAX_CELL for cell in cells):
                message = _("A cell may hold %(limit)s characters at most.")
                raise Refused([_error(number, "cell_too_long", message, limit=MAX_CELL)])
            if any("\0" in cell for cell in cells):
                raise Refused([_error(number, "control_character", _("The line holds a NUL character."))])
        if len(kept) > max_rows + 1 or number - len(kept) > MAX_EMPTY_ROWS:
            message = _("A file may have %(limit)s rows at most; upload it in parts.")
            raise _refused("too_many_rows", message, limit=max_rows)
    return kept


def _decoded(content: bytes) -> str:
    """UTF-8 and UTF-16 with their marks, UTF-8 without, else what spreadsheets in Turkey write."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\0" in content[:200]:
        encodings = ["utf-16-le" if content[1:2] == b"\0" else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1254"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _refused("encoding", _("The file's characters can't be read; save it as CSV UTF-8, or as XLSX."))


def _delimiter(text: str) -> tuple[str, str]:
    """What separates the cells, told by the first line, and the text; without the line by which Excel names it."""
    first, _end, rest = text.partition("\n")
    if named := re.fullmatch(r'"?sep=([;,\t])"?\s*', first, re.IGNORECASE):
        return named[1], rest
    bare = re.sub(r'"[^"]*"', "", first)
    return max((",", ";", "\t"), key=bare.count), text


def _csv_lines(text: str, delimiter: str) -> Iterator[tuple[int, Sequence[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, cells in enumerate(reader, 1):
            yield number, [cell.strip() for cell in cells]
    except csv.Error as error:  # also a cell of more than 131,072 characters
        message = _("Not readable as CSV: %(error)s")
        raise Refused([_error(reader.line_num, "unreadable", message, error=str(error))]) from error


def _xlsx_lines(content: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows of the first sheet; of a formula what it came to when the file was saved."""
    _check_parts(content)
    from openpyxl.reader.excel import load_workbook  # takes a while, and most processes read no file

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it leaves out: styles, validations
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what a file says of its size may be wrong
            for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
                yield number, [_text(cell) for cell in cells]
    except Exception as error:  # a broken file raises whatever the parsers under openpyxl raise
        raise _refused("unreadable_xlsx", _("The file can't be read as XLSX; save it again, or as CSV.")) from error


def _check_parts(content: bytes) -> None:
    """A small file may unpack to anything, and its XML may define entities: neither is what spreadsheets write.

    A part is unpacked no further than to the size that the archive declares, so that sum is a limit. Raises Refused.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            too_large = len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES
            heads = [] if too_large else [archive.open(part).read(1_000) for part in parts if not part.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise _refused("unreadable_xlsx", _("The file can't be read as XLSX; save it again, or as CSV.")) from error
    if too_large:
        raise _refused("file_too_large_unpacked", _("The file is too large when it is unpacked."))
    if any(b"<!DOCTYPE" in head or b"<!ENTITY" in head for head in heads):
        raise _refused("unreadable_xlsx", _("The file can't be read as XLSX; save it again, or as CSV."))


def _text(cell: object) -> str:
    """A cell of a spreadsheet as it would stand in a CSV file; days without a zone, so that none shifts."""
    match cell:
        case None:
            return ""
        case bool():
            return "Yes" if cell else "No"
        case datetime():
            return cell.date().isoformat()
        case date() | time():
            return cell.isoformat()
        case float():
            exact = Decimal(repr(cell))
            return format(exact.to_integral_value() if exact == exact.to_integral_value() else exact, "f")
    return _UNDERSCORED.sub(lambda found: chr(int(found[1], 16)), str(cell)).strip()


#: How XLSX writes characters that XML can't hold.
_UNDERSCORED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _refused(code: str, message: str, **params: Param) -> Refused:
    return Refused([_error(1, code, message, **params)])


def _error(line: int, code: str, message: str, **params: Param) -> LineError:
    return LineError(line, Blocker(code, message, RULE, params=params))


# Cells


class Unreadable(ValueError):
    """A cell holds something else than its column takes; the blocker says what it takes."""

    def __init__(self, blocker: Blocker) -> None:
        self.blocker = blocker
        super().__init__(blocker.code)


#: So much of what was typed is said again.
MAX_QUOTED = 100
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


def day(cell: str) -> date:
    """MM/DD/YYYY or YYYY-MM-DD: a calendar day, and nobody's instant. Raises Unreadable.

    Other orders are refused: 02/11 and 02.11 would be read as different days without anybody noticing.
    """
    try:
        if found := _AMERICAN.fullmatch(cell):
            return date(int(found[3]), int(found[1]), int(found[2]))
        if found := _ISO.fullmatch(cell):
            return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        pass
    message = _("“%(value)s” is no day: write MM/DD/YYYY, as 11/30/2026, or 2026-11-30.")
    raise _unreadable("day_unreadable", message, cell)


def american(value: date | None) -> str:
    """A day as the files write it."""
    return f"{value.month:02}/{value.day:02}/{value.year:04}" if value else ""


_GROUPED = {
    True: re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?"),
    False: re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?"),
}


def amount(cell: str, *, decimal_comma: bool) -> Decimal:
    """An amount with two decimals at most, digits grouped or not. Raises Unreadable."""
    typed = "".join(cell.split())
    if _GROUPED[decimal_comma].fullmatch(typed):
        typed = typed.replace("." if decimal_comma else ",", "")
    elif _GROUPED[not decimal_comma].fullmatch(typed) and (typed.count(",") + typed.count(".")) > 1:
        typed = typed.replace("," if decimal_comma else ".", "")
    typed = typed.replace(",", ".")
    if re.fullmatch(r"[+-]?\d{1,30}(\.\d{1,2})?", typed, re.ASCII):
        return Decimal(typed)
    message = _("“%(value)s” is not an amount with two decimals at most, as 40000.50.")
    raise _unreadable("amount_not_read", message, cell)


def yes_no(cell: str) -> bool:
    """Raises Unreadable."""
    return choice(cell, {"yes": True, "no": False, "y": True, "n": False, "true": True, "false": False}, "Yes, No")


def choice(cell: str, meanings: Mapping[str, T], allowed: str) -> T:
    """What the cell means, whatever its case; `allowed` says what it may hold. Raises Unreadable."""
    folded = _folded(cell)
    if folded in meanings:
        return meanings[folded]
    message = _("“%(value)s” is not one of: %(allowed)s.")
    raise _unreadable("choice_unknown", message, cell, allowed=allowed)


def parts(cell: str) -> list[str]:
    """What stands in one cell between commas; a part that holds a comma itself stands in quotes."""
    try:
        found = next(csv.reader([cell], skipinitialspace=True), [])
    except csv.Error:
        found = cell.split(",")
    return [part.strip() for part in found]


def joined(parts: Sequence[str]) -> str:
    """The parts in one cell, as parts() reads them."""
    quoted = ('"' + part.replace('"', '""') + '"' if {",", '"'} & set(part) else part for part in parts)
    return ", ".join(quoted)


def _unreadable(code: str, message: str, cell: str, **params: Param) -> Unreadable:
    return Unreadable(Blocker(code, message, RULE, params={"value": cell[:MAX_QUOTED], **params}))


# Files that are written


def csv_file(columns: Sequence[str], lines: Iterable[Sequence[object]]) -> bytes:
    """With the mark by which spreadsheets know UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow([_plain(head) for head in columns])
    writer.writerows([_plain(cell) for cell in line] for line in lines)
    return out.getvalue().encode("utf-8-sig")


def _plain(cell: object) -> str:
    match cell:
        case None:
            return ""
        case datetime():
            return cell.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
        case str():
            return harmless(cell)
    return str(cell)
