"""The secrets that links and codes hold: each made for one purpose, none of them in the database (LIC-1, LIC-8)."""

from __future__ import annotations

import hashlib
import secrets

from django.core.signing import Signer
from django.utils.crypto import constant_time_compare, salted_hmac

from licensing.models import EmailCode, LicenceLink

_INVITATION = Signer(sep=".", salt="licensing.invitation")
_LINK = Signer(sep=".", salt="licensing.link")
_CODE_SALT = "licensing.code"
CODE_DIGITS = 6


def new_invitation() -> str:
    """A random token, signed; nobody can work it out again: a lost link is replaced by a new one (LIC-1)."""
    return _INVITATION.sign(secrets.token_urlsafe(24))


def of_link(link: LicenceLink) -> str:
    """Worked out whenever the mail is written, so that a mail that is tried again holds the same link."""
    return _LINK.sign(str(link.public_id))


def digest(token: str) -> bytes:
    """What the database keeps of a token: enough to know it again, also after SECRET_KEY was changed (SHA-256)."""
    return hashlib.sha256(token.encode()).digest()


def code(row: EmailCode) -> str:
    """Six digits, worked out when they are mailed or compared; without SECRET_KEY the row tells nothing of them."""
    mac = salted_hmac(_CODE_SALT, f"{row.pk}:{row.invitation_id}:{row.created_at.isoformat()}", algorithm="sha256")
    return f"{int(mac.hexdigest(), 16) % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def is_code(row: EmailCode, typed: str) -> bool:
    """Takes as long for every wrong code; spaces between the digits don't count."""
    return constant_time_compare(code(row), "".join(typed.split()))
