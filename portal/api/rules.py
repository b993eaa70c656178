"""What a token may be used for: OAuth scopes (wire.md)."""

from __future__ import annotations

READ = "referrals.read"
WRITE = "referrals.write"
REGISTER = "registrations.write"
ASK_EXCEPTIONS = "exceptions.write"
REPORT_SALES = "marketplace.write"
WEBHOOKS = "webhooks.write"
EVENTS = "events.read"

#: Each scope, and what it allows.
SCOPES = {
    READ: "Read deals, registrations, customers, solutions and partners",
    WRITE: "Create, answer and change deals",
    REGISTER: "Register won deals",
    ASK_EXCEPTIONS: "Ask for exceptions, and answer what the council asks",
    REPORT_SALES: "Report marketplace transactions",
    WEBHOOKS: "Manage the company's webhook",
    EVENTS: "Read what happened, in order",
}


def granted_scopes(asked: str, allowed: str) -> str:
    """The scopes that a client gets of those it asks for: all it has if it asks for none or for `…/.default`."""
    has = allowed.split()
    wanted = asked.split()
    if not wanted or any(scope.endswith("/.default") for scope in wanted):
        return " ".join(has)
    return " ".join(scope for scope in wanted if scope in has)
