"""What of the customers' consents follows when a company is merged into another (ORG-1, LIC-6).

Licences belong to their ISV Connect deals, and follow with them.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Exists, OuterRef

from licensing.models import Invitation, Relationship
from portal.accounts.merging import Follows, follow, names
from portal.accounts.models import Company
from portal.workflow.blockers import Blocker, _


def _twice(gone: Company, kept: Company) -> Iterator[Blocker]:
    """A customer consents to a company once for each tenant; licences hang on either (LIC-6)."""
    other = Relationship.objects.consented().filter(
        company=kept, customer=OuterRef("customer"), tenant_guid=OuterRef("tenant_guid")
    )
    if found := list(Relationship.objects.consented().filter(Exists(other), company=gone).select_related("customer")):
        message = _(
            "A customer has consented to both for the same tenant, so neither consent can follow: %(names)s. "
            "One of them has to be taken back first."
        )
        yield Blocker("merge_consents", message, "LIC-6", params={"names": names(one.customer for one in found)})


follow(Follows(Relationship, lambda company: Relationship.objects.filter(company=company), refuses=_twice), order=710)
follow(Follows(Invitation, lambda company: Invitation.objects.filter(company=company)), order=720)
