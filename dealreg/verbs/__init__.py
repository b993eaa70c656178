"""What can be done to a registration: every verb in one definition, and the machine they make (FLOW)."""

from dealreg.models import Registration
from dealreg.rules import states
from dealreg.timeline import params
from dealreg.verbs.base import hold, lock
from dealreg.verbs.deciding import (
    FAIL_REVIEW,
    PASS_REVIEW,
    REQUIRE_ACTION,
    ROUTE,
    SELECT_FOR_REVIEW,
    Approval,
    Comment,
    Decision,
    Passing,
    Refusing,
    Reviewing,
)
from dealreg.verbs.ending import CLOSE, FAIL_UNANSWERED, REGISTER_AFTER_ALL, RETRACT, WITHDRAW
from dealreg.verbs.filing import CLOSE_UNREGISTERED, OPEN, RESUBMIT, SUBMIT, Opening, judge
from dealreg.verbs.marketplace import MATCH, NO_MATCH, Found, Sale
from dealreg.verbs.reopening import OPEN_ANEW, REOPEN, REPLACE, Reopening
from dealreg.verbs.revalidating import REVALIDATE, NewValue
from portal.workflow import services as workflow
from portal.workflow.verbs import Machine

MACHINE = workflow.register(
    Machine(
        model=Registration,
        creations=[OPEN],
        verbs=[
            SUBMIT,
            CLOSE_UNREGISTERED,
            REGISTER_AFTER_ALL,
            RESUBMIT,
            WITHDRAW,
            REVALIDATE,
            ROUTE,
            PASS_REVIEW,
            REQUIRE_ACTION,
            FAIL_REVIEW,
            MATCH,
            NO_MATCH,
            SELECT_FOR_REVIEW,
            RETRACT,
            FAIL_UNANSWERED,
            CLOSE,
            REOPEN,
            OPEN_ANEW,
            REPLACE,
        ],
        lock=lock,
        hold=hold,
        state=lambda registration: states.REGISTRATION_STATES[registration.status],
        params=params,
    )
)
