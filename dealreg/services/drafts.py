"""Drafts of registrations: what is typed is kept for the company until it is sent (REG-19)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction

from dealreg.models import Registration, RegistrationDraft
from dealreg.policies import may_file
from dealreg.rules import RegistrationInput
from dealreg.rules.values import PAYG
from dealreg.selectors.registration import wrong_state
from portal.accounts.rules import Actor
from portal.workflow import services as workflow
from portal.workflow.blockers import RuleViolation


class SavedMeanwhile(Exception):
    """Somebody, or another tab, saved the draft since the page loaded it; `draft` is what stands there now."""

    def __init__(self, draft: RegistrationDraft | None) -> None:
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
    saved = RegistrationDraft.objects.filter(registration=fresh).first()
    if base is not None and base != stamp(saved):
        raise SavedMeanwhile(saved)
    kept = {
        "answers": dict(answers),
        "saved_by_id": actor.user_id,
        "saved_at": max(now, saved.saved_at) if saved else now,
        "signed": understood.signed,
        "start": None if understood.renews else understood.start,  # a renewal's start limits nothing (REG-18)
        "payg": understood.pricing == PAYG,
    }
    draft, _created = RegistrationDraft.objects.update_or_create(registration=fresh, defaults=kept)
    return draft


def stamp(draft: RegistrationDraft | None) -> str:
    """Identifies the saved state of a draft that a page shows; empty before the first save."""
    return draft.saved_at.isoformat() if draft else ""
