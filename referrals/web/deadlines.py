"""Which days of deals come: until when to answer, when they are won as planned, when they are due to close."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db.models import Exists, OuterRef, Q
from django.db.models.lookups import IsNull
from django.urls import reverse
from django.utils.translation import gettext

from portal.accounts.rules import SELLER, Actor
from portal.ui.deadlines import DEADLINES, Deadline, DeadlineKind
from portal.workflow.blockers import _
from referrals import rules
from referrals.models import Referral, ReferralQuerySet, TeamMember
from referrals.policies import may_change
from referrals.selectors import partner_side
from referrals.selectors.recipients import people_of


def own(actor: Actor) -> ReferralQuerySet:
    """The company's own deals that the actor may see, with their teams."""
    visible = Referral.objects.visible_to(actor).filter(company_id=actor.own_company_id)
    return visible.with_context().prefetch_related("team")


def to_answer(actor: Actor) -> ReferralQuerySet:
    """What the company has to answer; of the vendor's people only the sellers can (REF-12)."""
    found = own(actor).unanswered()
    return found if actor.has(SELLER) or not actor.is_vendor else found.none()


def going_on(actor: Actor) -> ReferralQuerySet:
    """The company's own deals that are neither won nor lost; the vendor's, as long as the partner's sale isn't."""
    found = own(actor).filter(substatus=rules.ACCEPTED)
    return found.filter(IsNull(partner_side.stage(), False)) if actor.is_vendor else found


def deadline(title: str, referral: Referral, due: date | datetime, *, url: str = "", note: str = "") -> Deadline:
    """About this deal; without a `url` of its own it leads to the deal's page."""
    until = due if isinstance(due, datetime) else None
    return Deadline(
        day=until.date() if until else due,
        until=until,
        name=referral.name,
        title=title,
        url=url or reverse("deal", args=[referral.public_id]),
        customer=referral.engagement.customer.name,
        money=referral.money,
        note=note,
        uid=str(referral.public_id),
        changed=referral.updated_at,
    )


def acting(referrals: Sequence[Referral], actor: Actor) -> list[tuple[str, ...]]:
    """Who can act on each deal, by name, the reader first as *You*; two queries (ORG-2)."""
    people = people_of(referrals)
    found = []
    for referral in referrals:
        able = [a for a in people.members.get(referral.company_id, ()) if may_change(a, referral)]
        names = [a.name for a in able if a.user_id != actor.user_id]
        found.append((*([gettext("You")] if len(names) < len(able) else []), *names))
    return found


def listing(actor: Actor, referral: str = "") -> Q:
    """Deals whose team lists the actor; `referral` leads there from another record."""
    return Q(Exists(TeamMember.objects.filter(referral=OuterRef(referral or "pk"), email=actor.email.lower())))


DEADLINES.add(
    "answer",
    DeadlineKind(
        label=_("Answers due"),
        icon="envelope",
        find=lambda actor, now: to_answer(actor),
        due="expires_at",
        make=lambda row: deadline(gettext("Answer this deal"), row, row.expires_at),
        who=acting,
        mine=listing,
    ),
    order=10,
)
DEADLINES.add(
    "win",
    DeadlineKind(
        label=_("Planned wins"),
        icon="trophy",
        find=lambda actor, now: going_on(actor).filter(win_at__isnull=False),
        due="win_at",
        make=lambda row: deadline(gettext("Is marked as won"), row, row.win_at),
        who=acting,
        mine=listing,
    ),
    order=80,
)
DEADLINES.add(
    "close",
    DeadlineKind(
        label=_("Estimated close dates"),
        icon="calendar3",
        find=lambda actor, now: going_on(actor),
        due="close_date",
        make=lambda row: deadline(gettext("Estimated close"), row, row.close_date),
        who=acting,
        mine=listing,
        by_day=True,
    ),
    order=90,
)
