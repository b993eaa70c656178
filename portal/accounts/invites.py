"""Asking people into a company, and what an accepted invitation makes of a person; each with its event.

Whoever mails invitations hears of them by that event (portal.notify.reactions).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

from django.core.signing import Signer
from django.db import IntegrityError, transaction

from portal.accounts import rules, selectors, services
from portal.accounts.models import Company, Invite, Membership, User
from portal.accounts.rules import Actor, Grant
from portal.accounts.services import PersonDetails
from portal.events import services as events
from portal.events.models import Event
from portal.policy import services as policies
from portal.workflow.blockers import Blocker, RuleViolation, _


def token(invite: Invite) -> str:
    """What the link holds: worked out whenever the link is written or opened, and kept nowhere.

    It needs SECRET_KEY, so nobody makes one from the database. A mail that is tried again holds the same link:
    whichever of them arrives, it works.
    """
    return Signer(sep=".", salt="portal.accounts.invite").sign(str(invite.public_id))


def digest(token: str) -> str:
    """What the database keeps of a token: enough to know it again (SHA-256, hexadecimal)."""
    return hashlib.sha256(token.encode()).hexdigest()


def of_token(text: str) -> Invite | None:
    """The invitation a link is for; None for a link that we never made. Whether it is still good, the row says."""
    return Invite.objects.select_related("company", "invited_by").filter(token_hash=digest(text)).first()


@transaction.atomic
def create(
    *, company: Company, email: str, grants: Iterable[Grant], language: str, actor: Actor, now: datetime
) -> Invite:
    """Ask somebody in with these roles; one open invitation for each address, so an expired one makes room.

    Raises RuleViolation for roles that can't be given, for somebody who is in the company or asked in already, and
    for one invitation too many (ORG-1, ORG-2, REF-24).
    """
    services.check_allowed(actor, company.pk)
    _check_limit(company.pk, now)
    _check_open(company.pk)
    email, wanted = email.strip().lower(), services.checked_grants(grants, vendor=company.is_vendor)
    _refuse([*services.location_and_role_blockers(company, wanted), *_asking_blockers(company, email, now=now)])
    company.invites.waiting().filter(email=email).update(revoked_at=now)
    asked = Invite(
        company=company,
        email=email,
        grants=[{"role": g.role, "location_id": g.location_id} for g in sorted(wanted, key=str)],
        language=language,
        invited_by=User.objects.get(pk=actor.user_id or 0),
        created_at=now,
        expires_at=now + _good_for(now),
    )
    asked.token_hash = digest(token(asked))
    asked.save()
    _record(asked, "invite.sent", actor=actor, now=now)
    return asked


def _good_for(now: datetime) -> timedelta:
    return policies.current(now).invitation_link_time


def _check_limit(company_id: int, now: datetime) -> None:
    """Raises RuleViolation once the company has mailed what the policy allows on a day of UTC (REF-24)."""
    services.lock_company(company_id)
    today = datetime.combine(now.astimezone(UTC).date(), time.min, UTC)
    sent = Event.objects.filter(company_id=company_id, at__gte=today, verb__in=rules.INVITING_VERBS).count()
    most, until = policies.current(now).invitations_per_day, today + timedelta(days=1)
    _refuse(rules.invitation_limit_blockers(sent=sent, most=most, until=until))


def _check_open(company_id: int) -> None:
    """Raises RuleViolation for a closed company, which waits until its lock is free."""
    company = services.lock_company(company_id)
    _refuse(rules.joining_blockers(company.name, closed=company.is_closed))


def _record(asked: Invite, verb: str, *, actor: Actor, now: datetime) -> None:
    after = {"email": asked.email, "roles": services.roles_of(asked.company, asked.wanted)}
    events.record_one(asked, verb, actor=actor, now=now, company_id=asked.company_id, after=after)


def _asking_blockers(company: Company, email: str, *, now: datetime) -> list[Blocker]:
    member = Membership.objects.filter(company=company, user__email=email).first()
    if member is not None:
        message = (
            _("This person is in your company already; change the roles in the list.")
            if member.is_active
            else _("This person was in your company and is deactivated; reactivate the access in the list instead.")
        )
        return [Blocker("member_already", message, "ORG-2", "email")]
    if company.invites.waiting().filter(email=email, expires_at__gt=now).exists():
        message = _("This address has an open invitation already; send that one again, or take it back first.")
        return [Blocker("invited_already", message, "ORG-2", "email")]
    return []


def _locked(invite: Invite) -> Invite:
    """The invitation as it is now, while nobody else changes the company's people."""
    services.lock_company(invite.company_id)
    return Invite.objects.select_related("company", "invited_by").get(pk=invite.pk)


def _refuse(blockers: Iterable[Blocker]) -> None:
    if found := list(blockers):
        raise RuleViolation(found)


def _still_waiting(invite: Invite, now: datetime) -> Invite:
    """As it is now. Raises RuleViolation for one that was accepted or taken back; it may have expired."""
    fresh = _locked(invite)
    state = fresh.state(now)
    _refuse(rules.invite_blockers(state) if state != rules.EXPIRED else ())
    return fresh


@transaction.atomic
def resend(invite: Invite, *, actor: Actor, now: datetime) -> Invite:
    """The same link once more, good for another while; also after it expired. Raises RuleViolation (REF-24).

    The link stays the same, unless SECRET_KEY was changed since: then the new one counts.
    """
    services.check_allowed(actor, invite.company_id)
    _check_limit(invite.company_id, now)
    _check_open(invite.company_id)
    fresh = _still_waiting(invite, now)
    fresh.expires_at, fresh.token_hash = now + _good_for(now), digest(token(fresh))
    fresh.save(update_fields=["expires_at", "token_hash"])
    _record(fresh, "invite.resent", actor=actor, now=now)
    return fresh


@transaction.atomic
def revoke(invite: Invite, *, actor: Actor, now: datetime) -> Invite:
    """Take an invitation back; its link says so from now on. Raises RuleViolation."""
    services.check_allowed(actor, invite.company_id)
    fresh = _still_waiting(invite, now)
    fresh.revoked_at = now
    fresh.save(update_fields=["revoked_at"])
    _record(fresh, "invite.revoked", actor=actor, now=now)
    return fresh


@transaction.atomic
def accept(invite: Invite, *, user: User, now: datetime) -> Membership:
    """The person it was sent to becomes a member with its roles; good once, however often it is tried.

    Raises RuleViolation: no longer open, another person's, or access that was taken away meanwhile.
    """
    fresh = _locked(invite)
    _refuse(rules.invite_blockers(fresh.state(now)))
    _check_open(fresh.company_id)
    _refuse(_accepting_blockers(fresh, user))
    membership, _created = Membership.objects.get_or_create(user=user, company=fresh.company)
    services.give(membership, fresh.wanted)
    fresh.accepted_at = now
    fresh.save(update_fields=["accepted_at"])
    after = {"person": str(user), "roles": services.roles_of(fresh.company, fresh.wanted)}
    actor = selectors.actor_for(membership)
    events.record_one(membership, "member.joined", actor=actor, now=now, company_id=fresh.company_id, after=after)
    return membership


def _accepting_blockers(invite: Invite, user: User) -> Iterable[Blocker]:
    if user.email != invite.email.lower():
        yield Blocker(
            "invite_of_another",
            _("This invitation is for %(email)s. Sign in with that address to accept it."),
            "ORG-2",
            params={"email": invite.email},
        )
    if Membership.objects.filter(user=user, company=invite.company, is_active=False).exists():
        message = _("Your access to this company was taken away. Ask one of its account admins.")
        yield Blocker("member_deactivated", message, "ORG-2")


@transaction.atomic
def accept_as_new(invite: Invite, *, password: str, now: datetime, **details: str) -> Membership:
    """Accept with a new account for the address it was sent to. Raises RuleViolation, also if there is one already."""
    known: PersonDetails = {  # the person fills in the rest later, on their profile
        "first_name": details["first_name"],
        "last_name": details["last_name"],
        "phone": details.get("phone", ""),
        "language": details.get("language") or invite.language,
        "time_zone": invite.invited_by.time_zone,
    }
    fresh = _locked(invite)
    _refuse(rules.invite_blockers(fresh.state(now)))
    _check_open(fresh.company_id)
    try:
        with transaction.atomic():
            user = services.create_account(email=fresh.email, password=password, **known)
    except IntegrityError:
        message = _("This address has an account already. Sign in with it to accept.")
        raise RuleViolation([Blocker("account_exists", message, "ORG-2")]) from None
    return accept(fresh, user=user, now=now)
