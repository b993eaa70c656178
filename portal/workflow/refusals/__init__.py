"""The reference of refusals and reasons: which rule each code belongs to, its texts, and what to do next.

`manage.py write_refusals` reads the codes out of the source, into docs/refusals.md and the catalogue that the page
/help/refusals/ shows in the reader's language.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

from django.utils.translation import gettext, override

from portal.workflow.refusals.collect import BASE, Found
from portal.workflow.refusals.next_steps import NEXT

CATALOGUE = Path(__file__).with_name("catalogue.json")
DOCUMENT = BASE / "docs/refusals.md"
#: Who runs the programme, in the document; the page names them.
VENDOR = "Microsoft"
HEAD = """\
# Refusals and reasons

Every code with which a page, a form or the administration refuses something, and every reason code of a decision: its
rule ([rules.md](rules.md)), its texts, and what to do next where the text doesn't say it. `…` stands for a name, a day
or an amount. The portal shows the same in its reader's language at `/help/refusals/`, each code at `#code`.

Written by `manage.py write_refusals` from the source; a test compares this file with it.
"""


@dataclass(frozen=True)
class Text:
    """One text of a code in the reader's language, and its rule."""

    rule: str
    text: str


@dataclass(frozen=True)
class Entry:
    """A code with everything that it says."""

    code: str
    texts: tuple[Text, ...]
    next: str


@cache
def catalogue() -> tuple[Found, ...]:
    return tuple(Found(*found) for found in json.loads(CATALOGUE.read_text(encoding="utf-8")))


@cache
def codes() -> frozenset[str]:
    return frozenset(found.code for found in catalogue())


def entries(found: tuple[Found, ...], *, vendor: str) -> Iterator[Entry]:
    """In the reader's language, by code."""
    for code, same in groupby(found, key=lambda one: one.code):
        texts = tuple(Text(one.rule, _shown(one.message, vendor)) for one in same)
        yield Entry(code, texts, _shown(NEXT.get(code, ""), vendor))


def _shown(message: str, vendor: str) -> str:
    """A text without its values; `next` is a sentence that depends on the deal."""
    text = gettext(message) if message else ""
    text = text.replace("%(vendor)s", vendor).replace("%(next)s", "").replace("%%", "%")
    return re.sub(r"%\(\w+\)[sd]", "…", text).strip()


def document(found: tuple[Found, ...]) -> str:
    """docs/refusals.md as a whole."""
    with override("en"):
        english = list(entries(found, vendor=VENDOR))
    with override("tr"):
        turkish = list(entries(found, vendor=VENDOR))
    lines = [HEAD]
    for first, second in zip(english, turkish, strict=True):
        lines.append(f"## {first.code}\n")
        for text, translated in zip(first.texts, second.texts, strict=True):
            lines.append(f"- {text.rule or 'any rule'}: {text.text}\n  *{translated.text}*")
        if first.next:
            lines.append(f"\nNext: {first.next}\n*{second.next}*")
        lines.append("")
    return "\n".join(lines)


def serialized(found: tuple[Found, ...]) -> str:
    """catalogue.json as a whole: a line for each text, so that changes merge."""
    rows = (json.dumps([one.code, one.rule, one.message], ensure_ascii=False) for one in found)
    return "[\n" + ",\n".join(rows) + "\n]\n"
