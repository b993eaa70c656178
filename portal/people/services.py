"""The verbs on companies, their people and locations: the rows are accounts', the event and the mail go with them.

Whoever changes people, on the settings pages or in the administration, does it here, so that every change is kept with
who and when (ORG-2).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any, Unpack

from django.core.exceptions import PermissionDenied
from django.db import models, transaction

from portal.accounts import invites
from portal.accounts import services as accounts
from portal.accounts.models import Company, Invite, Location, Membership, User
from portal.accounts.rules import INVITING_VERBS, Actor, Grant, invitation_limit_blockers
from portal.accounts.services import PersonDetails
from portal.events import services as events
from portal.events.models import Event
from portal.notify.rules import INVITATION
from portal.notify.services import Message, notify
from portal.people.policies import may_change, runs_programme
from portal.policy import services as policies
from portal.workflow.blockers import RuleViolation, _


def _allow(actor: Actor, company_id: int) -> None:
    if not may_change(actor, company_id):
        raise PermissionDenied


def _record(subject: models.Model, verb: str, *, actor: Actor, now: datetime, **what: Any) -> Event:
    (event,) = events.record([events.new_event(subject, verb, actor=actor, now=now, **what)])
    return event


def _roles(company: Company, grants: Iterable[Grant]) -> list[dict[str, str | None]]:
    """Roles as events keep them: with the location's name of that day."""
    names = dict(company.locations.values_list("pk", "name"))
    held = [(grant.role, names.get(grant.location_id) if grant.location_id else None) for grant in grants]
    return [{"role": role, "location": place} for role, place in sorted(held, key=lambda h: (h[0], h[1] or ""))]


# Invitations


@transaction.atomic
def invite(
    *, company: Company, email: str, grants: Iterable[Grant], language: str, actor: Actor, now: datetime
) -> Invite:
    """Ask somebody into the company by mail (ORG-1, ORG-2). Raises RuleViolation, also for one too many (REF-24)."""
    _allow(actor, company.pk)
    _check_limit(company.pk, now)
    asked = invites.create(company=company, email=email, grants=grants, language=language, actor=actor, now=now)
    _mail(asked, "invite.sent", actor=actor, now=now)
    return asked


@transaction.atomic
def resend(asked: Invite, *, actor: Actor, now: datetime) -> Invite:
    """The same link once more, good for another while; also after it expired. Raises RuleViolation (REF-24)."""
    _allow(actor, asked.company_id)
    _check_limit(asked.company_id, now)
    asked = invites.renew(asked, now=now)
    _mail(asked, "invite.resent", actor=actor, now=now)
    return asked


def _check_limit(company_id: int, now: datetime) -> None:
    """Raises RuleViolation once the company has mailed what the policy allows on a day of UTC (REF-24)."""
    accounts.lock_company(company_id)
    today = datetime.combine(now.astimezone(UTC).date(), time.min, UTC)
    sent = Event.objects.filter(company_id=company_id, at__gte=today, verb__in=INVITING_VERBS).count()
    most, until = policies.current(now).invitations_per_day, today + timedelta(days=1)
    if blockers := list(invitation_limit_blockers(sent=sent, most=most, until=until)):
        raise RuleViolation(blockers)


@transaction.atomic
def revoke(asked: Invite, *, actor: Actor, now: datetime) -> Invite:
    """Take an invitation back; its link says so from now on. Raises RuleViolation."""
    _allow(actor, asked.company_id)
    asked = invites.revoke(asked, now=now)
    _record_invite(asked, "invite.revoked", actor=actor, now=now)
    return asked


def _record_invite(asked: Invite, verb: str, *, actor: Actor, now: datetime) -> Event:
    after = {"email": asked.email, "roles": _roles(asked.company, asked.wanted)}
    return _record(asked, verb, actor=actor, now=now, company_id=asked.company_id, after=after)


def _mail(asked: Invite, verb: str, *, actor: Actor, now: datetime) -> None:
    """The link is made when the mail goes out: neither the notice, the event nor a page of the company holds it."""
    event = _record_invite(asked, verb, actor=actor, now=now)
    message = Message(
        event,
        [asked.email],
        _("%(person)s invites you to %(company)s"),
        _(
            "%(person)s asks you to join %(company)s in Ortak, the portal for deals with partners. "
            "The link is good until %(until)s, and once."
        ),
        params={"person": actor.name, "company": asked.company.name, "until": asked.expires_at},
        category=INVITATION,
        language=asked.language,
    )
    notify([message])


@transaction.atomic
def accept(asked: Invite, *, user: User, now: datetime) -> Membership:
    """The invited person, signed in, joins. Raises RuleViolation."""
    return _joined(asked, invites.accept(asked, user=user, now=now), now)


@transaction.atomic
def accept_as_new(asked: Invite, *, password: str, now: datetime, **details: str) -> Membership:
    """Make the invited person's account and let them join. Raises RuleViolation."""
    return _joined(asked, invites.accept_as_new(asked, password=password, now=now, **details), now)


def _joined(asked: Invite, membership: Membership, now: datetime) -> Membership:
    after = {"person": str(membership.user), "roles": _roles(asked.company, asked.wanted)}
    actor = accounts.actor_for(membership)
    _record(membership, "member.joined", actor=actor, now=now, company_id=asked.company_id, after=after)
    return membership


# Members


@transaction.atomic
def set_membership(
    *, user: User, company: Company, grants: Iterable[Grant], actor: Actor, now: datetime, is_active: bool = True
) -> Membership:
    """Make a person hold exactly these roles in a company, or no access at all (ORG-1, ORG-2). Raises RuleViolation.

    Whoever is deactivated loses access at once; what they did stays recorded as theirs.
    """
    _allow(actor, company.pk)
    accounts.lock_company(company.pk)
    before = Membership.objects.filter(user=user, company=company).first()
    was = {"active": before is not None and before.is_active, "roles": _roles(company, accounts.grants_of(before))}
    wanted = list(grants)
    membership = accounts.set_membership(user=user, company=company, grants=wanted, is_active=is_active, actor=actor)
    if not is_active:
        invites.close_all(company=company, email=user.email, now=now)
    is_now = {"active": is_active, "roles": _roles(company, set(wanted))}
    for verb in _what_changed(was, is_now, new=before is None):
        _record(
            membership,
            verb,
            actor=actor,
            now=now,
            company_id=company.pk,
            before={"roles": was["roles"]},
            after={"person": str(user), "roles": is_now["roles"]},
        )
    return membership


def _what_changed(was: dict[str, Any], is_now: dict[str, Any], *, new: bool) -> list[str]:
    if new:
        return ["member.added"]
    verbs = []
    if was["roles"] != is_now["roles"]:
        verbs.append("member.roles_changed")
    if was["active"] != is_now["active"]:
        verbs.append("member.reactivated" if is_now["active"] else "member.deactivated")
    return verbs


@transaction.atomic
def change_roles(membership: Membership, grants: Iterable[Grant], *, actor: Actor, now: datetime) -> Membership:
    """Give a member other roles, and leave the rest as it is. Raises RuleViolation."""
    accounts.lock_company(membership.company_id)
    return set_membership(
        user=membership.user,
        company=membership.company,
        grants=accounts.checked_grants(grants, vendor=membership.company.is_vendor),
        actor=actor,
        now=now,
        is_active=Membership.objects.get(pk=membership.pk).is_active,
    )


@transaction.atomic
def set_active(membership: Membership, *, active: bool, actor: Actor, now: datetime) -> Membership:
    """Take a member's access away, or give it back with the roles they had. Raises RuleViolation."""
    accounts.lock_company(membership.company_id)
    return set_membership(
        user=membership.user,
        company=membership.company,
        grants=accounts.grants_of(membership),
        actor=actor,
        now=now,
        is_active=active,
    )


# Accounts


@transaction.atomic
def create_person(
    *, email: str, password: str | None, actor: Actor, now: datetime, **details: Unpack[PersonDetails]
) -> User:
    """A new account, of no company yet."""
    person = accounts.create_person(email=email, password=password, **details)
    _record(person, "person.added", actor=actor, now=now, company_id=None, after={"person": str(person)})
    return person


@transaction.atomic
def change_person(
    user: User, *, actor: Actor, now: datetime, is_active: bool, **details: Unpack[PersonDetails]
) -> User:
    """Correct a person's details, or close their account. Raises RuleViolation for the actor's own (ORG-2)."""
    before = events.snapshot(User.objects.get(pk=user.pk))
    changed = accounts.change_person(user, actor=actor, is_active=is_active, **details)
    _record_person(changed, before, actor=actor, now=now)
    return changed


@transaction.atomic
def change_profile(user: User, *, actor: Actor, now: datetime, **details: Unpack[PersonDetails]) -> User:
    """Save what a person says about themselves."""
    before = events.snapshot(User.objects.get(pk=user.pk))
    changed = accounts.change_profile(user, **details)
    _record_person(changed, before, actor=actor, now=now)
    return changed


def _record_person(user: User, before: dict[str, Any], *, actor: Actor, now: datetime) -> None:
    was, is_now = events.changes(before, events.snapshot(user))
    if is_now:
        after = {**is_now, "person": str(user)}
        _record(user, "person.changed", actor=actor, now=now, company_id=None, before=was, after=after)


# Companies and their locations


@transaction.atomic
def create_company(
    *, name: str, country: str, actor: Actor, now: datetime, kind: str = Company.Kind.PARTNER
) -> Company:
    company = accounts.create_company(name=name, country=country, kind=kind)
    after = {"name": company.name, "country": company.country, "kind": company.kind}
    _record(company, "company.added", actor=actor, now=now, company_id=company.pk, after=after)
    return company


@transaction.atomic
def change_company(company: Company, *, actor: Actor, now: datetime, **given: Any) -> Company:
    """Correct what is given of a company, or give or take its standing: top tier, approved for solution assessments,
    each since a day (ORG-7, ORG-8). Raises PermissionDenied for anybody but programme managers."""
    if not runs_programme(actor):
        raise PermissionDenied
    fresh = Company.objects.get(pk=company.pk)
    before = events.snapshot(fresh)
    kept = {name: getattr(fresh, name) for name in ("name", "country", "top_tier_since", "assessments_since")}
    changed = accounts.change_company(fresh, **{**kept, **given})
    was, is_now = events.changes(before, events.snapshot(changed))
    if is_now:
        _record(changed, "company.changed", actor=actor, now=now, company_id=changed.pk, before=was, after=is_now)
    return changed


@transaction.atomic
def add_location(
    *, company: Company, name: str, city: str, country: str, mpn_id: str, actor: Actor, now: datetime
) -> Location:
    """A new site of the company (ORG-1). Raises RuleViolation."""
    _allow(actor, company.pk)
    place = accounts.add_location(company=company, name=name, city=city, country=country, mpn_id=mpn_id)
    _record(place, "location.added", actor=actor, now=now, company_id=company.pk, after=events.snapshot(place))
    return place


@transaction.atomic
def change_location(place: Location, *, actor: Actor, now: datetime, **given: str) -> Location:
    """Correct what is given of it; it is never removed, for deals stay at it (ORG-4). Raises RuleViolation."""
    _allow(actor, place.company_id)
    fresh = Location.objects.get(pk=place.pk)
    before = events.snapshot(fresh)
    kept = {name: before[name] for name in ("name", "city", "country", "mpn_id")}
    changed = accounts.change_location(fresh, **{**kept, **given})
    was, is_now = events.changes(before, events.snapshot(changed))
    if is_now:
        after = {**is_now, "name": changed.name}
        _record(changed, "location.changed", actor=actor, now=now, company_id=place.company_id, before=was, after=after)
    return changed
