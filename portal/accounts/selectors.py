"""What an installation still needs before partners can work: the README's first steps, each read from the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from portal.accounts import rules
from portal.accounts.models import Company, Location, Membership
from portal.registry import Registry
from portal.workflow.blockers import _


@dataclass(frozen=True)
class Step:
    """One of the first steps. `page`: the name of its address. `optional`: the rest is complete without it."""

    label: str
    text: str
    page: str
    is_done: Callable[[], bool]
    optional: bool = False


@dataclass(frozen=True)
class Found:
    """A step, and whether it is done."""

    step: Step
    done: bool


#: In the order in which they are taken; each app adds its own.
STEPS: Registry[Step] = Registry()


def first_steps() -> list[Found]:
    """All of them, as long as one that is needed is not done; then none."""
    found = [Found(step, step.is_done()) for step in STEPS.values()]
    return found if any(not one.done and not one.step.optional for one in found) else []


def _holds(*roles: str) -> bool:
    """Whether somebody who can act holds each of the roles."""
    held = Membership.objects.acting().filter(grants__role__in=roles).values_list("grants__role", flat=True)
    return set(held.distinct()) >= set(roles)


STEPS.add(
    "companies",
    Step(
        _("Add a partner company"),
        _("Its name and country, and at least one location with its partner id."),
        "admin:accounts_company_add",
        lambda: Location.objects.filter(company__in=Company.objects.partners().open()).exists(),
    ),
    order=10,
)
STEPS.add(
    "people",
    Step(
        _("Add the partner's first person"),
        _("By e-mail and name, then as account admin of the company: from then on the partner keeps its own people."),
        "admin:accounts_user_add",
        lambda: _holds(rules.ACCOUNT_ADMIN),
    ),
    order=20,
)
STEPS.add(
    "staff",
    Step(
        _("Invite a seller and a reviewer"),
        _("In the portal's settings, where your own company's people are kept."),
        "people",
        lambda: _holds(rules.SELLER, rules.REVIEWER),
    ),
    order=30,
)
