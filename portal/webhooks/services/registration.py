"""A company's webhook: setting it up, its secret, pauses, tests and replays; each change with its event."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction

from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.events import services as events
from portal.webhooks import rules
from portal.webhooks.models import Delivery, FeedPosition, Webhook
from portal.webhooks.policies import may_manage
from portal.webhooks.services.sending import loopback_allowed
from portal.workflow.blockers import RuleViolation

_MINUTE = timedelta(minutes=1)


@transaction.atomic
def set_up(
    *, url: str, names: Collection[str], ms_signature_header: bool = False, actor: Actor, now: datetime
) -> tuple[Webhook, bool]:
    """Set up the company's webhook, or change it; and whether it is new. Raises PermissionDenied, RuleViolation."""
    company = _company(actor)
    if blockers := [*rules.webhook_blockers(url, names, loopback=loopback_allowed())]:
        raise RuleViolation(blockers)
    FeedPosition.begin()
    found = Webhook.objects.filter(company=company).first()
    webhook = found or Webhook(company=company, created_at=now)
    before = events.snapshot(webhook)
    webhook.url, webhook.events = url, [name for name in rules.EVENTS if name in names]
    webhook.ms_signature_header, webhook.resting_until = ms_signature_header, None
    webhook.save()
    was, became = ({}, events.snapshot(webhook)) if found is None else events.changes(before, events.snapshot(webhook))
    if became:
        verb = "webhook.changed" if found else "webhook.created"
        _record(webhook, verb, actor, now, before=was, after={**became, "url": url})
    return webhook, found is None


def _company(actor: Actor) -> Company:
    """The actor's own, locked. Raises PermissionDenied for who doesn't keep it (ORG-2)."""
    if not may_manage(actor):
        raise PermissionDenied
    return Company.objects.select_for_update().get(pk=actor.own_company_id)


def _locked(actor: Actor) -> Webhook:
    """Raises Webhook.DoesNotExist where none was set up."""
    return Webhook.objects.get(company=_company(actor))


def _record(webhook: Webhook, verb: str, actor: Actor, now: datetime, **what: object) -> None:
    events.record_one(webhook, verb, actor=actor, now=now, company_id=webhook.company_id, **what)


@transaction.atomic
def renew_secret(*, actor: Actor, now: datetime) -> Webhook:
    """A new secret; the one before it signs as well for SECRET_OVERLAP."""
    webhook = _locked(actor)
    webhook.previous_seed, webhook.previous_until = webhook.secret_seed, now + rules.SECRET_OVERLAP
    webhook.secret_seed = uuid.uuid4()
    webhook.save()
    _record(webhook, "webhook.secret_renewed", actor, now)
    return webhook


@transaction.atomic
def pause(*, actor: Actor, now: datetime) -> Webhook:
    """Send nothing; what happens meanwhile waits. A webhook that is paused stays so."""
    webhook = _locked(actor)
    if webhook.paused_at is None:
        webhook.paused_at = now
        webhook.save()
        _record(webhook, "webhook.paused", actor, now)
    return webhook


@transaction.atomic
def resume(*, actor: Actor, now: datetime) -> Webhook:
    """Go on with what has waited."""
    webhook = _locked(actor)
    if webhook.paused_at is not None:
        webhook.paused_at = webhook.resting_until = None
        webhook.save()
        _record(webhook, "webhook.resumed", actor, now)
    return webhook


@transaction.atomic
def send_test(*, actor: Actor, now: datetime) -> Delivery:
    """Write a test event, to be delivered like all others (F2). Raises RuleViolation: two a minute."""
    webhook = _locked(actor)
    last = list(webhook.deliveries.filter(name=rules.TEST, created_at__gt=now - _MINUTE).order_by("created_at"))
    paused, until = webhook.paused_at is not None, (last[0].created_at if last else now) + _MINUTE
    found = rules.testing_blockers(events=webhook.events, paused=paused, tests=len(last), until=until)
    if blockers := [*found]:
        raise RuleViolation(blockers)
    test = Delivery(webhook=webhook, name=rules.TEST, resource_name="test")
    test.resource_id = test.line = test.public_id
    test.resource_path = f"/webhooks/v1/registration/validationEvents/{test.public_id}"
    test.changed_at = test.created_at = test.next_attempt_at = now
    test.save()
    return test


def replay(delivery: Delivery, *, actor: Actor, now: datetime) -> bool:
    """Send once more what was delivered or parked, with its tries anew; False for what waits already."""
    if not may_manage(actor) or delivery.webhook.company_id != actor.company_id:
        raise PermissionDenied
    done = Delivery.objects.filter(pk=delivery.pk).exclude(pk__in=Delivery.objects.waiting())
    anew = {"delivered_at": None, "parked_at": None, "attempts": 0, "next_attempt_at": now, "replayed_at": now}
    return bool(done.update(**anew))
