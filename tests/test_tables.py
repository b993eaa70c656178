"""Tables in CSV and XLSX files: what is written is read again as it was, and what is no table is refused."""

from __future__ import annotations

import contextlib
import csv
import io
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from portal import tables
from portal.pages.exports import write_for_editing
from portal.sheets import Refused

#: What people and programs type into cells, formulas first. No controls but those that are typed.
CELL = st.text(
    st.one_of(st.sampled_from("=+-@'\"; ,\t＝0123456789()/."), st.characters(exclude_categories=["Cs", "Cc"])),
    max_size=30,
)
#: Signs by which a spreadsheet begins a formula.
SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


@given(CELL)
def test_neutralised_texts_come_back(text: str) -> None:
    """Whatever the text is, also one that begins with an apostrophe itself."""
    assert tables.restored(tables.neutralised(text)) == text


@given(CELL)
def test_no_cell_begins_a_formula(text: str) -> None:
    """Neither the cell, nor what a spreadsheet that splits at ; or tabs makes of it; but for mere numbers."""
    for part in tables.neutralised(text).replace("\t", ";").split(";"):
        found = part.strip().lstrip('"').strip()
        assert not found.startswith(SIGNS) or found.lstrip("+-").strip("0123456789 ().,/-") == ""


@example([("=1", "'=1"), ("''+x", "'1")], "csv")
@example([("=1", "'=1"), ("''+x", "'1")], "xlsx")
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5), st.sampled_from(["csv", "xlsx"]))
def test_files_come_back_as_they_were_written(lines: list[tuple[str, str]], kind: str) -> None:
    """In both formats, read by us and by independent readers; cells without the space around them."""
    content = write_for_editing(kind, ["One", "Two"], lines)
    wanted = [{"One": one.strip(), "Two": two.strip()} for one, two in lines if one.strip() or two.strip()]
    if not wanted:
        with pytest.raises(Refused):
            tables.read_table(content, ["One", "Two"], max_rows=10)
        return
    assert [cells for _line, cells in tables.read_table(content, ["One", "Two"], max_rows=10).rows] == wanted
    if kind == "csv":
        assert len(list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))) == len(lines) + 1
    else:
        assert load_workbook(io.BytesIO(content)).active.max_row >= 1  # type: ignore[union-attr]


@given(st.dates())
def test_days_come_back(value: date) -> None:
    assert tables.day(tables.american(value)) == tables.day(value.isoformat()) == value


@given(st.decimals(min_value=0, max_value=10**15, places=2), st.booleans())
def test_amounts_come_back(value: Decimal, comma: bool) -> None:
    plain, grouped = f"{value:.2f}", f"{value:,.2f}"
    if comma:
        plain, grouped = (text.translate(str.maketrans(",.", ".,")) for text in (plain, grouped))
    assert tables.amount(plain, decimal_comma=comma) == tables.amount(grouped, decimal_comma=comma) == value


@pytest.mark.parametrize("cell", ["", "1.2.3", "1,23,4", "1e5", "NaN", "12 EUR", "1.005", "٣", "--1", "1" * 40])
def test_what_is_no_amount_is_refused(cell: str) -> None:
    with pytest.raises(tables.Unreadable):
        tables.amount(cell, decimal_comma=False)


def test_groups_are_told_from_decimals() -> None:
    """1.000 is a thousand where commas are decimal, and refused where it could be one or a thousand."""
    assert tables.amount("1.000", decimal_comma=True) == 1000
    assert tables.amount("1,000", decimal_comma=False) == 1000
    assert tables.amount("1.234.567,89", decimal_comma=False) == Decimal("1234567.89")
    with pytest.raises(tables.Unreadable):
        tables.amount("1.000", decimal_comma=False)


@pytest.mark.parametrize(
    "cell", ["30.11.2026", "13/01/2026", "2026-13-01", "11/30/26", "0/1/2026", "tomorrow", "45000"]
)
def test_what_is_no_day_is_refused(cell: str) -> None:
    """An order that could be read otherwise is never guessed."""
    with pytest.raises(tables.Unreadable):
        tables.day(cell)


@given(st.lists(CELL, max_size=6))
def test_parts_of_a_cell_come_back(parts: list[str]) -> None:
    parts = [" ".join(part.split()) for part in parts]
    if parts not in ([], [""]):
        assert tables.parts(tables.joined(parts)) == parts


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for prefix in (b"", b"One\n", b"PK\x03\x04"):
        with contextlib.suppress(Refused):
            assert tables.read_table(prefix + content, ["One"], max_rows=5).rows


def _archive(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/") + ".xml", content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (_archive(bomb=b"0" * (tables.MAX_UNPACKED_BYTES + 1)), "file_too_large_unpacked"),
        (_archive(**{f"part{n}": b"x" for n in range(tables.MAX_PARTS + 1)}), "file_too_large_unpacked"),
        (_archive(xl__workbook=b'<!DOCTYPE x [<!ENTITY a "b">]><x/>'), "unreadable_xlsx"),
        (_archive(xl__workbook=b"<workbook/>"), "unreadable_xlsx"),
        (b"0" * (tables.MAX_BYTES + 1), "file_too_large"),
    ],
)
def test_bombs_are_refused(content: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        tables.read_table(content, ["One"], max_rows=5)
    assert [error.blocker.code for error in refused.value.errors] == [code]


def test_cells_of_spreadsheets() -> None:
    """Numbers without an exponent or a needless point, real days, answers; of formulas what they came to."""
    book, out = Workbook(), io.BytesIO()
    assert book.active is not None
    book.active.append(["One"])
    for value in (40.0, 0.1, 1e15, True, date(2026, 11, 30), "=1+1", "a_x000D_b"):
        book.active.append([value])
    book.save(out)
    rows = tables.read_table(out.getvalue(), ["one"], max_rows=20).rows
    assert [cells["one"] for _line, cells in rows] == ["40", "0.1", "1000000000000000", "Yes", "2026-11-30", "a\rb"]


def test_rows_are_counted_as_spreadsheets_do() -> None:
    """The header is row 1, empty rows count, and a cell of several lines is one row."""
    table = tables.read_table(b'sep=;\r\nOne;Two\r\n"a\nb";1\r\n;\r\nc;2\r\n', ["One"], max_rows=5)
    assert [(line, cells["One"]) for line, cells in table.rows] == [(2, "a\nb"), (4, "c")]
    assert table.unknown == ["Two"]
