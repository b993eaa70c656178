"""Codes that confirm an admin's address before anything they agree to counts (LIC-8)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from licensing.models import EmailCode, Invitation
from licensing.rules import (
    Consent,
    code_blockers,
    code_wrong,
    consent_blockers,
    invitation_blockers,
    mail_limit_blockers,
    states,
)
from licensing.selectors.limits import sent_by_company
from licensing.services import tokens
from portal.accounts import services as accounts
from portal.accounts.rules import SYSTEM
from portal.events import services as events
from portal.policy import services as policies
from portal.workflow import services as workflow
from portal.workflow.blockers import RuleViolation

SENT = "licence_mail.code"


@transaction.atomic
def send(invitation: Invitation, form: Consent, *, now: datetime) -> EmailCode:
    """Mail a code to the address in the form; what the form says counts once it is typed. Only the newest code does.

    Raises RuleViolation: answers that are missing, an invitation that isn't open, or too many mails (LIC-1, LIC-8).
    """
    fresh, policy = workflow.lock(invitation), policies.current(now)
    if fresh.state != states.SENT:
        raise RuleViolation([workflow.wrong_state(states.INVITATION_STATES[fresh.state])])
    accounts.lock_company(fresh.company_id)  # one mail after the other is counted
    blockers = [
        *invitation_blockers(expires_at=fresh.expires_at, now=now),
        *consent_blockers(form),
        *mail_limit_blockers(
            sent=fresh.codes.count(),
            most=policy.email_codes_per_invitation,
            by_company=sent_by_company(fresh.company_id, now),
            company_most=policy.customer_mails_per_day,
        ),
    ]
    if blockers or form.tenant_guid is None:
        raise RuleViolation(blockers)
    row = fresh.codes.create(
        email=form.email.strip().lower(),
        name=form.name.strip(),
        tenant_guid=form.tenant_guid,
        language=form.language,
        created_at=now,
        expires_at=min(now + policy.email_code_time, fresh.expires_at),
    )
    events.record_one(row, SENT, actor=SYSTEM, now=now, company_id=None)
    return row


def newest(invitation: Invitation) -> EmailCode | None:
    """The code that counts, with what its form said; None before one was sent."""
    return invitation.codes.order_by("-pk").first()


def confirm(invitation: Invitation, typed: str, *, now: datetime) -> EmailCode:
    """Compare what was typed with the newest code. A wrong one is counted, also where this raises RuleViolation."""
    most = policies.current(now).email_code_attempts
    with transaction.atomic():
        row = EmailCode.objects.select_for_update().filter(invitation=invitation).order_by("-pk").first()
        if row is None:
            blockers = [code_wrong()]
        else:
            right = tokens.is_code(row, typed)
            found = code_blockers(expires_at=row.expires_at, attempts=row.attempts, most=most, right=right, now=now)
            blockers = list(found)
            row.confirmed_at = None if blockers else now
            row.attempts = min(row.attempts + len(blockers), most)
            row.save(update_fields=["confirmed_at", "attempts"])
    if blockers or row is None:
        raise RuleViolation(blockers)
    return row
