"""All verbs of deals, each in one definition, and the state machine they form (REF-11..18)."""

from portal.workflow import services as workflow
from portal.workflow.verbs import Machine
from referrals import rules
from referrals.models import Referral
from referrals.timeline import params
from referrals.verbs.answering import ACCEPT, DECLINE, EXPIRE, Acceptance
from referrals.verbs.base import Reason, lock
from referrals.verbs.copies import RECEIVED
from referrals.verbs.creating import CREATE, SEND, NewDeal, SentDeal, new_deal_blockers
from referrals.verbs.editing import (
    EDIT_CONTACT,
    EDIT_DETAILS,
    EDIT_SOLUTIONS,
    EDIT_TEAM,
    SET_REFERENCES,
    Details,
    References,
    Solutions,
    Team,
    details_of,
)
from referrals.verbs.notes import ADD_NOTE, ADD_PRIVATE_NOTE, NewNote
from referrals.verbs.progress import (
    CANCEL_WIN,
    CLOSE_AS_ERROR,
    END_WIN_PLAN,
    LOSE,
    SCHEDULE_WIN,
    SET_STAGE,
    WIN,
    Signing,
    Stage,
)
from referrals.verbs.sharing import INVITE_PARTNER, REQUEST_HELP, SHARE_WITH_VENDOR, HelpRequest, Invitation

MACHINE = workflow.register(
    Machine(
        model=Referral,
        creations=[CREATE, SEND],
        along=[RECEIVED],
        verbs=[
            ACCEPT,
            DECLINE,
            EXPIRE,
            SET_STAGE,
            EDIT_DETAILS,
            EDIT_TEAM,
            EDIT_SOLUTIONS,
            EDIT_CONTACT,
            SET_REFERENCES,
            ADD_NOTE,
            ADD_PRIVATE_NOTE,
            INVITE_PARTNER,
            SHARE_WITH_VENDOR,
            REQUEST_HELP,
            CANCEL_WIN,
            SCHEDULE_WIN,
            END_WIN_PLAN,
            CLOSE_AS_ERROR,
            LOSE,
            WIN,
        ],
        lock=lock,
        locked_with=("self", "engagement"),
        state=lambda referral: rules.SUBSTATUSES[referral.substatus],
        params=params,
    )
)
