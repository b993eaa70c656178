"""The cases of a company follow when it is merged into another (ORG-1)."""

from __future__ import annotations

from datetime import datetime

from portal.accounts.merging import Follows, follow
from portal.accounts.models import Company
from portal.desk import services
from portal.desk.models import Case, CaseQuerySet


def _cases(company: Company) -> CaseQuerySet:
    return Case.objects.filter(company=company)


def _name_anew(gone: Company, kept: Company, now: datetime) -> None:
    services.find_by(_cases(gone), kept.name)


follow(Follows(Case, _cases, makes_room=_name_anew), order=330)
