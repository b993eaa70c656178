"""The rows of a list as HTML, put together from values (REF-20): a page has hundreds of cells, so nothing is said twice
in a row, and no template is rendered for one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape  # Django's asks of each text whether it is lazy
from typing import Any

from django.utils.safestring import SafeString

from portal.ui.listing.columns import Column
from portal.ui.listing.lists import Listing
from portal.workflow import text

_WORD = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True)
class Cell:
    """What a cell shows. `title`: what is read when the pointer rests on it, unless that is what is shown (list.js);
    `css`: a class besides the column's."""

    shown: str
    title: str = ""
    css: str = ""


#: A cell, a text, or nothing.
Shown = Cell | str | None


def money(amount: Decimal | None, currency: str, usd: Decimal | None = None) -> Shown:
    """The amount, its currency set apart; its title says what it is in USD, where rules use that."""
    if amount is None:
        return None
    dollars = f"≈ {text.money(usd, 'USD')}" if usd is not None and currency != "USD" else ""
    return Cell(SafeString(f"{text.amount(amount)} <i>{escape(currency)}</i>"), dollars)


def several(names: Sequence[str]) -> Shown:
    """The first of the names, and how many more there are."""
    if len(names) < 2:
        return names[0] if names else None
    return Cell(f"{names[0]} +{len(names) - 1}", ", ".join(names))


def row(listing: Listing, item: Any, shown: Sequence[Column], address: str) -> SafeString:
    """A row of the table: the box that ticks it, its link, its cells."""
    title, *others = shown
    name, link = str(listing.cells[title.code](item)), listing.link(item, address)
    cells = [
        f'<td><input type=checkbox name="row" value={listing.record(item).public_id} form=picked'
        f"{_attr('aria-label', name)}>{listing.lead(item)}</td>",
        f"<td><a class=o-rowlink{_attr('href', link)}>{escape(name)}</a></td>",
    ]
    cells += [_cell(column, listing.cells[column.code](item)) for column in others]
    return SafeString(f"<tr>{''.join(cells)}</tr>")


def _cell(column: Column, found: Shown) -> str:
    cell = found if isinstance(found, Cell) else Cell(found or "")
    css = " ".join(filter(None, (column.css, cell.css)))
    label = text.phrase(column.label) if column.is_named and cell.shown else ""
    attrs = f"{_attr('class', css)}{_attr('data-label', label)}{_attr('title', cell.title)}"
    shown = cell.shown if isinstance(cell.shown, SafeString) else escape(cell.shown)
    return f"<td{attrs}>{shown}</td>"


def _attr(name: str, value: str) -> str:
    """What is one word needs no quotes: in a page of rows they weigh a kilobyte."""
    if not value:
        return ""
    return f" {name}={value}" if _WORD.fullmatch(value) else f' {name}="{escape(value)}"'
