"""Mail to people about their access, when accounts report it, and what such notices lead to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse

from portal.accounts import invites
from portal.accounts.models import Invite, User
from portal.accounts.rules import INVITING_VERBS
from portal.events.models import Event
from portal.events.services import on
from portal.notify.models import Notice
from portal.notify.notifications import PASSWORD, SIGN_IN
from portal.notify.rules import INVITATION
from portal.notify.selectors import makes_link
from portal.notify.services import Message, notify
from portal.workflow.blockers import _


@on(*INVITING_VERBS)
def mail_invitations(events: Sequence[Event]) -> None:
    """The link is made when the mail goes out: neither the notice, the event nor a page of the company holds it."""
    invited = Invite.objects.select_related("company").in_bulk([event.subject_id for event in events])
    notify([_invitation(event, invited[event.subject_id]) for event in events])


def _invitation(event: Event, asked: Invite) -> Message:
    inviter = event.actor_user.get_full_name() if event.actor_user else ""
    return Message(
        event,
        [asked.email],
        _("%(person)s invites you to %(company)s"),
        _(
            "%(person)s asks you to join %(company)s in Ortak, the portal for deals with partners. "
            "The link is good until %(until)s, and once."
        ),
        params={"person": inviter, "company": asked.company.name, "until": asked.expires_at},
        category=INVITATION,
        language=asked.language,
    )


@makes_link(INVITATION)
def invitation_link(notice: Notice) -> str:
    """The same for the first mail, for one that is tried again, and for the invitation sent again (ORG-2)."""
    asked = Invite.objects.get(pk=notice.event.subject_id)
    return reverse("invite", args=[invites.token(asked)])


@on("person.password_asked", "person.locked_out")
def mail_account_holders(events: Sequence[Event]) -> None:
    people = User.objects.in_bulk([event.subject_id for event in events])
    write = {"person.password_asked": _password_link, "person.locked_out": _locked_out}
    notify([write[event.verb](event, people[event.subject_id]) for event in events])


def _password_link(event: Event, person: User) -> Message:
    return Message(
        event,
        [person.email],
        _("Set your password"),
        _(
            "The link sets the password of your account. It works once, and for %(days)s days.\n\n"
            "You get it because an account was made for you, or because somebody asked for a new password. "
            "If it was not you, nothing has to be done."
        ),
        reverse("account_reset_password"),
        {"days": settings.PASSWORD_RESET_TIMEOUT // 86_400},
        category=PASSWORD,
    )


def _locked_out(event: Event, person: User) -> Message:
    held = event.after
    return Message(
        event,
        [person.email],
        _("Wrong passwords for your account"),
        _(
            "Somebody typed a wrong password for your account %(tries)s times in a row, the last time on %(at)s, "
            "from the network address %(address)s. Nobody got in, and for a few minutes nobody can sign in to your "
            "account from there. From anywhere else you sign in as ever.\n\n"
            "If it was you, wait a little or choose a new password. If it was not you, choose a new one only if "
            "somebody may know yours. Further tries are not mailed for a day."
        ),
        reverse("account_reset_password"),
        {"tries": held["tries"], "at": datetime.fromisoformat(held["at"]), "address": held["address"] or "–"},
        category=SIGN_IN,
    )


@makes_link(PASSWORD)
def password_link(notice: Notice) -> str:
    """Good for settings.PASSWORD_RESET_TIMEOUT, and until the password or the last sign-in changes.

    For the mail only. In the portal the notice opens its own link, the page that asks for another mail: else whoever
    sits at somebody's open browser could choose a new password without the old one.
    """
    uid, key = user_pk_to_url_str(notice.user), default_token_generator.make_token(notice.user)
    return reverse("account_reset_password_from_key", args=[uid, key])
