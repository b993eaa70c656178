"""The council asks the partner for evidence; the answer, or the end of the time, goes on (EXC-11)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from exceptions_council.models import EvidenceRequest, ExceptionRequest
from exceptions_council.policies import may_answer, may_ask_evidence
from exceptions_council.rules.evidence import answer_blockers, question_blockers
from exceptions_council.timeline import EXCEPTION
from exceptions_council.verbs.base import ExceptionVerb, outsider_blockers
from portal.days import last_second
from portal.policy.calendar import due_day
from portal.workflow.blockers import Blocker, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Effect, worker


@dataclass(frozen=True)
class EvidenceQuestion:
    """What the partner is to send, and the last day (UTC) for it; without one the policy's."""

    text: str = ""
    due_on: date | None = None


class AskEvidence(ExceptionVerb[EvidenceQuestion]):
    """Ask the partner for evidence: what, and until when (EXC-11). The council's clock goes on (EXC-7)."""

    name = "ask_evidence"
    label = _("Ask for evidence")
    event = "exception.evidence_asked"
    sentence = Sentence("question-circle", "warning", _("%(vendor)s asked for evidence until %(until)s"), EXCEPTION)
    who = (may_ask_evidence,)

    def blockers(self, record: ExceptionRequest, context: Context) -> Iterable[Blocker]:
        return outsider_blockers(record, context)

    def input_blockers(self, record: ExceptionRequest, inputs: EvidenceQuestion, context: Context) -> Iterable[Blocker]:
        latest = max(self._default(context), record.due_on)
        return question_blockers(inputs.text, inputs.due_on, context.now.date(), latest, context.policy)

    def apply(self, record: ExceptionRequest, inputs: EvidenceQuestion, context: Context) -> Effect:
        assert context.actor.user_id is not None
        due_on = inputs.due_on or self._default(context)
        EvidenceRequest.objects.create(
            request=record,
            text=inputs.text.strip(),
            asked_by_id=context.actor.user_id,
            asked_at=context.now,
            due_on=due_on,
        )
        record.ask_evidence()
        record.in_review_at = record.in_review_at or context.now
        record.evidence_asked_at = context.now
        record.evidence_due_at = last_second(due_on)
        return Effect(after={"until": record.evidence_due_at.isoformat()}, comment=inputs.text.strip())

    @staticmethod
    def _default(context: Context) -> date:
        policy = context.policy
        return due_day(context.now.date(), policy.exception_evidence_days, policy)


@dataclass(frozen=True)
class EvidenceAnswer:
    """What the partner says to it; documents are added to the deal."""

    answer: str = ""


class AnswerEvidence(ExceptionVerb[EvidenceAnswer]):
    """Answer the council's question; the request is with the council again (EXC-11)."""

    name = "answer_evidence"
    label = _("Answer the council")
    event = "exception.evidence_answered"
    sentence = Sentence("reply", "info", _("%(company)s answered the council"), EXCEPTION)
    who = (may_answer,)
    page = "answer_exception"
    primary = True
    in_dialog = False

    def input_blockers(self, record: ExceptionRequest, inputs: EvidenceAnswer, context: Context) -> Iterable[Blocker]:
        return answer_blockers(inputs.answer, context.policy)

    def apply(self, record: ExceptionRequest, inputs: EvidenceAnswer, context: Context) -> Effect:
        answer = inputs.answer.strip()
        _unended([record]).update(answer=answer, answered_by_id=context.actor.user_id, answered_at=context.now)
        record.answer_evidence()
        record.evidence_due_at, record.last_sent_at = None, context.now
        return Effect(comment=answer)


class EvidenceUnanswered(ExceptionVerb[None]):
    """The time to answer is over: the request is with the council again, which finds it noted (EXC-11)."""

    name = "evidence_unanswered"
    label = _("Go on without the evidence")
    event = "exception.evidence_unanswered"
    sentence = Sentence("hourglass-bottom", "warning", _("The council's question was not answered in time"), EXCEPTION)
    who = (worker,)

    def blockers(self, record: ExceptionRequest, context: Context) -> Iterable[Blocker]:
        if record.evidence_due_at is None or record.evidence_due_at > context.now:
            yield Blocker("evidence_still_time", _("There is still time to answer."), "EXC-11")

    def apply(self, record: ExceptionRequest, inputs: None, context: Context) -> Effect:
        record.evidence_unanswered()
        record.evidence_due_at = None
        return Effect()

    def settle(self, records: Sequence[ExceptionRequest], context: Context) -> None:
        super().settle(records, context)
        _unended(records).update(unanswered_at=context.now)


def _unended(records: Sequence[ExceptionRequest]) -> QuerySet[EvidenceRequest]:
    return EvidenceRequest.objects.filter(request__in=records, answered_at=None, unanswered_at=None)


ASK_EVIDENCE, ANSWER_EVIDENCE, EVIDENCE_UNANSWERED = AskEvidence(), AnswerEvidence(), EvidenceUnanswered()
