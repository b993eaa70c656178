"""Texts as they are compared: folded. No Django here."""

from __future__ import annotations

import unicodedata

#: Letters that are their own, not a base letter with a mark, yet are typed as these.
_OWN_LETTERS = str.maketrans(
    {"ı": "i", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th", "ŋ": "n"}
)


class _Folding(dict[int, str]):
    """What each character folds to, worked out once: folding never depends on a character's neighbours."""

    def __missing__(self, code: int) -> str:
        # Taken apart before the case is folded, for capitals inside signs such as ㎐. Marks go only afterwards: a Greek
        # one is a letter without its case.
        apart = unicodedata.normalize("NFKD", chr(code)).casefold()
        self[code] = folded = "".join(c for c in apart if not unicodedata.combining(c)).translate(_OWN_LETTERS)
        return folded


_FOLDING = _Folding()


def fold(text: str) -> str:
    """The text as it is compared: without case, accents or surplus space.

    The Turkish i, I, ı and İ are all one letter, as are ş and s, ç and c, ğ and g, ö and o, ü and u.
    """
    folded = text.lower() if text.isascii() else text.translate(_FOLDING)
    return " ".join(folded.split())


#: PostgreSQL refuses words of 2 KB; nobody types the end of one.
MAX_WORD = 60


def tokens(text: str) -> list[str]:
    """The words of the text in the form in which they are compared: folded, only letters and digits."""
    folded = "".join(c if c.isalnum() else " " for c in fold(text))
    return [word[:MAX_WORD] for word in folded.split()]
