"""Notes: the engagement's shared thread, and a company's private ones (REF-23)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from portal.events.models import Event
from portal.workflow.blockers import Blocker, _
from portal.workflow.services import event_of
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Effect
from referrals import rules
from referrals.models import Referral
from referrals.timeline import NOTES
from referrals.verbs import copies
from referrals.verbs.base import DealVerb


@dataclass(frozen=True)
class NewNote:
    """What is noted."""

    text: str


class AddNote(DealVerb[NewNote]):
    """For everybody who takes part in the deal (REF-23); none on a closed one (REF-11)."""

    name = "add_note"
    label = _("Add a note")
    event = "referral.note_added"
    sentence = Sentence("chat-left-text", "neutral", _("%(company)s added a note"), NOTES)
    shared = True
    quiet = True
    indexed = True

    def input_blockers(self, record: Referral, inputs: NewNote, context: Context) -> Iterable[Blocker]:
        return rules.note_blockers(inputs.text, shared=self.shared, closed=record.is_closed, policy=context.policy)

    def apply(self, record: Referral, inputs: NewNote, context: Context) -> Effect:
        copies.add_note(record, inputs.text, context, shared=self.shared)
        return Effect()


class AddPrivateNote(AddNote):
    """For the own company alone, also on closed deals."""

    name = "add_private_note"
    label = _("Add a note for your company only")
    shared = False


ADD_NOTE, ADD_PRIVATE_NOTE = AddNote(), AddPrivateNote()


def note_with(record: Referral, text: str, context: Context) -> list[Event]:
    """Keep what was noted with another verb, if anything was; the event that tells of it."""
    if not text.strip():
        return []
    copies.add_note(record, text, context)
    return [event_of(ADD_NOTE, record, Effect(), context)]
