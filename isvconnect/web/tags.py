"""What templates say about ISV Connect deals."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import format_percent
from django import template
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from dealreg.web.tags import CRITERIA
from isvconnect.models import IsvDeal, Tag
from isvconnect.rules import states
from portal.ui.templatetags.ortak import badge
from portal.workflow.blockers import _

register = template.Library()

CRITERIA.update({"isv_solution": _("ISV Connect tag"), "isv_value": _("Minimum value")})

_KINDS = {
    states.SUBMITTED: "info",
    states.INVOICED: "warning",
    states.COMPLETED: "success",
    states.CANCELLED: "danger",
}


@register.simple_tag
def isv_badge(deal: IsvDeal) -> SafeString:
    """The state of a deal."""
    return badge(_KINDS[deal.status], deal.get_status_display())


@register.simple_tag
def isv_tag_badge(tag: str) -> SafeString:
    """The incentive tag of what was sold."""
    return badge("neutral", gettext("Business Applications %(tag)s") % {"tag": Tag(tag).label})


@register.filter
def fee_percent(percent: Decimal) -> str:
    """{{ deal.percent|fee_percent }}: 3.5%, with as many digits as it has."""
    return format_percent(percent / 100, format="#,##0.###%", locale=get_language() or "en", decimal_quantization=False)
