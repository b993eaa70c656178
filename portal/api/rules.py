"""What a token may be used for: OAuth scopes (wire.md); and what is wrong with what was typed for an API client."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from portal.workflow.blockers import Blocker, _

READ = "referrals.read"
WRITE = "referrals.write"
REGISTER = "registrations.write"
ASK_EXCEPTIONS = "exceptions.write"
READ_LICENCES, WRITE_LICENCES = "licensing.read", "licensing.write"
READ_ISV, WRITE_ISV = "isvconnect.read", "isvconnect.write"
REPORT_SALES = "marketplace.write"
WEBHOOKS = "webhooks.write"
EVENTS = "events.read"

#: Each scope, and what it allows.
SCOPES = {
    READ: _("Read deals, registrations, customers, solutions and partners"),
    WRITE: _("Create, answer and change deals"),
    REGISTER: _("Register won deals"),
    ASK_EXCEPTIONS: _("Ask for exceptions, and answer what the council asks"),
    READ_LICENCES: _("Read customers' consents, and the licences of deals"),
    WRITE_LICENCES: _("Invite customers to consent, and change the licences of deals"),
    READ_ISV: _("Read ISV Connect deals and their invoices"),
    WRITE_ISV: _("Report ISV Connect deals, and correct them"),
    REPORT_SALES: _("Report marketplace transactions"),
    WEBHOOKS: _("Manage the company's webhook"),
    EVENTS: _("Read what happened, in order"),
}
#: Microsoft's clients ask for these as well; they say who signs in, which the token does anyway.
IDENTITY_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})
#: An app on the person's own machine listens there (RFC 8252).
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def granted_scopes(asked: str, allowed: str) -> str:
    """The scopes that a client gets of those it asks for: all it has if it asks for none or for `…/.default`."""
    has = allowed.split()
    wanted = [scope for scope in asked.split() if scope not in IDENTITY_SCOPES]
    if not wanted or any(scope.endswith("/.default") for scope in wanted):
        return " ".join(has)
    return " ".join(scope for scope in wanted if scope in has)


def client_blockers(*, scopes: Sequence[str], for_people: bool, redirect_uris: Sequence[str]) -> Iterator[Blocker]:
    """What is wrong with a client besides its role (ORG-2): no scope, or nowhere to send people back to."""
    if not set(scopes) & SCOPES.keys():
        yield Blocker("scope_missing", _("Choose at least one thing that the client may do."), "ORG-2", "scopes")
    if for_people and not redirect_uris:
        message = _("Say where people are sent back to after they agreed: one address a line.")
        yield Blocker("redirect_missing", message, "ORG-2", "redirect_uris")
    for uri in redirect_uris:
        if not _may_redirect_to(uri):
            message = _(
                "%(uri)s can't be used: write a full https address without a fragment, or http to this machine."
            )
            yield Blocker("redirect_refused", message, "ORG-2", "redirect_uris", {"uri": uri})


def _may_redirect_to(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or "#" in uri or "*" in host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)


REVOKED = Blocker("client_revoked", _("This client was revoked; make a new one."), "ORG-2")
KEY_UNREADABLE = Blocker(
    "key_unreadable",
    _("This is no public key: paste a PEM public key or a JWK set, of RSA (2048 bits or more) or an elliptic curve."),
    "ORG-2",
    "public_keys",
)
