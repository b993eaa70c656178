"""Drafts of registrations: what is typed is kept for the company until it is sent (REG-19)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction

from dealreg.models import CompanyDraft, Registration, RegistrationDraft
from dealreg.policies import may_file
from dealreg.rules import RegistrationInput
from dealreg.rules.values import PAYG
from dealreg.selectors.registration import wrong_state
from portal.accounts.rules import Actor
from portal.workflow import services as workflow
from portal.workflow.blockers import RuleViolation


class SavedMeanwhile(Exception):
    """Somebody, or another tab, saved the draft since the page loaded it; `draft` is what stands there now."""

    def __init__(self, draft: CompanyDraft | None) -> None:
        self.draft = draft
        super().__init__()


@transaction.atomic
def keep(
    registration: Registration,
    answers: Mapping[str, str],
    understood: RegistrationInput,
    *,
    actor: Actor,
    now: datetime,
    base: str | None = None,
) -> RegistrationDraft:
    """Keep what is in the form: `answers` as typed, and as `understood`, from which the window follows (FLOW-8).

    `base` is the stamp of the draft that the page loaded; automatic saving passes it, so that it never overwrites what
    somebody else saved. Raises PermissionDenied, SavedMeanwhile, or RuleViolation if nothing can be filed now.
    """
    fresh = workflow.lock(registration)
    if not may_file(actor, fresh) or actor.user_id is None:
        raise PermissionDenied
    if blocker := wrong_state(fresh):
        raise RuleViolation([blocker])
    draft = RegistrationDraft.objects.filter(registration=fresh).first() or RegistrationDraft(registration=fresh)
    window = {
        "signed": understood.signed,
        "start": None if understood.renews else understood.start,  # a renewal's start limits nothing (REG-18)
        "payg": understood.pricing == PAYG,
    }
    save(draft, answers, actor=actor, now=now, base=base, **window)
    return draft


def check_seen(draft: CompanyDraft | None, answers: Mapping[str, str], *, actor: Actor, base: str | None) -> None:
    """Before the draft is deleted by what is sent: the draft that the page loaded (`base`; None: it doesn't say), or
    one that answers the same (REF-21). One's own counts as seen, as a page saves itself while it is sent.

    Raises SavedMeanwhile.
    """
    if draft is None or base is None or base == stamp(draft) or draft.saved_by_id == actor.user_id:
        return
    if draft.answers != answers:
        raise SavedMeanwhile(draft)


def save(
    draft: CompanyDraft, answers: Mapping[str, str], *, actor: Actor, now: datetime, base: str | None, **columns: object
) -> None:
    """Save a draft, new or not, with these answers and columns. Raises SavedMeanwhile if `base` names another one."""
    known = draft if draft.pk else None
    if base is not None and base != stamp(known):
        raise SavedMeanwhile(known)
    draft.answers, draft.saved_by_id = dict(answers), actor.user_id or 0
    draft.saved_at = max(now, known.saved_at) if known else now
    for name, value in columns.items():
        setattr(draft, name, value)
    draft.save()


def stamp(draft: CompanyDraft | None) -> str:
    """Identifies the saved state of a draft that a page shows; empty before the first save."""
    return draft.saved_at.isoformat() if draft else ""
