"""The bell of the top bar."""

from __future__ import annotations

from typing import Any

from django import template

from portal.accounts.models import User
from portal.notify.selectors import MAX_COUNTED, unread_count

register = template.Library()


@register.simple_tag
def unread_notices(person: User) -> dict[str, Any]:
    """Notices not read yet (REF-24), counted no further than one more than is shown: `count` and `text`."""
    count = unread_count(person.pk)
    return {"count": count, "text": f"{MAX_COUNTED}+" if count > MAX_COUNTED else str(count)}
