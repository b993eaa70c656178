"""The mail of the demo, kept as files instead of sent, so that the portal can show it.

Active only where settings.DEMO_MAIL_DIR names a directory, which a real installation never does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage as Parsed
from email.parser import BytesParser
from itertools import islice
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from uuid6 import uuid7

#: The oldest go when there are more.
MAX_KEPT = 500
_parser = BytesParser(policy=policy.default)


class KeepMail(BaseEmailBackend):
    """Mail backend that writes each mail to a file. The file's name is an id that sorts by time."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            new = folder / f"{uuid7()}.new"
            new.write_bytes(message.message().as_bytes())
            new.rename(new.with_suffix(".eml"))  # whoever lists them meets whole ones only
        for old in _newest_first()[MAX_KEPT:]:
            old.unlink(missing_ok=True)
        return len(email_messages)


@dataclass(frozen=True)
class Mail:
    """A kept mail; in a list only its headers are loaded."""

    public_id: UUID
    _message: Parsed

    @property
    def to(self) -> str:
        return str(self._message["To"] or "")

    @property
    def sender(self) -> str:
        return str(self._message["From"] or "")

    @property
    def subject(self) -> str:
        return str(self._message["Subject"] or "")

    @property
    def sent_at(self) -> datetime | None:
        header = self._message["Date"]
        # Mail says "UTC, wherever I am" as -0000, which is parsed to no zone at all.
        return header.datetime.replace(tzinfo=header.datetime.tzinfo or UTC) if header else None

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, kind: str) -> str:
        body = self._message.get_body((kind,))
        return str(body.get_content()) if body else ""


def newest(*, to: str = "", before: UUID | None = None, limit: int) -> list[Mail]:
    """The newest mails to addresses that contain `to`; with `before`, only mails older than that one."""
    wanted = (mail for mail in _older(before) if to.casefold() in mail.to.casefold())
    return list(islice(wanted, limit))


def find(public_id: UUID) -> Mail | None:
    """The whole mail; None if it was deleted."""
    return _read(_folder() / f"{public_id}.eml", headers_only=False)


def _folder() -> Path:
    assert settings.DEMO_MAIL_DIR is not None  # the views and the settings see to it
    return settings.DEMO_MAIL_DIR


def _older(before: UUID | None) -> Iterator[Mail]:
    for path in _newest_first():
        if (before is None or path.stem < str(before)) and (mail := _read(path, headers_only=True)):
            yield mail


def _newest_first() -> list[Path]:
    return sorted(_folder().glob("*.eml"), reverse=True)


def _read(path: Path, *, headers_only: bool) -> Mail | None:
    try:
        with path.open("rb") as file:
            return Mail(UUID(path.stem), _parser.parse(file, headersonly=headers_only))
    except FileNotFoundError:  # a newer one has just taken its place
        return None
