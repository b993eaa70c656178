"""The customer directory's decisions (REF-5): folding names, what a valid entry is, reading a file of customers."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from portal.accounts.countries import COUNTRIES
from portal.accounts.countries import country_choices as country_choices
from portal.folding import fold as fold
from portal.workflow.blockers import Blocker, Param, _

# Names as they are searched

#: Longer names are compared by this much, so that an index entry always fits its page.
SEARCH_TEXT_LENGTH = 200


def search_text(name: str) -> str:
    """What a typed beginning of the name is compared with (REF-5)."""
    return fold(name)[:SEARCH_TEXT_LENGTH]


# Entries

#: Text fields and their longest values, in characters.
LENGTHS = {
    "name": 200,
    "country": 2,
    "city": 100,
    "state": 100,
    "postal_code": 20,
    "address_line1": 200,
    "address_line2": 200,
    "duns": 9,
}
#: Which entity an entry is, beside its name.
IDENTITY = ("country", "duns")
LONGEST_KEY = 200
LONGEST_SOURCE = 60
DUNS_LENGTH = 9

_YES = frozenset({"1", "yes", "y", "true", "t", "evet", "managed"})
_NO = frozenset({"", "0", "no", "n", "false", "f", "hayir", "unmanaged"})

KNOWN = Blocker("known", _("The directory has this customer already."), rule="REF-5", field="name")


def same_named(name: str, place: str) -> Blocker:
    """What is asked about another entry of the same name in the country (REF-5)."""
    message = _(
        "The directory has “%(name)s” in this country already: %(place)s. If this is another company, confirm below "
        "that both are meant."
    )
    return Blocker("customer_known", message, "REF-5", "name", {"name": name, "place": place})


def settled_blockers(settled: int, changed: Iterable[str]) -> Iterator[Blocker]:
    """What says which entity an entry is stays, once something was decided or issued about it (REF-5, FLOW-7)."""
    message = _(
        "It stays: registrations were decided or invoices issued about this customer in this country, under this "
        "D-U-N-S number (%(count)s in all). If it is another company, add that one."
    )
    for name in changed:
        if settled and name in IDENTITY:
            yield Blocker("customer_settled", message, "REF-5", name, {"count": settled})


NOT_MERGEABLE = Blocker(
    "not_mergeable",
    _("Only what a company named is merged, as long as nobody confirmed it, and only into an entry of the directory."),
    rule="REF-5",
    field="into",
)


def tidy(value: str) -> str:
    """One line without surplus space, nor the control characters that count as space (among them SEPARATOR)."""
    return " ".join(value.split())


def tidy_duns(value: str) -> str:
    """A D-U-N-S number as digits only: 12-345-6789 is 123456789."""
    return value.replace("-", "").replace(" ", "")


def tidied(**values: str) -> dict[str, str]:
    """An entry's text fields as they are stored; those not given are empty."""
    tidy_values = {name: tidy(values.get(name, "")) for name in LENGTHS}
    return {**tidy_values, "country": tidy_values["country"].upper(), "duns": tidy_duns(tidy_values["duns"])}


def entry_blockers(values: Mapping[str, str]) -> list[Blocker]:
    """Everything that keeps these (tidied) values from being a directory entry (REF-5)."""
    blockers = []
    if not values["name"]:
        blockers.append(_blocker("name_missing", _("The name is missing."), "name"))
    if not values["country"]:
        blockers.append(_blocker("country_missing", _("The country is missing."), "country"))
    elif values["country"] not in COUNTRIES:
        message = _("“%(value)s” is not a country's two-letter code.")
        blockers.append(_blocker("country_unknown", message, "country", value=values["country"][:20]))
    duns = values["duns"]
    if duns and not (len(duns) == DUNS_LENGTH and duns.isascii() and duns.isdigit()):
        message = _("“%(value)s” is not a D-U-N-S number of nine digits.")
        blockers.append(_blocker("duns_invalid", message, "duns", value=duns[:20]))
    for name, longest in LENGTHS.items():
        if len(values[name]) > longest and name not in ("country", "duns"):
            blockers.append(_too_long(name, longest))
    return blockers + text_blockers("".join(values.values()))


def text_blockers(text: str) -> list[Blocker]:
    """What makes a text unstorable: bytes that were not in the file's encoding, and NUL."""
    if "\0" in text:
        return [_blocker("control_character", _("The text holds a NUL character."))]
    try:
        text.encode()
    except UnicodeEncodeError:
        return [_blocker("encoding", _("The text is not in the encoding of the file."))]
    return []


def _too_long(name: str, longest: int) -> Blocker:
    message = _("%(field)s is longer than %(longest)s characters.")
    return _blocker("too_long", message, name, field=name, longest=longest)


def _blocker(code: str, message: str, name: str = "", **params: Param) -> Blocker:
    return Blocker(code, message, rule="REF-5", field=name, params=params)


def same_entity(given: Mapping[str, str], held: Mapping[str, str]) -> bool:
    """Whether an entry of this name and country fits what else is given: a city, an address, a D-U-N-S number."""
    if given["duns"] and held["duns"] and given["duns"] != held["duns"]:
        return False
    given_address, held_address = (f"{one['address_line1']} {one['address_line2']}" for one in (given, held))
    pairs = [(given["city"], held["city"]), (given_address, held_address)]
    return all(fold(said) in ("", fold(known)) for said, known in pairs)


def import_key(values: Mapping[str, str], *, key: str = "", source: str = "", folded_name: str | None = None) -> str:
    """What tells an entry from every other: D-U-N-S number, else the source's own key, else name and address, folded.

    The last is hashed: four long texts don't fit an index entry.
    """
    if values["duns"]:
        return f"duns:{values['duns']}"
    if key:
        return f"key:{source}:{key}"
    address = fold(f"{values['address_line1']} {values['address_line2']}")
    name = fold(values["name"]) if folded_name is None else folded_name
    whole = SEPARATOR.join((name, values["country"], fold(values["city"]), address))
    return f"name:{blake2b(whole.encode(), digest_size=16).hexdigest()}"


# A file of customers


#: Stands in no tidied text, so a column of them can be sent as one.
SEPARATOR = "\x1f"


class CustomerRow(NamedTuple):
    """One entry as it is written, by column."""

    import_key: str
    name: str
    search_text: str
    country: str
    city: str
    state: str
    postal_code: str
    address_line1: str
    address_line2: str
    duns: str
    managed: bool


@dataclass(frozen=True)
class RowProblem:
    """A skipped row: the line of the file it begins on, and everything that is wrong with it."""

    line: int
    blockers: tuple[Blocker, ...]


class WrongColumns(ValueError):
    """The options name a field or a column that doesn't exist, or no column gives the name or the country."""

    def __init__(self, message: str, **params: Param) -> None:
        self.blocker = Blocker("columns_unclear", message, "REF-5", "file", params)
        super().__init__(message % params)


@dataclass(frozen=True)
class Columns:
    """How a file's columns are read.

    `mapping`: our field (or `key`) to the file's column; columns that bear a field's own name need no entry.
    `defaults`: what an empty or missing cell of a field means. `source`: whose keys the `key` column holds.
    """

    mapping: Mapping[str, str] = dataclasses.field(default_factory=dict)
    defaults: Mapping[str, str] = dataclasses.field(default_factory=dict)
    source: str = ""
    delimiter: str = ","


@dataclass(frozen=True)
class CustomerFile:
    """A file being read: which fields it speaks of (the others are left as they are), its rows as they come, and on
    which line each key that came begins."""

    fields: frozenset[str]
    rows: Iterator[CustomerRow | RowProblem]
    lines: Mapping[str, int]


FIELDS = (*LENGTHS, "managed")


def open_file(lines: Iterable[str], columns: Columns) -> CustomerFile:
    """Start reading. Undecodable bytes must come as lone surrogates (errors="surrogateescape").

    Raises WrongColumns before any row is read.
    """
    reader = csv.reader(lines, delimiter=columns.delimiter)
    try:
        header = [tidy(cell) for cell in next(reader, [])]
    except csv.Error as error:
        raise WrongColumns(_("Not readable as CSV: %(error)s"), error=str(error)) from error
    places = _places(header, columns)
    fields = frozenset(places) | frozenset(columns.defaults)
    for needed in ("name", "country"):
        if needed not in fields:
            raise WrongColumns(
                _("No column gives the %(needed)s; the file has: %(has)s"), needed=needed, has=_has(header)
            )
    seen: dict[str, int] = {}
    return CustomerFile(fields - {"key"}, _rows(reader, _cleaner(places, columns), len(header), seen), seen)


def _places(header: Sequence[str], columns: Columns) -> dict[str, int]:
    """Where each field stands in a row."""
    if unknown := (set(columns.mapping) - {*FIELDS, "key"}) | (set(columns.defaults) - set(FIELDS)):
        known = ", ".join(FIELDS)
        raise WrongColumns(
            _("Not a field: %(given)s; the fields are %(known)s, key"), given=", ".join(sorted(unknown)), known=known
        )
    mapping = {name: tidy(column) for name, column in columns.mapping.items()}
    wanted = {name: name for name in FIELDS if name in header} | mapping
    if missing := sorted(set(wanted.values()) - set(header)):
        raise WrongColumns(
            _("Not a column: %(given)s; the file has: %(has)s"), given=", ".join(missing), has=_has(header)
        )
    if "key" in wanted and not 0 < len(tidy(columns.source)) <= LONGEST_SOURCE:
        message = _("A key column needs the name of its source, at most %(longest)s characters.")
        raise WrongColumns(message, longest=LONGEST_SOURCE)
    return {name: header.index(column) for name, column in wanted.items()}


def _has(header: Sequence[str]) -> str:
    return ", ".join(header)[:200] or "–"


Cleaner = Callable[[Sequence[str]], "CustomerRow | list[Blocker]"]


def _cleaner(places: Mapping[str, int], columns: Columns) -> Cleaner:
    """A function that makes an entry, or the list of what is wrong with it, of a row's cells."""
    empty = {name: tidy(columns.defaults.get(name, "")) for name in FIELDS}
    taken = [(name, place, empty.get(name, "")) for name, place in places.items()]
    source = tidy(columns.source)

    def clean(cells: Sequence[str]) -> CustomerRow | list[Blocker]:
        values = {**empty, "key": ""}
        for name, place, default in taken:
            values[name] = " ".join(cells[place].split()) or default
        values["country"] = values["country"].upper()
        if values["duns"]:
            values["duns"] = tidy_duns(values["duns"])
        return _entry(values, values.pop("key"), fold(values.pop("managed")), source)

    return clean


def _entry(values: Mapping[str, str], key: str, managed: str, source: str) -> CustomerRow | list[Blocker]:
    blockers = entry_blockers(values)
    if managed not in _YES and managed not in _NO:
        message = _("“%(value)s” is neither yes nor no.")
        blockers.append(_blocker("managed_unclear", message, "managed", value=managed[:20]))
    if len(key) > LONGEST_KEY:
        blockers.append(_too_long("key", LONGEST_KEY))
    if key:
        blockers += text_blockers(key)
    if blockers:
        return blockers
    folded = fold(values["name"])
    identity = import_key(values, key=key, source=source, folded_name=folded)
    return CustomerRow(identity, search_text=folded[:SEARCH_TEXT_LENGTH], managed=managed in _YES, **values)


def _wrong_width(found: int, expected: int) -> Blocker:
    message = _("The row has %(found)s columns instead of %(expected)s.")
    return _blocker("columns", message, found=found, expected=expected)


def _rows(
    reader: Iterator[Sequence[str]], clean: Cleaner, width: int, seen: dict[str, int]
) -> Iterator[CustomerRow | RowProblem]:
    """Every entry of the file once, and every row that isn't one.

    An entry that stands in the file twice counts where it stands first; otherwise repeating the import would swing
    between the two. Remembering the keys in `seen`, with their lines, costs some 180 bytes a row.
    """
    while True:
        line: int = reader.line_num + 1  # type: ignore[attr-defined]
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            message = _("Not readable as CSV: %(error)s")
            yield RowProblem(line, (_blocker("unreadable", message, error=str(error)),))
            continue
        if not any(cells):
            continue
        if len(cells) < width or any(cells[width:]):
            yield RowProblem(line, (_wrong_width(len(cells), width),))
            continue
        row = clean(cells)
        if isinstance(row, list):
            yield RowProblem(line, tuple(row))
        elif row.import_key in seen:
            message = _("The same customer is on an earlier line, too.")
            yield RowProblem(line, (_blocker("repeated", message),))
        else:
            seen[row.import_key] = line
            yield row
