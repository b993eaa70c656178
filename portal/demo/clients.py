"""The demo's API clients, whose secret everybody knows: production refuses to run with them (portal/refusals.py)."""

from __future__ import annotations

from datetime import datetime

from portal.accounts.rules import PROGRAMME_MANAGER, REFERRALS_ADMIN, SYSTEM
from portal.api.rules import SCOPES
from portal.api.services import clients
from portal.demo.cast import Cast

SECRET = "ortak-demo-secret"  # noqa: S105  the demo's, in the documentation

# client id, name, company, role
_CLIENTS = [
    ("contoso-crm", "Contoso CRM", "contoso", REFERRALS_ADMIN),
    ("fabrikam-crm", "Fabrikam CRM", "fabrikam", REFERRALS_ADMIN),
    ("vendor-ops", "Operations", "vendor", PROGRAMME_MANAGER),
]


def create(cast: Cast, *, now: datetime) -> None:
    """One for each of two partners, and one of the vendor's."""
    for client_id, name, company, role in _CLIENTS:
        clients.create(
            company=cast.companies[company],
            name=name,
            scopes=list(SCOPES),
            role=role,
            actor=SYSTEM,
            now=now,
            client_id=client_id,
            client_secret=SECRET,
            is_demo=True,
        )
