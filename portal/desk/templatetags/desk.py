"""What the administration's home says about the desk."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone

from portal.accounts.rules import Actor
from portal.desk.models import Case

register = template.Library()


@register.simple_tag
def desk_work(actor: Actor) -> dict[str, Any]:
    """How many cases wait, and how many of them too long."""
    waiting, page = Case.objects.visible_to(actor).open(), reverse("admin:desk_case_changelist")
    return {
        "waiting": waiting.count(),
        "overdue": waiting.overdue(timezone.now().date()).count(),
        "overdue_url": f"{page}?due=overdue&exact=1",
    }
