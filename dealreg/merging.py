"""What of a company's sales on the marketplace follows when it is merged into another (ORG-1, REG-10).

Registrations belong to their deals, and follow with them. What was decided and frozen stays as it is.
"""

from __future__ import annotations

from dealreg.models import MarketplaceTransaction
from portal.accounts.merging import Follows, follow

follow(
    Follows(MarketplaceTransaction, lambda company: MarketplaceTransaction.objects.filter(company=company)), order=510
)
