"""What can be done to an ISV Connect deal: every verb in one definition, and the machine they make (ISV-5)."""

from isvconnect.models import IsvDeal
from isvconnect.rules import states
from isvconnect.timeline import params
from isvconnect.verbs.base import lock
from isvconnect.verbs.invoicing import CANCEL, ISSUE_INVOICES, SET_FEES, Cancelling, Issuing
from isvconnect.verbs.reporting import CORRECT, REPORT, Report
from portal.workflow import services as workflow
from portal.workflow.verbs import Machine

MACHINE = workflow.register(
    Machine(
        model=IsvDeal,
        creations=[REPORT],
        verbs=[CORRECT, CANCEL, SET_FEES, ISSUE_INVOICES],
        lock=lock,
        state=lambda deal: states.STATES[deal.status],
        params=params,
    )
)
