"""What workers make of the messages that sign-in pages leave for the holders of accounts."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from portal.accounts.models import AccountMessage, User
from portal.accounts.rules import SYSTEM
from portal.events import services as events
from portal.events.models import Event

Kind = AccountMessage.Kind
VERBS = {Kind.PASSWORD_LINK: "person.password_asked", Kind.LOCKED_OUT: "person.locked_out"}
#: So many mails of a kind in so much time for one account, whoever asks: its holder is not to be flooded.
LIMITS = {Kind.PASSWORD_LINK: (3, timedelta(hours=1)), Kind.LOCKED_OUT: (1, timedelta(days=1))}


@transaction.atomic
def tell_account_holders(*, now: datetime, limit: int = 200) -> int:
    """Report what waits for the holders of open accounts, whom portal.notify then mails; returns how many.

    Every message is gone afterwards: what nobody has an account for is told nobody (REF-24).
    """
    waiting = list(AccountMessage.objects.select_for_update(skip_locked=True).order_by("pk")[:limit])
    addresses = {message.email for message in waiting}
    people = {person.email: person for person in User.objects.filter(email__in=addresses, is_active=True)}
    reported = [_report(message, people[message.email], now) for message in waiting if message.email in people]
    AccountMessage.objects.filter(pk__in=[message.pk for message in waiting]).delete()
    return sum(reported)


def _report(waiting: AccountMessage, person: User, now: datetime) -> bool:
    kind = Kind(waiting.kind)
    most, time = LIMITS[kind]
    if Event.objects.all().of_subject(person).filter(verb=VERBS[kind], at__gt=now - time).count() >= most:
        return False
    after = {
        "person": str(person),
        "address": waiting.address,
        "tries": waiting.tries,
        "at": waiting.created_at.isoformat(),
    }
    events.record_one(person, VERBS[kind], actor=SYSTEM, now=now, company_id=None, after=after)
    return True
