"""How a registration ends, and how an end is taken back: closed, withdrawn, left unanswered, retracted (FLOW)."""

from __future__ import annotations

from collections.abc import Iterable

from dealreg.models import NOT_REGISTERED, Registration, Status
from dealreg.policies import may_file, may_retract
from dealreg.rules import states
from dealreg.selectors.marketplace import wait_until
from dealreg.timeline import REGISTRATION
from dealreg.verbs.base import RegistrationVerb
from dealreg.verbs.deciding import Comment, Reviewing
from portal.workflow.blockers import Blocker, _
from portal.workflow.services import wrong_state
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Effect, Verb, worker


def no_move(record: Registration) -> Blocker:
    """The refusal of a verb that this closed registration never allows."""
    return wrong_state(record.outcome_text or states.REGISTRATION_STATES[record.status])


def end(record: Registration, outcome: str, context: Context) -> None:
    """Write the columns that every ending sets."""
    record.outcome, record.closed_at = outcome, context.now
    record.close_due_at = record.action_due_at = record.previous = record.reopened_at = None


def _as_before(record: Registration) -> str:
    """Bring back the figures there were before a revalidation or a reopening; returns the outcome there was (PAYG-3,
    EXC-12)."""
    assert record.previous is not None
    columns = {column.attname: column for column in record._meta.concrete_fields}
    for name in columns.keys() & record.previous.keys() - {"outcome"}:
        setattr(record, name, columns[name].to_python(record.previous[name]))
    return str(record.previous["outcome"])


class Close(RegistrationVerb[None]):
    """End a decided registration: its last state is the outcome, unless a revalidation failed (PAYG-3)."""

    name = "close"
    label = _("Close")
    event = "registration.closed"
    sentence = Sentence("archive", "neutral", _("The registration was closed"), REGISTRATION)
    who = (worker,)

    def blockers(self, record: Registration, context: Context) -> Iterable[Blocker]:
        due = record.close_due_at
        if due is None or due > context.now:
            yield Blocker("not_due", _("There is still time until it closes."), "FLOW")

    def apply(self, record: Registration, inputs: None, context: Context) -> Effect:
        outcome = record.status
        if record.is_revalidation and outcome == Status.REVIEW_FAILED:
            outcome = _as_before(record)
        record.close()
        end(record, outcome, context)
        return Effect()


class Withdraw(RegistrationVerb[None]):
    """Give up a registration that was sent back; a revalidation, or a correction after an exception, ends with what
    there was before it (PAYG-3, EXC-12)."""

    name = "withdraw"
    label = _("Withdraw the registration")
    page = "withdraw"
    event = "registration.withdrawn"
    sentence = Sentence("archive", "neutral", _("%(company)s withdrew the registration"), REGISTRATION)
    who = (may_file,)
    final = danger = True

    def apply(self, record: Registration, inputs: None, context: Context) -> Effect:
        record.withdraw()
        record.reason_code = record.comment = ""
        end(record, _as_before(record) if record.previous else NOT_REGISTERED, context)
        return Effect()


class FailUnanswered(RegistrationVerb[None]):
    """Nobody corrected it in time: it fails; a revalidation, or a correction after an exception, ends with what there
    was before it (FLOW, PAYG-3, EXC-12).

    What had been asked stays in `reason_code` and `comment`, unless an earlier decision's come back.
    """

    name = "fail_unanswered"
    label = _("Fail what nobody answered")
    event = "registration.unanswered"
    sentence = Sentence("x-circle", "danger", _("The correction asked for was not sent in time"), REGISTRATION)
    who = (worker,)

    def blockers(self, record: Registration, context: Context) -> Iterable[Blocker]:
        if record.action_due_at is None or record.action_due_at > context.now:
            yield Blocker("still_time", _("There is still time to correct the registration."), "FLOW")

    def apply(self, record: Registration, inputs: None, context: Context) -> Effect:
        if record.previous is not None:
            outcome = _as_before(record)
            record.fail_unanswered(Status.CLOSED)
            end(record, outcome, context)
            return Effect(reasons=[states.UNANSWERED])
        record.decided_from, record.decided_at = record.status, context.now
        record.close_due_at, record.action_due_at = context.now + context.policy.close_decided_within, None
        record.fail_unanswered(Status.REVIEW_FAILED)
        return Effect(reasons=[states.UNANSWERED])


class Retract(Reviewing[Comment]):
    """Take a decision back before it closes, with a reason that the partner reads (FLOW-9).

    A clock that decided starts anew: the time to correct, and the time for the marketplace transaction (FLOW-3).
    """

    name = "retract"
    label = _("Retract the decision")
    event = "registration.retracted"
    sentence = Sentence("arrow-counterclockwise", "warning", _("The decision was retracted: %(state)s"), REGISTRATION)
    who = (may_retract,)
    danger = True

    def blockers(self, record: Registration, context: Context) -> Iterable[Blocker]:
        yield from super().blockers(record, context)
        if not record.decided_from:
            yield no_move(record)

    def input_blockers(self, record: Registration, inputs: Comment, context: Context) -> Iterable[Blocker]:
        if not inputs.comment.strip():
            yield Blocker("comment_required", _("Write the comment the partner will read."), "FLOW-9", "comment")

    def apply(self, record: Registration, inputs: Comment, context: Context) -> Effect:
        record.retract()
        comment = inputs.comment.strip()
        record.decided_from = record.validated_by = ""
        record.decided_at = record.close_due_at = None
        if record.status == Status.ACTION_REQUIRED:  # what was asked stands again
            record.action_required_at, record.action_due_at = context.now, context.now + context.policy.act_within
            return Effect(comment=comment)
        record.reason_code, record.comment = "", comment
        if record.status == Status.MARKETPLACE_PENDING:
            record.marketplace_again_at, record.marketplace_until = context.now, wait_until(record, context)
        else:
            record.review_pending_at = context.now
        return Effect(comment=comment)


class RegisterAfterAll(Verb[Registration, None]):
    """Register a deal that was closed without registering it, and never filed: a slip costs nothing (FLOW)."""

    name = "register_after_all"
    label = _("Register after all")
    page = "register_after_all"
    event = "registration.reopened_unfiled"
    sentence = Sentence("clipboard-plus", "brand", _("%(company)s registers the deal after all"), REGISTRATION)
    who = (may_file,)

    def blockers(self, record: Registration, context: Context) -> Iterable[Blocker]:
        if record.outcome != NOT_REGISTERED or record.first_submitted_at is not None:
            yield no_move(record)

    def apply(self, record: Registration, inputs: None, context: Context) -> Effect:
        record.register_after_all()
        record.outcome, record.closed_at = "", None
        return Effect()


CLOSE, WITHDRAW, FAIL_UNANSWERED = Close(), Withdraw(), FailUnanswered()
RETRACT, REGISTER_AFTER_ALL = Retract(), RegisterAfterAll()
