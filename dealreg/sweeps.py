"""What workers do to many registrations: route those that were filed, close those that are decided."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F

from dealreg import verbs
from dealreg.models import BY_REOPENING, Document, Registration, RegistrationQuerySet, Sample, Status, storage
from dealreg.rules.sample import is_chosen
from dealreg.selectors.registration import ripe, unregistered
from dealreg.selectors.window import with_window
from dealreg.services import documents, marketplace
from dealreg.services import registration as services
from dealreg.services.clamav import ScannerAway
from portal import bulk, once
from portal.accounts.rules import SYSTEM
from portal.notify import reminders
from portal.policy import services as policies
from portal.workflow import services as workflow
from portal.workflow.blockers import RuleViolation
from portal.workflow.verbs import Verb


def route_submitted(*, now: datetime, limit: int = 500) -> int:
    """Route filed registrations: the new ones, and those that a dead worker left behind (FLOW-1)."""
    routed = 0
    for registration in Registration.objects.to_route().order_by("submitted_at")[:limit]:
        routed += route_once(registration, now=now)
    return routed


def route_once(registration: Registration, *, now: datetime) -> bool:
    """Route one registration. Returns False if another worker did so first."""
    try:
        workflow.run(registration, verbs.ROUTE, actor=SYSTEM, now=now)
    except RuleViolation:
        return False
    return True


def scan_documents(*, now: datetime, limit: int = 100) -> int:
    """Have documents scanned that were added while clamd was away, or before there was one (REG-16).

    Returns how many were; stops where clamd is away.
    """
    scanned = 0
    waiting = Document.objects.unscanned().select_related("referral__engagement") if settings.CLAMAV else ()
    for document in waiting[:limit]:
        try:
            documents.scan(document, now=now)
        except ScannerAway:
            break
        except FileNotFoundError:  # removed meanwhile
            continue
        scanned += 1
    return scanned


def purge_documents(*, now: datetime) -> int:
    """Delete stored files that no document names: of uploads that were cut off, and of removed documents (REG-16)."""
    try:
        names = storage().listdir("")[1]
    except FileNotFoundError:  # nothing was ever stored
        return 0
    purged = 0
    for start in range(0, len(names), 1000):
        batch = names[start : start + 1000]
        used = set(Document.objects.filter(removed_at=None, stored_as__in=batch).values_list("stored_as", flat=True))
        for name in set(batch) - used:
            if storage().get_modified_time(name) < now - documents.ORPHANED_AFTER:
                storage().delete(name)
                purged += 1
    return purged


def open_missed(*, now: datetime, limit: int = 1000) -> int:
    """Open registrations that no event opened: a rate came late, or two changes happened at once (ELIG-9).

    Finds every won deal that nothing but this check is missing for, once, and walks through them batch by batch, so
    that those which can't be opened hide none behind them. Returns how many were opened.
    """
    ready = list(ripe(policies.current(now)).order_by("pk").values_list("pk", flat=True))
    return sum(_open(ready[start : start + limit], now) for start in range(0, len(ready), limit))


@bulk.uncollected()
def _open(keys: Sequence[int], now: datetime) -> int:
    return len(services.open_registrations(list(unregistered().filter(pk__in=keys)), now=now))


def close_decided(*, now: datetime, limit: int = 1000) -> int:
    """Close one batch of registrations that are decided and due, as the verb does to one (FLOW)."""
    due = Registration.objects.due_to_close(now).order_by("close_due_at")
    return _end(due, verbs.CLOSE, now=now, limit=limit)


def match_marketplace(*, now: datetime) -> int:
    """Give waiting registrations their marketplace transactions, then fail those that waited long enough (FLOW-3)."""
    moved = marketplace.match_waiting(now=now)
    while failed := marketplace.fail_overdue(now=now):
        moved += failed
    return moved


def remind_of_marketplace(*, now: datetime, limit: int = 1000) -> int:
    """Write reminders for registrations whose marketplace transaction is missing (FLOW-8)."""
    waiting = _with_only(Registration.objects.awaiting_transaction())
    until, since = F("marketplace_until"), F("submitted_at")
    return reminders.remind(
        waiting, verb="registration.marketplace_reminded", until=until, since=since, now=now, limit=limit
    )


def fail_unanswered(*, now: datetime, limit: int = 1000) -> int:
    """Fail one batch of registrations that were sent back and not corrected in time, as the verb does to one (FLOW)."""
    due = Registration.objects.unanswered(now).order_by("action_due_at")
    return _end(due, verbs.FAIL_UNANSWERED, now=now, limit=limit)


def _end(due: RegistrationQuerySet, verb: Verb[Registration, None], *, now: datetime, limit: int) -> int:
    """A batch of what has no earlier figures to come back; where there are none left, of the others (PAYG-3)."""
    plain = _with_only(due.filter(previous__isnull=True), *_ENDING)
    others = _with_only(due.filter(previous__isnull=False), *_ENDING, *BY_REOPENING)
    return workflow.run_batch(plain, verb, actor=SYSTEM, now=now, limit=limit) or workflow.run_batch(
        others, verb, actor=SYSTEM, now=now, limit=limit
    )


#: The columns that ending a registration reads or writes.
_ENDING = (
    *("status", "outcome", "close_due_at", "closed_at", "action_due_at", "decided_at", "decided_from"),
    *("previous", "reopened_at", "updated_at", "version"),
)


@transaction.atomic
@once.scope()
def draw_sample(*, now: datetime, limit: int = 5000) -> int:
    """Draw for one batch of approved registrations, and select the chosen ones for review (FLOW-4).

    Each takes part once; the sample's row keeps the seed. Returns how many took part.
    """
    policy = policies.current(now)
    due = Registration.objects.to_sample(now + policy.select_within).order_by("close_due_at")
    drawn = dict(due.select_for_update(skip_locked=True).values_list("pk", "public_id")[:limit])
    if not drawn:
        return 0
    seed, percent = secrets.token_hex(16), policy.sample_percent
    sample = Sample.objects.create(at=now, seed=seed, percent=percent, policy_version=policy.version)
    Registration.objects.filter(pk__in=drawn).update(sample=sample)
    chosen = [pk for pk, public_id in drawn.items() if is_chosen(seed, public_id, percent)]
    selected = _with_only(Registration.objects.filter(pk__in=chosen, status=Status.APPROVED), *_SELECTION)
    workflow.run_batch(selected, verbs.SELECT_FOR_REVIEW, actor=SYSTEM, now=now, limit=limit)
    return len(drawn)


#: The columns that selecting for review writes.
_SELECTION = ("status", "review_pending_at", "close_due_at", "route_reasons", "comment", "updated_at", "version")


def _with_only(registrations: RegistrationQuerySet, *columns: str) -> RegistrationQuerySet:
    """With what their events tell whose they are, and these columns: what a sweep doesn't read isn't loaded."""
    return registrations.with_owner().only("referral", *columns)


def remind_to_correct(*, now: datetime, limit: int = 1000) -> int:
    """Write reminders for registrations that were sent back, before they fail (FLOW-8). Returns how many."""
    waiting = _with_only(Registration.objects.filter(status=Status.ACTION_REQUIRED), "action_due_at")
    until, since = F("action_due_at"), F("action_required_at")
    return reminders.remind(
        waiting, verb="registration.action_reminded", until=until, since=since, now=now, limit=limit
    )


def remind(*, now: datetime, limit: int = 1000) -> int:
    """Write reminders for won deals that nobody registered, before the window closes (FLOW-8). Returns how many."""
    unfiled = with_window(_with_only(Registration.objects.to_register()), policies.current(now))
    return reminders.remind(
        unfiled, verb="registration.reminded", until=F("until"), since=F("created_at"), now=now, limit=limit
    )
