"""What templates say about requests for exceptions."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from exceptions_council.models import ExceptionRequest
from exceptions_council.rules import states
from portal.ui.templatetags.ortak import badge

register = template.Library()

_KINDS = {
    states.SUBMITTED: "info",
    states.IN_REVIEW: "info",
    states.EVIDENCE_REQUESTED: "danger",
    states.APPROVED: "success",
    states.DENIED: "danger",
}


@register.simple_tag
def exception_badge(request: ExceptionRequest) -> SafeString:
    """The state of a request."""
    return badge(_KINDS[request.status], request.get_status_display())
