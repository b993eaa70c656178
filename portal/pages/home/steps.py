"""What a company does first, each step ticked as soon as the data says that it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, Q
from django.urls import reverse
from django.utils.translation import gettext

from dealreg.models import Registration
from portal.accounts import visits
from portal.accounts.models import Company, Invite, Location, Membership
from portal.accounts.rules import ACCOUNT_ADMIN, REFERRALS_ADMIN, REFERRALS_USER, Actor
from portal.accounts.selectors import vendor_name
from portal.catalog.models import Solution
from portal.workflow.blockers import _
from referrals.models import Referral

#: So many of those who can take a step are named.
MAX_NAMED = 3


@dataclass(frozen=True)
class Step:
    """One of the first steps.

    `done`: the condition, for a company's key and a person's; `page`: the name of its address; `roles`: who can take
    it, none: only the vendor; `after`: the step that it waits for.
    """

    label: str
    text: str
    done: Callable[[int, int], Exists | Q]
    page: str = ""
    roles: tuple[str, ...] = ()
    after: str = ""


STEPS = {
    "locations": Step(
        _("Enter your locations"),
        _("Each with its partner id: deals arrive at one of them, and roles can be given for one."),
        lambda company, _user: Exists(Location.objects.filter(company=company)),
        "locations",
        (ACCOUNT_ADMIN,),
    ),
    "people": Step(
        _("Invite your colleagues"),
        _("By e-mail, each with a role: who answers all deals, who works on some, who only reads."),
        lambda company, user: (
            Exists(Membership.objects.acting().filter(company=company).exclude(user=user))
            | Exists(Invite.objects.waiting().filter(company=company))
        ),
        "people",
        (ACCOUNT_ADMIN,),
    ),
    "solution": Step(
        _("Have a solution listed as co-sell ready"),
        _("A new deal needs one. %(vendor)s lists solutions and says which are ready: ask the programme."),
        lambda company, _user: Exists(Solution.objects.co_sell_ready().filter(publisher=company)),
    ),
    "deal": Step(
        _("Create your first deal"),
        _("For a customer to whom you sell; each step says what it means for the registration later."),
        lambda company, _user: Exists(Referral.objects.filter(company=company)),
        "new_deal",
        (REFERRALS_ADMIN, REFERRALS_USER),
        after="solution",
    ),
    "registration": Step(
        _("Register a won deal"),
        _("You can try out the registration on the page of any accepted deal, before it is won."),
        lambda company, _user: Exists(
            Registration.objects.filter(referral__company=company, submitted_at__isnull=False)
        ),
        "deals",
        (REFERRALS_ADMIN, REFERRALS_USER),
        after="deal",
    ),
}


def shown(actor: Actor, membership: Membership) -> list[dict[str, Any]]:
    """The steps of the person's company, until all are done or the person puts them away; two queries at most."""
    if membership.hides_steps:
        return []
    held: list[Any] = [step.done(actor.own_company_id, actor.user_id or 0) for step in STEPS.values()]
    done = Company.objects.filter(pk=actor.own_company_id).values_list(*held).get()
    ticked = dict(zip(STEPS, done, strict=True))
    if all(done):
        visits.hide_steps(membership)
        return []
    people = _people(actor)
    return [_shown(step, actor, people, ticked, done=ticked[code]) for code, step in STEPS.items()]


def _people(actor: Actor) -> dict[str, list[str]]:
    """Who acts in each role, by name."""
    acting = Membership.objects.acting().filter(company=actor.own_company_id, grants__role__in=_roles())
    found: dict[str, list[str]] = {}
    named = acting.order_by("user__first_name", "user__last_name").values_list(
        "grants__role", "user__first_name", "user__last_name"
    )
    for role, first, last in named:
        found.setdefault(role, []).append(f"{first} {last}".strip())
    return found


def _roles() -> set[str]:
    return {role for step in STEPS.values() for role in step.roles}


def _shown(
    step: Step, actor: Actor, people: dict[str, list[str]], ticked: dict[str, bool], *, done: bool
) -> dict[str, Any]:
    """A step with its link for who can take it now; others are told who can."""
    may = bool(step.roles) and actor.has(*step.roles)
    names = dict.fromkeys(name for role in step.roles for name in people.get(role, ()))
    is_next = not done and (not step.after or ticked[step.after])
    return {
        "label": gettext(step.label),
        "text": gettext(step.text) % {"vendor": vendor_name()},
        "done": done,
        "url": reverse(step.page) if may and is_next else "",
        "who": "" if done or may or not step.roles else ", ".join(list(names)[:MAX_NAMED]) or vendor_name(),
    }
