"""Logs as JSON lines, the same from web, worker and beat."""

from __future__ import annotations

import re

import structlog

#: Links that let in whoever has them: of an invitation, of a new password, of a calendar, and a customer's (LIC-1).
_KEYS = re.compile(r"(/invite/|/password/reset/key/|/calendar/|/consent/|/licences/)[^/\s]+")


def without_keys(text: str) -> str:
    """A text of whatever origin that is kept or shown, such as a mail server's answer that quotes the mail."""
    return _KEYS.sub(r"\1…", text)


def hide_keys(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Who reads the logs must not get in by them."""
    event["event"] = str(event.get("event", ""))
    event.update({name: without_keys(text) for name, text in event.items() if isinstance(text, str)})
    return event


_shared: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def formatter() -> structlog.stdlib.ProcessorFormatter:
    """For LOGGING: standard-library records and structlog's alike."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            hide_keys,
            structlog.processors.JSONRenderer(),
        ],
    )
