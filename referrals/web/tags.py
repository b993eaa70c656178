"""What templates say about deals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.template.context import Context
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from portal.ui.templatetags.ortak import badge
from portal.workflow.blockers import Blocker
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


@register.simple_tag
def substatus_badge(substatus: str) -> SafeString:
    return badge(_SUBSTATUS_KINDS[substatus], gettext(rules.SUBSTATUSES[substatus]))


@register.inclusion_tag("components/new_deal.html")
def new_deal_button(blockers: Sequence[Blocker]) -> dict[str, Any]:
    """*New deal*, or why it is not available (ORG-5)."""
    return {"blockers": blockers}


@register.inclusion_tag("referrals/_send_button.html", takes_context=True)
def send_deal_button(context: Context) -> dict[str, Any]:
    """*Send a deal to a partner*, for the vendor's sellers (REF-10)."""
    return {"allowed": may_send(context["request"].actor)}
