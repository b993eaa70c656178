"""Links to a customer's licence page: mailed, exchanged once for a short visit, and renewed by e-mail (LIC-4, LIC-8).

Opening a link changes nothing, as scanners of mail open links, too; the button on its page exchanges it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from licensing.models import LicenceLink, Relationship
from licensing.rules import mail_limit_blockers
from licensing.rules.links import GOOD, link_blockers, link_state
from licensing.selectors.limits import sent_by_company, today
from licensing.services import tokens
from portal.accounts import services as accounts
from portal.accounts.rules import SYSTEM, Actor
from portal.events import services as events
from portal.policy import services as policies
from portal.workflow.blockers import RuleViolation

SENT = "licence_mail.link"


@transaction.atomic
def issue(
    relationship: Relationship, reason: str, *, now: datetime, news: Mapping[str, Any] | None = None
) -> LicenceLink | None:
    """Mail a link to the confirmed address, with the news that lead there; None if the limits are spent (LIC-8)."""
    policy = policies.current(now)
    accounts.lock_company(relationship.company_id)
    sent = relationship.links.filter(created_at__gte=today(now))
    if reason != LicenceLink.Reason.ASKED:  # whoever asks for link after link keeps no news from the customer
        sent = sent.exclude(reason=LicenceLink.Reason.ASKED)
    spent = mail_limit_blockers(
        sent=sent.count(),
        most=policy.licence_links_per_day,
        by_company=sent_by_company(relationship.company_id, now),
        company_most=policy.customer_mails_per_day,
    )
    if list(spent):
        return None
    row = LicenceLink(
        relationship=relationship, reason=reason, created_at=now, expires_at=now + policy.licence_link_time
    )
    row.token_hash = tokens.digest(tokens.of_link(row))
    row.save()
    events.record_one(row, SENT, actor=SYSTEM, now=now, company_id=None, after={"reason": reason, **(news or {})})
    return row


def send(email: str, *, now: datetime) -> None:
    """Mail new links to an address that a customer's admin confirmed, one for each company that they agreed with.

    Says nothing of whether it is known, nor whether the limits are spent (LIC-8).
    """
    for relationship in Relationship.objects.with_context().filter(admin_email=email.strip().lower()).order_by("pk"):
        if relationship.is_consented or relationship.licences.exists():
            issue(relationship, LicenceLink.Reason.ASKED, now=now)


def of_token(token: str) -> LicenceLink | None:
    """The link with this token, whatever has become of it (`state_of`); None for one that we never made."""
    found = LicenceLink.objects.select_related("relationship__company", "relationship__customer")
    return found.filter(token_hash=tokens.digest(token)).first()


def state_of(link: LicenceLink, now: datetime) -> str:
    """rules.links: GOOD, USED or EXPIRED."""
    return link_state(expires_at=link.expires_at, used_at=link.used_at, now=now)


@dataclass(frozen=True)
class Visit:
    """A customer's admin on their licence page, until (UTC) they need another link."""

    relationship: Relationship
    until: datetime

    @property
    def actor(self) -> Actor:
        return admin_of(self.relationship)

    def to_session(self) -> dict[str, str]:
        """What the browser's session keeps."""
        return {"relationship": str(self.relationship.public_id), "until": self.until.isoformat()}


def admin_of(relationship: Relationship) -> Actor:
    """The customer's admin, who proved to hold the confirmed address."""
    return Actor(
        kind="person", name=relationship.admin_name, email=relationship.admin_email, language=relationship.language
    )


@transaction.atomic
def exchange(token: str, *, now: datetime) -> Visit:
    """Use a link up for a visit. Raises RuleViolation: unknown, used or expired, each in its own words."""
    link = of_token(token)
    locked = LicenceLink.objects.select_for_update().filter(pk=link.pk).first() if link else None
    state = state_of(locked, now) if locked else ""
    if link is None or locked is None or state != GOOD:
        raise RuleViolation(link_blockers(state))
    LicenceLink.objects.filter(pk=link.pk).update(used_at=now)
    return Visit(link.relationship, now + policies.current(now).licence_session_time)


def from_session(kept: Mapping[str, str] | None, *, now: datetime) -> Visit | None:
    """The visit that a session keeps, with the relationship as it is now; None once it is over."""
    if not kept or datetime.fromisoformat(kept["until"]) <= now:
        return None
    found = Relationship.objects.with_context().filter(public_id=kept["relationship"]).first()
    return Visit(found, datetime.fromisoformat(kept["until"])) if found else None
