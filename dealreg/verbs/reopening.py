"""What an approved exception does to a registration: opened again, opened anew, replaced (EXC-9, EXC-12, EXC-13)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from dealreg.models import BY_REOPENING, DECIDED, NOT_REGISTERED, Registration, Status
from dealreg.rules import states
from dealreg.timeline import REGISTRATION
from dealreg.verbs.base import RegistrationVerb
from dealreg.verbs.ending import end, no_move
from portal.days import last_second
from portal.events.services import snapshot
from portal.workflow.blockers import Blocker, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Effect, worker


@dataclass(frozen=True)
class Reopening:
    """The last day (UTC) to correct the registration (EXC-12)."""

    until: date


class Reopen(RegistrationVerb[Reopening]):
    """Give a submitted registration back, to correct what the council approved (EXC-9).

    What was decided before is kept, and comes back if nobody decides anew (EXC-12).
    """

    name = "reopen"
    label = _("Reopen for a correction")
    event = "registration.reopened"
    sentence = Sentence("unlock", "brand", _("The registration was reopened to be corrected"), REGISTRATION)
    who = (worker,)

    def blockers(self, record: Registration, context: Context) -> Iterable[Blocker]:
        if record.outcome == states.REPLACED or record.first_submitted_at is None:
            yield no_move(record)

    def apply(self, record: Registration, inputs: Reopening, context: Context) -> Effect:
        before = record.outcome or record.status
        failed_again = record.is_revalidation and record.status == Status.REVIEW_FAILED
        if record.status in (*DECIDED, Status.CLOSED) and not failed_again:
            held = snapshot(record)
            record.previous = {name: held[name] for name in BY_REOPENING} | {"outcome": before, "for": "reopen"}
        record.reopen()
        record.outcome, record.closed_at, record.close_due_at = "", None, None
        record.reopened_at = record.action_required_at = context.now
        record.action_due_at = last_second(inputs.until)
        record.reason_code, record.comment, record.validated_by, record.decided_from = states.REOPENED, "", "", ""
        record.decided_at = None
        return Effect()


class OpenAnew(RegistrationVerb[None]):
    """Let a deal be registered that was closed without, and never submitted: the whole form (EXC-9)."""

    name = "open_anew"
    label = _("Open the registration anew")
    event = "registration.opened_anew"
    sentence = Sentence("clipboard-plus", "brand", _("The deal can be registered"), REGISTRATION)
    who = (worker,)

    def blockers(self, record: Registration, context: Context) -> Iterable[Blocker]:
        if record.outcome != NOT_REGISTERED or record.first_submitted_at is not None:
            yield no_move(record)

    def apply(self, record: Registration, inputs: None, context: Context) -> Effect:
        record.open_anew()
        record.outcome, record.closed_at = "", None
        return Effect()


class Replace(RegistrationVerb[None]):
    """Close a registration in whose place another one was approved; it counts nowhere any more (EXC-13)."""

    name = "replace"
    label = _("Replace")
    event = "registration.replaced"
    sentence = Sentence("archive", "neutral", _("Another registration replaced this one"), REGISTRATION)
    who = (worker,)

    def blockers(self, record: Registration, context: Context) -> Iterable[Blocker]:
        if record.outcome == states.REPLACED:
            yield no_move(record)

    def apply(self, record: Registration, inputs: None, context: Context) -> Effect:
        record.replace()
        end(record, states.REPLACED, context)
        return Effect()


REOPEN, OPEN_ANEW, REPLACE = Reopen(), OpenAnew(), Replace()
