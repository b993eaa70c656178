"""Whose a case is, and what it is found by (FLOW-12, FLOW-13)."""

from __future__ import annotations

from datetime import datetime

from portal.accounts.models import Membership
from portal.accounts.rules import Actor
from portal.desk.models import Case
from portal.desk.rules import KINDS
from portal.folding import tokens
from portal.workflow.blockers import Blocker, _

#: Marks a word, so that PostgreSQL's parser doesn't split an id as a number.
MARK = "s"


def searchable(*texts: str) -> str:
    """The words of the texts, as they are compared."""
    return " ".join(f"{MARK}{word}" for word in dict.fromkeys(tokens(" ".join(texts))))


def case_of(kind: str, object_id: int) -> Case | None:
    """The record's stay on the desk, while it waits there."""
    return Case.objects.open().of(kind, object_id).select_related("claimed_by").first()


def claim_blocker(case: Case | None, actor: Actor, now: datetime) -> Blocker | None:
    """Somebody else works on it: decided only after it was taken over on purpose (FLOW-13)."""
    if case is None or not case.is_held(now) or case.is_mine(actor, now):
        return None
    assert case.claim_ends_at is not None
    message = _("%(person)s has claimed this, until %(until)s. To decide it yourself, take it over first.")
    return Blocker(
        "claimed_by_another", message, "FLOW-13", params={"person": str(case.claimed_by), "until": case.claim_ends_at}
    )


def claim_blockers_of(kind: str, object_id: int, actor: Actor, now: datetime) -> list[Blocker]:
    """For the verbs that decide: what keeps this person from it, unless nobody or they themselves claimed it."""
    found = claim_blocker(case_of(kind, object_id), actor, now)
    return [found] if found else []


def belongs_to(case: Case, actor: Actor) -> bool:
    """Whether the person is a member of the company that filed it (FLOW-7)."""
    members = Membership.objects.filter(user_id=actor.user_id or 0, is_active=True)
    return members.filter(company_id=case.company_id).exists()


def may_decide(case: Case, actor: Actor) -> bool:
    kind = KINDS.get(case.kind)
    return kind is not None and kind.may_decide(actor)
