"""What the desk shows: whose a case is, what it is found by, and the desk's figures (FLOW-12, FLOW-13)."""

from portal.desk.selectors.claims import (
    MARK,
    belongs_to,
    case_of,
    claim_blocker,
    claim_blockers_of,
    may_decide,
    searchable,
)
