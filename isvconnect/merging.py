"""What of a company's ISV Connect deals follows when it is merged into another (ORG-1, ISV-6)."""

from __future__ import annotations

from isvconnect.models import Invoice, IsvDeal
from portal.accounts.merging import STAYS, Follows, follow
from portal.workflow.blockers import _

follow(Follows(IsvDeal, lambda company: IsvDeal.objects.filter(company=company)), order=610)
#: It is read with its deal, so whoever has the deal reads it.
STAYS.add(f"{Invoice._meta.label}.company", _("Issued invoices keep the company that they were issued to."), order=610)
