"""The verbs of the catalogue: list a solution, say which tags it bears."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction

from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.catalog import policies, rules
from portal.catalog.models import AssessmentType, Solution
from portal.catalog.rules import Fault, Tags
from portal.events import services as events

TAGS_CHANGED = "solution.tags_changed"


class TagsRefused(ValueError):
    """These tags don't go together on this solution; carries everything that is wrong with them."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(", ".join(fault.code for fault in self.faults))


def create_solution(
    *,
    code: str,
    name: str,
    publisher: Company,
    kind: str = Solution.Kind.IP,
    published: bool = False,
    co_sell_ready: bool = False,
    azure_ip: bool = False,
    biz_apps: str = Solution.BizApps.NONE,
) -> Solution:
    """List a solution. Raises TagsRefused; the solution id (SOL-12345-ABC) must be new."""
    tags = Tags(published, co_sell_ready, azure_ip, biz_apps)
    if faults := rules.faults_of(kind, tags):
        raise TagsRefused(faults)
    return Solution.objects.create(code=code.strip(), name=name.strip(), publisher=publisher, kind=kind, **asdict(tags))


@transaction.atomic
def set_tags(
    solution: Solution,
    *,
    actor: Actor,
    now: datetime,
    published: bool | None = None,
    co_sell_ready: bool | None = None,
    azure_ip: bool | None = None,
    biz_apps: str | None = None,
) -> Solution:
    """Say which tags a solution bears (ELIG-5, ISV-1), None leaving one as it is; the row as it then is.

    Records `solution.tags_changed` if anything changed. Raises PermissionDenied, TagsRefused.
    """
    if not policies.may_keep(actor):
        raise PermissionDenied
    fresh = Solution.objects.select_for_update(of=("self",)).get(pk=solution.pk)
    asked = {"published": published, "co_sell_ready": co_sell_ready, "azure_ip": azure_ip, "biz_apps": biz_apps}
    tags = replace(fresh.tags, **{name: value for name, value in asked.items() if value is not None})
    if faults := rules.faults_of(fresh.kind, tags):
        raise TagsRefused(faults)
    before, after = events.changes(asdict(fresh.tags), asdict(tags))
    if after:
        for name, value in after.items():
            setattr(fresh, name, value)
        fresh.save(update_fields=list(after))
        event = events.new_event(
            fresh, TAGS_CHANGED, actor=actor, now=now, company_id=fresh.publisher_id, before=before, after=after
        )
        events.record([event])
    return fresh


def create_assessment_type(*, code: str, name: str) -> AssessmentType:
    return AssessmentType.objects.create(code=code.strip(), name=name.strip())
