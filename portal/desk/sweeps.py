"""What workers do about the desk: once a day they tell what is due (FLOW-14)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from portal.accounts.models import Company
from portal.accounts.rules import SYSTEM
from portal.desk import mails
from portal.desk.models import Case
from portal.desk.timeline import TOLD
from portal.events import services as events
from portal.events.models import Event


@transaction.atomic
def tell_due(*, now: datetime) -> int:
    """Tell reviewers and managers what is due and overdue, once a day (UTC). Returns how many cases are; 0 if it was
    told before. The vendor's row is the lock: of two workers one tells."""
    today = now.date()
    vendor = Company.objects.select_for_update().filter(kind=Company.Kind.VENDOR).order_by("pk").first()
    waiting = Case.objects.open().claimable().filter(due_on__lte=today)
    count = waiting.count()
    if vendor is None or not count:
        return 0
    earlier = Event.objects.of_subject(vendor).filter(verb=TOLD, after__day=today.isoformat())
    if earlier.exists():
        return 0
    after = {"day": today.isoformat(), "due": count, "overdue": waiting.overdue(today).count()}
    event = events.record_one(vendor, TOLD, actor=SYSTEM, now=now, company_id=None, after=after)
    mails.tell_due(event, today)
    return count
