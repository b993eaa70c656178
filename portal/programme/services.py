"""The verbs on the programme's numbers, monthly rates and the policy: the rows are money's and policy's, which stand
below the events; the event goes with them here, so that every change is kept with who and when.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import IO, Any

from django.db import transaction

from portal.accounts.policies import check_runs_programme
from portal.accounts.rules import Actor
from portal.events import services as events
from portal.events.models import Event
from portal.money import services as money
from portal.money.models import MonthlyRate
from portal.money.services import Imported, Written
from portal.policy import rules as policy_rules
from portal.policy import services as policies
from portal.policy.models import PolicyDraft, PolicyVersion
from portal.workflow.blockers import to_json

RATE_ADDED, RATE_CHANGED = "rate.added", "rate.changed"
VERSION_ADDED, VERSION_WITHDRAWN = "policy.version_added", "policy.version_withdrawn"


# Monthly rates


@transaction.atomic
def upload_rates(file: IO[bytes], *, actor: Actor, now: datetime, confirmed: bool = False) -> Imported:
    """Take in an uploaded CSV (FX-1); `confirmed`: the person has seen what is unusual in it.

    Raises PermissionDenied, or money's RatesFileRefused or Unconfirmed, then writing nothing.
    """
    check_runs_programme(actor)
    policy = policies.current(now)
    return _recorded(money.import_csv(file, now=now, policy=policy, confirmed=confirmed), actor=actor, now=now)


@transaction.atomic
def import_ecb_history(
    *, actor: Actor, now: datetime, since: date | None = None, archive: IO[bytes] | None = None
) -> Imported:
    """Take in the ECB's history, packaged or fetched (FX-1). Raises PermissionDenied, RuleViolation."""
    check_runs_programme(actor)
    return _recorded(money.import_ecb_history(since=since, now=now, archive=archive), actor=actor, now=now)


@transaction.atomic
def carry_forward(*, to_month: date, actor: Actor, now: datetime) -> Imported:
    """Demo data: repeat the last known rates (FX-2). Raises PermissionDenied, RuleViolation."""
    check_runs_programme(actor)
    return _recorded(money.carry_forward(to_month=to_month, now=now), actor=actor, now=now)


def _recorded(done: Imported, *, actor: Actor, now: datetime) -> Imported:
    """One event for each rate that is new or another than before, with what was confirmed of it; what stayed as it was
    writes none."""
    events.record([_rate_event(row, done, actor=actor, now=now) for row in done.written])
    return done


def _rate_event(row: Written, done: Imported, *, actor: Actor, now: datetime) -> Event:
    month = f"{row.rate.month:%Y-%m}"
    after = {"currency": row.rate.currency, "month": month, "usd_per_unit": str(row.rate.usd_per_unit)}
    before = {} if row.replaced is None else {"usd_per_unit": str(row.replaced), "source": row.replaced_source}
    return events.new_event(
        MonthlyRate(pk=row.pk),
        RATE_CHANGED if before else RATE_ADDED,
        actor=actor,
        now=now,
        company_id=None,
        before={**after, **before} if before else {},
        after={**after, "source": done.source, "publication": done.publication},
        reasons=[to_json(asked) for asked in done.confirmed.get((row.rate.currency, row.rate.month), ())],
    )


# The policy


@transaction.atomic
def add_policy_version(
    *,
    values: dict[str, Any],
    effective_from: datetime | None,
    note: str,
    actor: Actor,
    now: datetime,
    after: int | None = None,
) -> PolicyVersion:
    """The next version of the policy (FLOW-7). Raises PermissionDenied, or what policy's add_version raises.

    The event's `before` is the version it follows: the newest one that there was, in force already or not; those
    withdrawn don't count.
    """
    check_runs_programme(actor)
    last = PolicyVersion.objects.standing().order_by("-number").first()
    version = policies.add_version(
        values=values, effective_from=effective_from, note=note, by=actor.user_id, now=now, after=after
    )
    was, is_now = _columns(last) if last else {}, _columns(version)
    what: dict[str, Any] = {"company_id": None, "before": was, "after": is_now, "comment": note}
    events.record_one(version, VERSION_ADDED, actor=actor, now=now, **what)
    return version


@transaction.atomic
def withdraw_policy_version(version: PolicyVersion, *, actor: Actor, now: datetime) -> PolicyVersion:
    """Take back a version whose time has not come, with an event. Raises PermissionDenied, policy's TooLate."""
    check_runs_programme(actor)
    already = PolicyVersion.objects.filter(pk=version.pk, withdrawn_at__isnull=False).exists()
    withdrawn = policies.withdraw(version, now=now)
    if not already:
        events.record_one(
            withdrawn, VERSION_WITHDRAWN, actor=actor, now=now, company_id=None, before=_columns(withdrawn)
        )
    return withdrawn


class DraftChanged(ValueError):
    """Somebody saved or dropped the draft since its page was opened."""


@transaction.atomic
def save_policy_draft(
    *,
    values: dict[str, Any],
    effective_from: datetime | None,
    note: str,
    actor: Actor,
    now: datetime,
    draft: int | None = None,
    seen: int | None = None,
) -> PolicyDraft:
    """Keep numbers for later; `draft` and `seen`: the draft they are of, and its version. Nothing is in force by it.

    Raises PermissionDenied, WrongValues, DraftChanged.
    """
    check_runs_programme(actor)
    row = PolicyDraft()
    if draft is not None:
        found = PolicyDraft.objects.select_for_update().filter(pk=draft, version=seen or 0).first()
        if found is None:
            raise DraftChanged
        row, row.version = found, found.version + 1
    policy_rules.from_values(values, version=0)
    row.values, row.effective_from, row.note = values, effective_from, note
    row.updated_at, row.updated_by_id = now, actor.user_id
    row.save()
    return row


@transaction.atomic
def drop_policy_draft(draft: int, *, actor: Actor) -> None:
    """Once is enough. Raises PermissionDenied."""
    check_runs_programme(actor)
    PolicyDraft.objects.filter(pk=draft).delete()


def _columns(version: PolicyVersion) -> dict[str, Any]:
    known = events.snapshot(version)
    return {name: known[name] for name in ("number", "effective_from", "values")}
