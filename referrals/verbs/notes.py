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
    """The text of a new note."""

    text: str


class AddNote(DealVerb[NewNote]):
    """Add a note for every participant of the deal (REF-23); not possible on a closed deal (REF-11)."""

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
    """Add a note for the own company only; possible on closed deals, too."""

    name = "add_private_note"
    label = _("Add a note for your company only")
    shared = False


ADD_NOTE, ADD_PRIVATE_NOTE = AddNote(), AddPrivateNote()


def note_with(record: Referral, text: str, context: Context) -> list[Event]:
    """Store the note that was sent with another verb, if it has text, and return its event."""
    if not text.strip():
        return []
    copies.add_note(record, text, context)
    return [event_of(ADD_NOTE, record, Effect(), context)]
