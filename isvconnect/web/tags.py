"""What templates say about ISV Connect deals."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from dealreg.web.tags import CRITERIA
from isvconnect.models import IsvDeal, Tag
from isvconnect.rules import states
from portal.ui.templatetags.ortak import badge
from portal.workflow.blockers import _

register = template.Library()

CRITERIA.update({"isv_solution": _("ISV Connect tag"), "isv_value": _("Minimum value")})

_KINDS = {
    states.SUBMITTED: "info",
    states.INVOICED: "info",
    states.COMPLETED: "success",
    states.CANCELLED: "danger",
}


@register.simple_tag
def isv_badge(deal: IsvDeal, *, named: bool = False) -> SafeString:
    """The state of a deal; `named`: of what, beside badges of other things."""
    state = deal.get_status_display()
    return badge(_KINDS[deal.status], gettext("ISV Connect: %(state)s") % {"state": state} if named else state)


@register.simple_tag
def isv_tag_badge(tag: str) -> SafeString:
    """The incentive tag of what was sold."""
    return badge("neutral", gettext("Business Applications %(tag)s") % {"tag": Tag(tag).label})
