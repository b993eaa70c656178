"""What pages say about deals: statuses as badges, msgids of the rules in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from babel import Locale
from babel.numbers import format_percent
from django import template
from django.template.context import Context
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from dealreg.models import Registration
from dealreg.rules import states
from dealreg.rules.criteria import Criterion
from portal.pages.templatetags.ortak import badge
from portal.workflow import text
from portal.workflow.blockers import Blocker, Param, _
from referrals import rules
from referrals.policies import may_send

register = template.Library()

_SUBSTATUS_KINDS = {
    rules.RECEIVED: "warning",
    rules.ACCEPTED: "info",
    rules.WON: "success",
    rules.LOST: "neutral",
    rules.DECLINED: "danger",
    rules.EXPIRED: "danger",
    rules.ERROR: "danger",
}
_STATUS_KINDS = {
    states.REGISTRATION_PENDING: "brand",
    states.APPROVED: "success",
    states.REVIEW_PENDING: "warning",
    states.ACTION_REQUIRED: "danger",
    states.REVIEW_PASSED: "success",
    states.REVIEW_FAILED: "danger",
    states.MARKETPLACE_PENDING: "warning",
    states.MARKETPLACE_PASSED: "success",
    states.MARKETPLACE_FAILED: "danger",
}


@register.filter
def term(msgid: str) -> str:
    """A msgid of the rules in the reader's language; it may name the vendor."""
    return text.text(Blocker("", msgid)) if msgid else ""


@register.filter
def country_name(code: str) -> str:
    """{{ place.country|country_name }}: a country by its name in the reader's language."""
    name = Locale.parse((get_language() or "en").replace("-", "_")).territories.get(code, code)
    return str(name)


@register.simple_tag
def substatus_badge(substatus: str) -> SafeString:
    return badge(_SUBSTATUS_KINDS[substatus], gettext(rules.SUBSTATUSES[substatus]))


@register.simple_tag
def registration_badge(registration: Registration) -> SafeString:
    """Its state; of a closed one the outcome, in the outcome's colour."""
    if registration.status == states.CLOSED:
        return badge(_STATUS_KINDS.get(registration.outcome, "neutral"), registration.outcome_text)
    return badge(_STATUS_KINDS[registration.status], gettext(states.REGISTRATION_STATES[registration.status]))


@register.inclusion_tag("components/new_deal.html")
def new_deal_button(blockers: Sequence[Blocker]) -> dict[str, Any]:
    """*New deal*, or why it is not available (ORG-5)."""
    return {"blockers": blockers}


@register.inclusion_tag("referrals/_send_button.html", takes_context=True)
def send_deal_button(context: Context) -> dict[str, Any]:
    """*Send a deal to a partner*, for the vendor's sellers (REF-10)."""
    return {"allowed": may_send(context["request"].actor)}


_CRITERIA = {
    "not_assessment": _("Not a solution assessment"),
    "deal_type": _("Deal type"),
    "minimum_value": _("Minimum value"),
    "managed_customer": _("Managed customer"),
    "ip_solution": _("Azure IP solution"),
    "won": _("Won"),
    "vendor_accepted": _("Accepted by %(vendor)s"),
}


@register.filter
def in_percent(share: float) -> str:
    return format_percent(share, locale=get_language() or "en")


@register.filter
def criterion_name(criterion: Criterion) -> str:
    return text.text(Blocker("", _CRITERIA[criterion.code]))


@register.filter
def blocker_value(value: Param) -> str:
    """An instant, day or amount within a sentence, as the rules' own sentences show it."""
    return text.show(value)
