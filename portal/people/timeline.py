"""How the events of companies and people read, and the history of one company's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from portal.accounts.models import Role
from portal.accounts.rules import Actor
from portal.events.models import Event, EventQuerySet
from portal.workflow.blockers import _
from portal.workflow.timeline import Sentence, describe


def role_text(role: str, place: str | None) -> str:
    """A role as people read it, with its location if it is held for one only (ORG-1)."""
    label = str(Role(role).label) if role in Role.values else role
    return f"{label} ({place})" if place else label


def roles_text(held: list[dict[str, Any]]) -> str:
    return ", ".join(role_text(grant["role"], grant["location"]) for grant in held) or gettext("no role")


def _words(event: Event) -> Mapping[str, str]:
    return {
        "person": event.after.get("person", ""),
        "email": event.after.get("email", ""),
        "name": event.after.get("name", ""),
        "roles": roles_text(event.after.get("roles", [])),
        "before": roles_text(event.before.get("roles", [])),
    }


PEOPLE = {
    "invite.sent": Sentence("envelope", "brand", _("%(email)s was invited: %(roles)s")),
    "invite.resent": Sentence("envelope", "neutral", _("The invitation to %(email)s was sent again")),
    "invite.revoked": Sentence("envelope-x", "warning", _("The invitation to %(email)s was taken back")),
    "member.joined": Sentence("person-check", "success", _("%(person)s accepted the invitation: %(roles)s")),
    "member.added": Sentence("person-plus", "success", _("%(person)s was added: %(roles)s")),
    "member.roles_changed": Sentence("shield", "brand", _("%(person)s: %(roles)s; before: %(before)s")),
    "member.deactivated": Sentence("person-dash", "warning", _("%(person)s was deactivated")),
    "member.reactivated": Sentence("person-check", "success", _("%(person)s was reactivated")),
}
PLACES = {
    "location.added": Sentence("geo-alt", "success", _("The location %(name)s was added")),
    "location.changed": Sentence("geo-alt", "neutral", _("The location %(name)s was changed")),
}
CLIENTS = {
    "api_client.created": Sentence("plug", "success", _("The API client %(name)s was made: %(roles)s")),
    "api_client.rotated": Sentence("key", "brand", _("The API client %(name)s got a new secret")),
    "api_client.access_changed": Sentence(
        "shield", "brand", _("What the API client %(name)s may do was changed: %(roles)s")
    ),
    "api_client.key_changed": Sentence("key", "brand", _("The public key of the API client %(name)s was changed")),
    "api_client.revoked": Sentence("plug", "warning", _("The API client %(name)s was revoked")),
}
OTHERS = {
    "person.password_asked": Sentence("key", "neutral", _("A link to choose a password was mailed to %(person)s")),
    "person.locked_out": Sentence("shield-lock", "warning", _("Wrong passwords for the account of %(person)s")),
    "person.added": Sentence("person-plus", "neutral", _("An account was made for %(person)s")),
    "person.changed": Sentence("pencil", "neutral", _("The details of %(person)s were changed")),
    "company.added": Sentence("building", "success", _("%(company)s was added")),
    "company.changed": Sentence("building", "neutral", _("The details of %(company)s were changed")),
}
describe({**PEOPLE, **PLACES, **CLIENTS, **OTHERS}, _words)


def of_company(actor: Actor) -> EventQuerySet:
    """What changed about the actor's own company, its people and its places (ORG-6)."""
    return Event.objects.filter(company_id=actor.own_company_id, verb__in=[*PEOPLE, *PLACES])


def of_clients(actor: Actor) -> EventQuerySet:
    """What changed about the API clients of the actor's own company (ORG-6)."""
    return Event.objects.filter(company_id=actor.own_company_id, verb__in=CLIENTS)
