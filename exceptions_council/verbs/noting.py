"""What workers note about requests that don't get on (EXC-7, EXC-15)."""

from __future__ import annotations

from collections.abc import Iterable

from exceptions_council.models import ExceptionRequest
from exceptions_council.selectors.council import tally_of
from exceptions_council.timeline import EXCEPTION
from portal.workflow.blockers import Blocker, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Effect, Verb, worker


class NoteOverdue(Verb[ExceptionRequest, None]):
    """The council has not decided in its time: its members and the programme's managers are told (EXC-7)."""

    name = "note_overdue"
    label = _("Note that it is overdue")
    event = "exception.overdue"
    sentence = Sentence("alarm", "warning", _("The council's decision is overdue"), EXCEPTION)
    who = (worker,)
    internal = True

    def blockers(self, record: ExceptionRequest, context: Context) -> Iterable[Blocker]:
        if record.overdue_at is not None or record.due_on >= context.now.date():
            yield Blocker("not_overdue", _("It is not overdue, or was noted to be."), "EXC-7")

    def apply(self, record: ExceptionRequest, inputs: None, context: Context) -> Effect:
        record.note_overdue()
        record.overdue_at = context.now
        return Effect()


class NoteTooFew(Verb[ExceptionRequest, None]):
    """Fewer of the council may vote than have to: the programme's managers are told (EXC-15)."""

    name = "note_too_few"
    label = _("Note that too few may vote")
    event = "exception.too_few"
    sentence = Sentence("people", "danger", _("Too few of the council may vote"), EXCEPTION)
    who = (worker,)
    internal = True

    def blockers(self, record: ExceptionRequest, context: Context) -> Iterable[Blocker]:
        if record.too_few_at is not None or not tally_of(record, context.policy).too_few:
            yield Blocker("enough_voters", _("Enough of the council may vote, or it was noted already."), "EXC-15")

    def apply(self, record: ExceptionRequest, inputs: None, context: Context) -> Effect:
        record.note_too_few()
        record.too_few_at = context.now
        count = tally_of(record, context.policy)
        return Effect(after={"able": count.able, "quorum": count.quorum})


NOTE_OVERDUE, NOTE_TOO_FEW = NoteOverdue(), NoteTooFew()
