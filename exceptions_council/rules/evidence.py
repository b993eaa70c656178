"""What the council may ask for, and how it is answered (EXC-11)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, _


def question_blockers(text: str, due_on: date | None, today: date, latest: date, policy: Policy) -> Iterator[Blocker]:
    """A question says what is wanted, and until when: from tomorrow to the latest day (UTC)."""
    if not text.strip():
        yield Blocker("evidence_required", _("Write what the partner is to send."), "EXC-11", "text")
    yield from length_blockers(text, "text", policy)
    if due_on is not None and not today < due_on <= latest:
        message = _("The last day to answer has to lie after today, and not after %(latest)s.")
        yield Blocker("evidence_day", message, "EXC-11", "due_on", {"latest": latest})


def answer_blockers(answer: str, policy: Policy) -> Iterator[Blocker]:
    if not answer.strip():
        message = _("Answer the question; say which documents you added, if any.")
        yield Blocker("answer_required", message, "EXC-11", "answer")
    yield from length_blockers(answer, "answer", policy)


def length_blockers(text: str, field: str, policy: Policy) -> Iterator[Blocker]:
    if len(text.strip()) > policy.exception_max_length:
        message = _("At most %(most)s characters are possible.")
        yield Blocker("text_too_long", message, "EXC-3", field, {"most": policy.exception_max_length})
