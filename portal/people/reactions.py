"""What notices about people lead to."""

from __future__ import annotations

from django.urls import reverse

from portal.accounts import invites
from portal.accounts.models import Invite
from portal.notify.models import Notice
from portal.notify.rules import INVITATION
from portal.notify.selectors import makes_link


@makes_link(INVITATION)
def invitation_link(notice: Notice) -> str:
    """The same for the first mail, for one that is tried again, and for the invitation sent again (ORG-2)."""
    asked = Invite.objects.get(pk=notice.event.subject_id)
    return reverse("invite", args=[invites.token(asked)])
