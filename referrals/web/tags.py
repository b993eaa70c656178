"""What templates say about deals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.template.context import Context
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from portal.ui.templatetags.ortak import badge, when
from portal.workflow.blockers import Blocker, _
from referrals import rules
from referrals.models import Referral
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


@register.simple_tag
def substatus_badge(substatus: str) -> SafeString:
    return badge(_SUBSTATUS_KINDS[substatus], gettext(rules.SUBSTATUSES[substatus]))


#: How the partner's copy ended, for the vendor.
_OUTCOMES = {
    rules.WON: _("Won by %(company)s %(when)s"),
    rules.LOST: _("Lost by %(company)s %(when)s"),
    rules.DECLINED: _("Declined by %(company)s %(when)s"),
    rules.EXPIRED: _("Not answered by %(company)s"),
    rules.ERROR: _("Closed by %(company)s %(when)s"),
}


@register.simple_tag
def partner_outcome(copy: Referral) -> SafeString:
    """{% partner_outcome seller %}: how the partner's copy ended, and how long ago; nothing while it is open."""
    if copy.substatus not in _OUTCOMES:
        return SafeString("")
    words = {"company": escape(copy.company.name), "when": when(copy.closed_at, "relative")}
    kind = _SUBSTATUS_KINDS[copy.substatus]
    told = SafeString(gettext(_OUTCOMES[copy.substatus]) % words)
    return format_html('<span class="o-outcome o-outcome--{}">{}</span>', kind, told)


@register.inclusion_tag("components/new_deal.html")
def new_deal_button(blockers: Sequence[Blocker]) -> dict[str, Any]:
    """*New deal*, or why it is not available (ORG-5)."""
    return {"blockers": blockers}


@register.inclusion_tag("referrals/_send_button.html", takes_context=True)
def send_deal_button(context: Context) -> dict[str, Any]:
    """*Send a deal to a partner*, for the vendor's sellers (REF-10)."""
    return {"allowed": may_send(context["request"].actor)}
