"""What licences decide, on plain values (LIC-1 to LIC-8)."""

from licensing.rules.consent import (
    Consent,
    code_blockers,
    code_wrong,
    consent_blockers,
    invitation_blockers,
    is_address,
    mail_limit_blockers,
    unconfirmed,
)
from licensing.rules.counts import (
    CONSENT_REVOKED,
    DEAL_CANCELLED,
    Count,
    CustomerFacts,
    DealFacts,
    PlanFacts,
    addresses,
    assign_blockers,
    count_field,
    differences,
    remove_blockers,
    unassign_blockers,
    update_blockers,
)
