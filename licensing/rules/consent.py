"""What a customer's admin states on agreeing, and the codes that confirm their address (LIC-6, LIC-8)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from portal.workflow.blockers import Blocker, _

#: As far as it matters here: whether it is one comes out by the code.
_ADDRESS = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+")
MAX_ADDRESS = 254
MAX_NAME = 200


def is_address(email: str) -> bool:
    return len(email) <= MAX_ADDRESS and _ADDRESS.fullmatch(email) is not None


@dataclass(frozen=True)
class Consent:
    """Who agrees for which tenant of the customer's; `language` is the one they read the invitation in."""

    name: str = ""
    email: str = ""
    tenant_guid: uuid.UUID | None = None
    language: str = "en"


def consent_blockers(form: Consent) -> Iterator[Blocker]:
    """What is missing in the answers, in the order of the fields (LIC-6, LIC-8)."""
    if not form.name.strip():
        yield Blocker("name_required", _("Enter your name."), "LIC-8", "name")
    if len(form.name.strip()) > MAX_NAME:
        yield Blocker("name_too_long", _("Shorten the name."), "LIC-8", "name")
    if not form.email.strip():
        yield Blocker("email_required", _("Enter your e-mail address."), "LIC-8", "email")
    elif not is_address(form.email.strip().lower()):  # as it is kept: "İ" is two letters then
        yield Blocker("email_invalid", _("Enter an e-mail address."), "LIC-8", "email")
    if form.tenant_guid is None:
        yield Blocker("tenant_required", _("Enter the id of your tenant."), "LIC-6", "tenant_guid")


def invitation_blockers(*, expires_at: datetime, now: datetime) -> Iterator[Blocker]:
    """An invitation is good until it expires, whether or not the sweep has come by (LIC-1)."""
    if expires_at <= now:
        yield Blocker("consent_link_expired", _("This link has expired. Ask the company for a new one."), "LIC-1")


def mail_limit_blockers(*, sent: int, most: int, by_company: int, company_most: int) -> Iterator[Blocker]:
    """So many mails an invitation (or consent) and a company may cause; both answer alike (LIC-8)."""
    if sent >= most or by_company >= company_most:
        message = _("No more mail can be sent here for now. Try again tomorrow, or ask the company for a new link.")
        yield Blocker("mails_spent", message, "LIC-8")


def code_blockers(*, expires_at: datetime, attempts: int, most: int, right: bool, now: datetime) -> Iterator[Blocker]:
    """Whether what was typed confirms the address (LIC-8). `attempts`: those before this one."""
    if expires_at <= now:
        yield Blocker("code_expired", _("This code has expired. Have a new one sent."), "LIC-8", "code")
    elif attempts >= most:
        message = _("This was typed wrong too often. Have a new code sent.")
        yield Blocker("code_spent", message, "LIC-8", "code")
    elif not right:
        yield code_wrong()


def code_wrong() -> Blocker:
    """Also where no code was sent: whoever tries learns nothing."""
    return Blocker("code_wrong", _("This isn't the code that was mailed to you."), "LIC-8", "code")


def unconfirmed() -> Blocker:
    return Blocker("email_unconfirmed", _("Confirm your e-mail address by the code first."), "LIC-8")
