"""What can be done to a request for an exception: every verb in one definition, and the machine they make (EXC-6)."""

from exceptions_council.models import ExceptionRequest
from exceptions_council.rules import states
from exceptions_council.timeline import params
from exceptions_council.verbs.asking import ASK, Asking
from exceptions_council.verbs.evidence import (
    ANSWER_EVIDENCE,
    ASK_EVIDENCE,
    EVIDENCE_UNANSWERED,
    EvidenceAnswer,
    EvidenceQuestion,
)
from exceptions_council.verbs.noting import NOTE_OVERDUE, NOTE_TOO_FEW
from exceptions_council.verbs.voting import APPROVED, DECLARE_CONFLICT, DENIED, VOTE, Ballot, Interest
from portal.workflow import services as workflow
from portal.workflow.verbs import Machine


def _lock(pk: int) -> ExceptionRequest:
    return ExceptionRequest.objects.select_for_update(of=("self",)).with_context().get(pk=pk)


MACHINE = workflow.register(
    Machine(
        model=ExceptionRequest,
        creations=[ASK],
        verbs=[
            ANSWER_EVIDENCE,
            VOTE,
            ASK_EVIDENCE,
            DECLARE_CONFLICT,
            EVIDENCE_UNANSWERED,
            NOTE_OVERDUE,
            NOTE_TOO_FEW,
        ],
        lock=_lock,
        state=lambda request: states.STATES[request.status],
        params=params,
        along=[APPROVED, DENIED],
    )
)
