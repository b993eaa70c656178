"""Writing and reading internal notes (FLOW-15)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.core.exceptions import PermissionDenied

from portal.accounts.models import Membership
from portal.accounts.rules import ADMIN_ROLES, Actor
from portal.desk.models import InternalNote
from portal.policy import services as policies
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, RuleViolation, _
from portal.workflow.models import Record


def may_read(actor: Actor, record: Record) -> bool:
    """The people of the administration, without those who belong to the record's own company as well."""
    if not actor.is_vendor or actor.user_id is None or not actor.has(*ADMIN_ROLES):
        return False
    members = Membership.objects.filter(user_id=actor.user_id, company_id=record.owner_id or 0, is_active=True)
    return not members.exists()


def add(record: Record, kind: str, text: str, *, actor: Actor, now: datetime) -> InternalNote:
    """Raises PermissionDenied for whoever may not read the record's notes; RuleViolation without a text, or with one
    that is too long."""
    if actor.user_id is None or not may_read(actor, record):
        raise PermissionDenied
    text = text.strip()
    if blockers := list(_blockers(text, policies.current(now))):
        raise RuleViolation(blockers)
    return InternalNote.objects.create(kind=kind, object_id=record.pk, author_id=actor.user_id, at=now, text=text)


def _blockers(text: str, policy: Policy) -> Iterator[Blocker]:
    if not text:
        yield Blocker("internal_note_required", _("Write the note."), "FLOW-15", "note")
    if len(text) > policy.max_note_length:
        message = _("A note can have up to %(most)s characters.")
        yield Blocker("internal_note_too_long", message, "FLOW-15", "note", {"most": policy.max_note_length})
