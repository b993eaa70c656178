"""The countries a company, a location or a customer can be in. No Django here."""

from __future__ import annotations

from babel import Locale

from portal.folding import fold

#: Territories that Babel knows besides countries: groupings, private use, parts without a code of their own.
_NOT_COUNTRIES = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])
#: ISO 3166 alpha-2, and XK for Kosovo.
COUNTRIES = frozenset(code for code in map(str, Locale("en").territories) if len(code) == 2) - _NOT_COUNTRIES


def country_choices(language: str) -> list[tuple[str, str]]:
    """Every country's code and its name in the language, in the order of the folded names."""
    names = Locale.parse(language.replace("-", "_")).territories
    return sorted(((code, str(names[code])) for code in COUNTRIES), key=lambda choice: fold(choice[1]))
