"""What can be done about licences: every verb in one definition, and the machines they make (LIC-1 to LIC-7)."""

from licensing.models import Invitation, Licences, Relationship
from licensing.rules import states
from licensing.timeline import params
from licensing.verbs.assigning import ASSIGN, UNASSIGN, People
from licensing.verbs.base import lock_invitation, lock_licences, lock_relationship
from licensing.verbs.consenting import ACCEPT, RESUMED, REVOKE_CONSENT, Accept
from licensing.verbs.counting import (
    FREEZE,
    GIVE_LICENCES,
    REMOVE_PLAN,
    UPDATE_LICENCES,
    First,
    Freeze,
    Removal,
    Update,
    judge,
)
from licensing.verbs.inviting import EXPIRE_INVITATION, INVITE, REFUSE, WITHDRAW_INVITATION, Invite
from portal.workflow import services as workflow
from portal.workflow.blockers import _
from portal.workflow.verbs import Machine

INVITATIONS = workflow.register(
    Machine(
        model=Invitation,
        creations=[INVITE],
        verbs=[ACCEPT, REFUSE, WITHDRAW_INVITATION, EXPIRE_INVITATION],
        lock=lock_invitation,
        state=lambda invitation: states.INVITATION_STATES[invitation.state],
        params=params,
    )
)

RELATIONSHIPS = workflow.register(
    Machine(
        model=Relationship,
        verbs=[REVOKE_CONSENT],
        lock=lock_relationship,
        state=lambda relationship: states.RELATIONSHIP_STATES[relationship.state],
        params=params,
    )
)

LICENCES = workflow.register(
    Machine(
        model=Licences,
        creations=[GIVE_LICENCES],
        verbs=[UPDATE_LICENCES, REMOVE_PLAN, ASSIGN, UNASSIGN, FREEZE],
        lock=lock_licences,
        state=lambda licences: _("Frozen") if licences.is_frozen else _("Active"),
        params=params,
        along=[RESUMED],
    )
)
