"""Drafts of requests: what is typed is kept for the company until it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction

from dealreg.services.drafts import SavedMeanwhile as SavedMeanwhile
from dealreg.services.drafts import check_seen as check_seen
from dealreg.services.drafts import save
from dealreg.services.drafts import stamp as stamp
from exceptions_council.models import ExceptionDraft
from exceptions_council.policies import may_ask
from exceptions_council.rules import deal_blockers
from exceptions_council.selectors.requests import deal_facts
from portal.accounts.rules import Actor
from portal.workflow import services as workflow
from portal.workflow.blockers import RuleViolation
from referrals.models import Referral


@transaction.atomic
def keep(
    referral: Referral, answers: Mapping[str, str], *, actor: Actor, now: datetime, base: str | None = None
) -> ExceptionDraft:
    """Keep what is in the form, as it was typed.

    `base` is the stamp of the draft that the page loaded; automatic saving passes it, so that it never overwrites what
    somebody else saved. Raises PermissionDenied, SavedMeanwhile, or RuleViolation if nothing can be asked any more.
    """
    fresh = workflow.lock(referral)
    if not may_ask(actor, fresh) or actor.user_id is None:
        raise PermissionDenied
    if blockers := list(deal_blockers(deal_facts(fresh, now=now))):
        raise RuleViolation(blockers)
    draft = draft_of(fresh) or ExceptionDraft(referral=fresh)
    save(draft, answers, actor=actor, now=now, base=base)
    return draft


def draft_of(referral: Referral) -> ExceptionDraft | None:
    return ExceptionDraft.objects.filter(referral=referral).first()
