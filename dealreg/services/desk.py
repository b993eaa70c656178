"""What the reviewers' desk does with registrations: the kind of case that they are, and passing plain ones."""

from __future__ import annotations

from datetime import datetime

from dealreg import verbs
from dealreg.models import Registration, Validation
from dealreg.selectors import desk
from portal.accounts.rules import REVIEWER, Actor
from portal.desk.rules import KINDS, CaseKind
from portal.workflow import services as workflow
from portal.workflow.blockers import _


def pass_plain(object_id: int, *, validated_by: str, comment: str, actor: Actor, now: datetime) -> Registration:
    """Pass one of several by its own verb, in its own transaction. Raises as run()."""
    registration = Registration.objects.get(pk=object_id)
    given = verbs.Approval(comment=comment, validated_by=validated_by)
    return workflow.run(registration, verbs.PASS_REVIEW, given, actor=actor, now=now)


KINDS.add(
    desk.REGISTRATION,
    CaseKind(
        code=desk.REGISTRATION,
        label=_("Deal registrations"),
        page="admin:dealreg_registration_change",
        roles=(REVIEWER,),
        reasons=desk.REASONS,
        waiting=desk.waiting,
        pass_plain=pass_plain,
        validations=dict(Validation.choices),
    ),
    order=10,
)
