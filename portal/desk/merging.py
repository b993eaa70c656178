"""The cases of a company follow when it is merged into another (ORG-1)."""

from __future__ import annotations

from portal.accounts.merging import Follows, follow
from portal.desk.models import Case

follow(Follows(Case, lambda company: Case.objects.filter(company=company)), order=330)
