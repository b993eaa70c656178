"""JSON as the API speaks it: written by orjson, read with numbers as they were sent."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import IO, Any, NoReturn
from uuid import UUID

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

#: Deeper than anything the API takes; Python's reader would stop with an error of its own.
MAX_DEPTH = 50


def instant(value: datetime | None) -> str | None:
    """An instant as F1.4 writes it: UTC, seven decimals, Z."""
    return None if value is None else f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"


def midnight(value: date | None) -> str | None:
    """A calendar day as the instant it begins at, in UTC: the API knows no days."""
    return None if value is None else f"{value.isoformat()}T00:00:00.0000000Z"


def number(value: Decimal | None) -> float | int | None:
    """An amount as a JSON number; whole amounts without decimals."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _other(value: Any) -> Any:
    if isinstance(value, Decimal):
        return number(value)
    raise TypeError(type(value).__name__)


def dumps(data: Any) -> bytes:
    """Raises TypeError for what is neither JSON, an amount, an instant nor an id."""
    return orjson.dumps(data, default=_other)


class Renderer(BaseRenderer):
    """Answers in JSON, whatever of JSON the client accepts."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else dumps(data)


class Parser(BaseParser):
    """Reads JSON. Amounts become Decimal, so that no cent is lost; NaN and infinities are no JSON (RFC 8259)."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        return loads(stream.read())


class PatchParser(Parser):
    """A JSON Patch under its own media type (RFC 6902)."""

    media_type = "application/json-patch+json"


def loads(body: bytes) -> Any:
    """Raises ParseError, which says where."""
    try:
        text = body.decode()
        data = json.loads(text, parse_float=_decimal, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise ParseError("The body is not UTF-8.") from None
    except RecursionError:
        raise ParseError("The body is nested too deeply.") from None
    except ValueError as error:
        raise ParseError(f"The body is not JSON: {error}") from None
    _check_texts(data, 0)
    return data


def _decimal(text: str) -> Decimal:
    """Raises ValueError beyond what a JSON number of ours can be: no database and no answer could hold it."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError("a number is too large") from None
    if math.isinf(float(value)):
        raise ValueError("a number is too large")
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _check_texts(value: Any, depth: int) -> None:
    """No text of the database can hold NUL or half of a surrogate pair."""
    if depth > MAX_DEPTH:
        raise ParseError("The body is nested too deeply.")
    match value:
        case str():
            if "\x00" in value or not _is_text(value):
                raise ParseError("The body holds characters that are no text.")
        case dict():
            for key, item in value.items():
                _check_texts(key, depth + 1)
                _check_texts(item, depth + 1)
        case list():
            for item in value:
                _check_texts(item, depth + 1)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def plain(value: UUID | None) -> str | None:
    """An id as a string."""
    return None if value is None else str(value)
