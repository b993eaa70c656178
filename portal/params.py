"""What requests say, read so that nothing a stranger can send is more than wrong: numbers, ids and JSON."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput

#: The largest key that a row can have (a bigint).
LARGEST = 2**63 - 1
_DIGITS = re.compile(r"[0-9]{1,19}")


def whole_number(text: str | None) -> int | None:
    """The number of a row; None for what no row can have: signs, other digits than 0 to 9, and too many of them."""
    if text is None or not _DIGITS.fullmatch(text):
        return None
    number = int(text)
    return number if number <= LARGEST else None


def split_address(text: str) -> SplitResult:
    """The parts of an address; all empty for what is none, such as half an IPv6 host."""
    try:
        return urlsplit(text)
    except ValueError:
        return urlsplit("")


def as_uuid(text: str) -> uuid.UUID | None:
    """The public id of a row; None for what is no id: then it is unknown, like every other that isn't one's own."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


class PlainJSONField(forms.JSONField):
    """JSON that a table can hold; everything else is wrong at the field, which shows it again as it came.

    Not nested beyond what can be read, no numbers of thousands of digits, no NaN, no NUL, no halves of characters.
    """

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and not _is_storable(value):
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": value[:100]})
        return super().to_python(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        # Read again only for being written again, which what is broken doesn't survive.
        return super().bound_data(data, initial) if _is_storable(data or "") else InvalidJSONInput(data)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(initial, data) if _is_storable(data or "") else True


def _is_storable(text: str) -> bool:
    """Whether reading it and writing it again can go wrong only by its being no JSON."""
    try:
        again = json.dumps(json.loads(text), ensure_ascii=False, allow_nan=False)
        again.encode()
    except json.JSONDecodeError:
        return True
    except (RecursionError, ValueError):
        return False
    return "\\u0000" not in again
