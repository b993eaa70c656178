"""What the reviewers' desk does with registrations: the kind of case that they are, and passing plain ones."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from dealreg import verbs
from dealreg.models import Registration, Validation
from dealreg.selectors import desk
from portal.accounts.rules import REVIEWER, Actor
from portal.desk.rules import KINDS, CaseKind
from portal.workflow import services as workflow
from portal.workflow.blockers import _


def pass_plain(
    object_id: int, *, seen_version: int, validated_by: str, comment: str, actor: Actor, now: datetime
) -> Registration:
    """Pass one of several by its own verb, in its own transaction. Raises as run()."""
    given = verbs.Approval(comment=comment, validated_by=validated_by)
    act = {"seen_version": seen_version, "actor": actor, "now": now}
    return workflow.run_from_page(Registration.objects.get(pk=object_id), verbs.PASS_REVIEW, given, **act)  # type: ignore[arg-type]


def versions(object_ids: Collection[int]) -> dict[int, int]:
    return dict(Registration.objects.filter(pk__in=object_ids).values_list("pk", "version"))


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
        versions=versions,
        validations=dict(Validation.choices),
    ),
    order=10,
)
