"""What of a company's API clients follows when it is merged into another (ORG-1)."""

from __future__ import annotations

from portal.accounts.merging import Follows, follow
from portal.api.models import ApiClient

#: They have no tokens since the company was closed, and act for the other one with the next.
follow(Follows(ApiClient, lambda company: ApiClient.objects.filter(company=company)), order=210)
