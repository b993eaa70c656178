"""What workers make of the messages that sign-in pages leave for the holders of accounts."""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from portal.accounts.models import AccountMessage, User
from portal.accounts.rules import SYSTEM
from portal.events import services as events
from portal.events.models import Event
from portal.notify.models import Notice
from portal.notify.selectors import makes_link
from portal.notify.services import Message, notify
from portal.people import notifications as kinds
from portal.workflow.blockers import _

Kind = AccountMessage.Kind
VERBS = {Kind.PASSWORD_LINK: "person.password_asked", Kind.LOCKED_OUT: "person.locked_out"}
#: So many mails of a kind in so much time for one account, whoever asks: its holder is not to be flooded.
LIMITS = {Kind.PASSWORD_LINK: (3, timedelta(hours=1)), Kind.LOCKED_OUT: (1, timedelta(days=1))}


@transaction.atomic
def tell_account_holders(*, now: datetime, limit: int = 200) -> int:
    """Write the notices for those waiting messages whose address has an open account; returns how many.

    Every message is gone afterwards: what nobody has an account for is told nobody (REF-24).
    """
    waiting = list(AccountMessage.objects.select_for_update(skip_locked=True).order_by("pk")[:limit])
    addresses = {message.email for message in waiting}
    people = {person.email: person for person in User.objects.filter(email__in=addresses, is_active=True)}
    told = [_tell(message, people[message.email], now) for message in waiting if message.email in people]
    AccountMessage.objects.filter(pk__in=[message.pk for message in waiting]).delete()
    return sum(told)


def _tell(waiting: AccountMessage, person: User, now: datetime) -> bool:
    kind = Kind(waiting.kind)
    most, time = LIMITS[kind]
    if Event.objects.all().of_subject(person).filter(verb=VERBS[kind], at__gt=now - time).count() >= most:
        return False
    after = {"person": str(person), "address": waiting.address, "tries": waiting.tries}
    event = events.new_event(person, VERBS[kind], actor=SYSTEM, now=now, company_id=None, after=after)
    events.record([event])
    notify([_password_link(event, person) if kind is Kind.PASSWORD_LINK else _locked_out(event, person, waiting)])
    return True


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
        category=kinds.PASSWORD,
    )


def _locked_out(event: Event, person: User, waiting: AccountMessage) -> Message:
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
        {"tries": waiting.tries, "at": waiting.created_at, "address": waiting.address or "–"},
        category=kinds.SIGN_IN,
    )


@makes_link(kinds.PASSWORD)
def password_link(notice: Notice) -> str:
    """Good for settings.PASSWORD_RESET_TIMEOUT, and until the password or the last sign-in changes.

    For the mail only. In the portal the notice opens its own link, the page that asks for another mail: else whoever
    sits at somebody's open browser could choose a new password without the old one.
    """
    uid, key = user_pk_to_url_str(notice.user), default_token_generator.make_token(notice.user)
    return reverse("account_reset_password_from_key", args=[uid, key])
