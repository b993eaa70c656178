"""What templates say about registrations and eligibility."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from dealreg.models import Registration
from dealreg.rules import states
from dealreg.rules.criteria import Criterion
from portal.ui.templatetags.ortak import badge
from portal.workflow import text
from portal.workflow.blockers import Blocker, _

register = template.Library()

STATUS_KINDS = {
    states.REGISTRATION_PENDING: "warning",
    states.APPROVED: "success",
    states.REVIEW_PENDING: "info",
    states.ACTION_REQUIRED: "danger",
    states.REVIEW_PASSED: "success",
    states.REVIEW_FAILED: "danger",
    states.MARKETPLACE_PENDING: "info",
    states.MARKETPLACE_PASSED: "success",
    states.MARKETPLACE_FAILED: "danger",
}

#: The names of criteria; apps above add those of theirs.
CRITERIA = {
    "not_assessment": _("Not a solution assessment"),
    "deal_type": _("Deal type"),
    "minimum_value": _("Minimum value"),
    "managed_customer": _("Managed customer"),
    "ip_solution": _("Azure IP solution"),
    "won": _("Won"),
    "vendor_accepted": _("Accepted by %(vendor)s"),
}


@register.simple_tag
def registration_badge(registration: Registration) -> SafeString:
    """Its state; of a closed one the outcome, in the outcome's colour."""
    if registration.status == states.CLOSED:
        return badge(STATUS_KINDS.get(registration.outcome, "neutral"), registration.outcome_text)
    return badge(STATUS_KINDS[registration.status], gettext(states.REGISTRATION_STATES[registration.status]))


#: Who can still settle what is open.
_SETTLERS = {
    "you": _("You, before the win"),
    "vendor": _("%(vendor)s"),
    "time": _("Time: the rate of the month is still to come"),
    "nobody": _("Nobody: this can't change any more"),
}


@register.filter
def settler(criterion: Criterion) -> str:
    return text.phrase(_SETTLERS[criterion.settled_by])


@register.filter
def criterion_name(criterion: Criterion) -> str:
    return text.text(Blocker("", CRITERIA[criterion.code]))
