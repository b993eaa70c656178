"""Files that people changed and uploaded: looked at by a worker, confirmed by whoever uploaded them, carried out (F3).

Nothing is written before that is confirmed. Then each row is a transaction, with what became of it, so that a worker
may be killed anywhere; or the whole file is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import translation

from portal import once, row_plans, tables
from portal.accounts import selectors as accounts
from portal.accounts.rules import SYSTEM, Actor
from portal.events import services as events
from portal.notify.services import Message, notify
from portal.outage import send_soon
from portal.pages.models import Upload, UploadRow
from portal.pages.notifications import UPLOAD
from portal.row_plans import KINDS, RowPlan
from portal.sheets import Refused
from portal.tables import Table
from portal.workflow.blockers import Blocker, Param, RuleViolation, _, to_json
from portal.workflow.services import Stale

log = structlog.get_logger(__name__)

#: So many rows between two steps of the progress bar, which is the worker's sign of life as well.
STEP = 20
#: Twenty rows take seconds; a worker that said nothing for so long is dead.
PATIENCE = timedelta(minutes=5)
#: A file holds customers' data, and what it did stands in the deals themselves.
KEPT = timedelta(days=7)
CHECKED, FINISHED, REFUSED = "upload.checked", "upload.finished", "upload.refused"
Outcome, Result = UploadRow.Outcome, UploadRow.Result
NO_ACCESS = Blocker("upload_no_access", _("You no longer have access to this company's deals."), "ORG-2")
FAILED = Blocker("upload_failed", _("Something went wrong on our side. Please try again."), tables.RULE)
ROW_FAILED = Blocker(
    "row_failed", _("Something went wrong on our side with this row. Look at the deal itself."), tables.RULE
)
#: What downloads of an upload add, and uploads of them pass over.
ROW, RESULT, PROBLEM = "Row", "Result", "Problem"


def may_upload(actor: Actor) -> bool:
    return any(kind.is_uploaded and kind.may_upload(actor) for kind in KINDS.values())


@transaction.atomic
def receive(kind: str, *, name: str, content: bytes, actor: Actor, now: datetime) -> Upload:
    """Keep a file and have a worker look at it. Raises PermissionDenied."""
    if not KINDS[kind].may_upload(actor) or actor.user_id is None:
        raise PermissionDenied
    upload = Upload.objects.create(
        user_id=actor.user_id,
        company_id=actor.own_company_id,
        kind=kind,
        file_name=name[-200:],
        language=actor.language,
        content=content,
        created_at=now,
    )
    transaction.on_commit(lambda: _enqueue(upload.pk), robust=True)
    return upload


def confirm(upload: Upload, *, together: bool, now: datetime) -> bool:
    """Have a worker carry it out, each row for itself or all `together`; whether there was something to confirm."""
    ready = Upload.objects.filter(pk=upload.pk, checked_at__isnull=False, confirmed_at=None, finished_at=None)
    todo = upload.rows.filter(outcome__in=[Outcome.CREATE, Outcome.UPDATE]).count()
    marks: dict[str, Any] = {"confirmed_at": now, "together": together, "beat_at": None, "done": 0, "total": todo}
    if not todo or not ready.update(**marks):
        return False
    transaction.on_commit(lambda: _enqueue(upload.pk), robust=True)
    return True


def discard(upload: Upload, *, now: datetime) -> bool:
    """Give up a file that was not confirmed; nothing of it was written."""
    return bool(Upload.objects.filter(pk=upload.pk, confirmed_at=None, finished_at=None).update(finished_at=now))


def _enqueue(upload_id: int) -> None:
    """By name: the tasks stand above the services. If the broker is away the sweep does it."""
    send_soon("portal.pages.tasks.work_on_upload", upload_id=upload_id)


# A worker's part


def waiting(now: datetime) -> QuerySet[Upload]:
    """What no worker does: never begun, or begun by one that died."""
    idle = Q(beat_at=None) | Q(beat_at__lte=now - PATIENCE)
    return Upload.objects.filter(idle, Q(checked_at=None) | Q(confirmed_at__isnull=False), finished_at=None)


def work_on(upload_id: int, *, now: datetime) -> bool:
    """Look at an upload, or carry it out, if it waits for that; returns whether this call did."""
    with transaction.atomic():
        free = waiting(now).filter(pk=upload_id).select_for_update(skip_locked=True)
        upload = free.select_related("user").first()
        if upload is None:
            return False
        Upload.objects.filter(pk=upload.pk).update(beat_at=Now())
    actor = _actor(upload)
    if actor is None or not KINDS[upload.kind].may_upload(actor):
        return _refuse(upload, [(1, NO_ACCESS)], now=now)
    with translation.override(upload.language), once.scope():
        if upload.confirmed_at is None:
            return _check(upload, actor, now=now)
        return _carry_out(upload, actor, now=now)


def _actor(upload: Upload) -> Actor | None:
    """The person as they are now: what they may do when the file is worked on counts (ORG-2)."""
    found = accounts.memberships(upload.user) if upload.user.is_active else []
    return next((accounts.actor_for(m) for m in found if m.company_id == upload.company_id), None)


def read(upload: Upload) -> Table:
    """The file's table. Raises Refused."""
    return tables.read_table(bytes(upload.content or b""), KINDS[upload.kind].known, max_rows=Upload.MAX_ROWS)


def _check(upload: Upload, actor: Actor, *, now: datetime) -> bool:
    """Plan every row, try it out, and keep what was found."""
    try:
        table = read(upload)
    except Refused as refused:
        return _refuse(upload, [(error.line, error.blocker) for error in refused.errors], now=now)
    found = []
    for count, plan in enumerate(KINDS[upload.kind].plan(table, actor, now), 1):
        found.append(_row(upload, _tried(plan)))
        if count % STEP == 0:
            _progress(upload, done=count, total=len(table.rows))
    unknown = [name for name in table.unknown if not name.startswith((PROBLEM, ROW, RESULT))]
    return _keep(upload, found, unknown, now=now)


def _tried(plan: RowPlan) -> RowPlan:
    """One row that breaks the portal itself is refused, and the others go on."""
    try:
        return row_plans.tried(plan)
    except Exception:
        log.exception("upload_row_failed", line=plan.line)
        return plan.refused([*plan.problems, ROW_FAILED])


def _row(upload: Upload, plan: RowPlan) -> UploadRow:
    return UploadRow(
        upload=upload,
        line=plan.line,
        outcome=plan.outcome,
        title=plan.title[:200],
        deal=plan.deal,
        version=plan.version,
        steps=list(plan.steps),
        changes=[asdict(change) for change in plan.changes],
        warnings=[to_json(warning) for warning in plan.warnings],
        problems=[to_json(problem) for problem in plan.problems],
    )


def _progress(upload: Upload, *, done: int, total: int) -> None:
    Upload.objects.filter(pk=upload.pk, finished_at=None).update(done=done, total=total, beat_at=Now())


@transaction.atomic
def _keep(upload: Upload, found: Sequence[UploadRow], unknown: Sequence[str], *, now: datetime) -> bool:
    """Keep the preview and tell the person; once, whoever else looked at the file too."""
    fresh = Upload.objects.filter(pk=upload.pk, checked_at=None, finished_at=None)
    size: dict[str, Any] = {"done": len(found), "total": len(found), "unknown": list(unknown)}
    if not fresh.update(checked_at=now, beat_at=None, **size):
        return False
    UploadRow.objects.bulk_create(found)
    body = _("%(file)s was looked at: %(count)s rows. Nothing is changed until you confirm it.")
    title = _("Your file was looked at") if KINDS[upload.kind].is_uploaded else _("Your selection was looked at")
    _tell(upload, CHECKED, title, body, {"count": len(found)}, now=now)
    return True


@transaction.atomic
def _refuse(upload: Upload, errors: Iterable[tuple[int, Blocker]], *, now: datetime) -> bool:
    kept = [{"line": line, **to_json(blocker)} for line, blocker in errors]
    if not Upload.objects.filter(pk=upload.pk, finished_at=None).update(errors=kept, finished_at=now):
        return False
    title = _("Your file could not be taken") if KINDS[upload.kind].is_uploaded else _("Your changes could not be made")
    _tell(upload, REFUSED, title, _("%(file)s: nothing was changed."), {}, now=now)
    return True


def fail(upload: Upload, *, now: datetime) -> bool:
    """End an upload that broke the portal itself. Rows that were carried out stay so."""
    return _refuse(upload, [(1, FAILED)], now=now)


# Carrying out


def _carry_out(upload: Upload, actor: Actor, *, now: datetime) -> bool:
    """Do what was confirmed and isn't done yet."""
    open_rows = upload.rows.filter(result="", outcome__in=[Outcome.CREATE, Outcome.UPDATE])
    todo = {row.line: row for row in open_rows}
    table = read(upload)
    left = replace(table, rows=[(line, cells) for line, cells in table.rows if line in todo])
    plans = KINDS[upload.kind].plan(left, actor, now)
    if upload.together:
        _all_or_none(upload, todo, plans)
    else:
        for count, plan in enumerate(plans, 1):
            _one(todo[plan.line], plan)
            if count % STEP == 0:
                _progress(upload, done=count, total=len(todo))
    return _finish(upload, now=now)


@transaction.atomic
def _one(row: UploadRow, plan: RowPlan) -> None:
    """Carry out one row and keep what became of it: both, or neither."""
    locked = UploadRow.objects.select_for_update().get(pk=row.pk)
    if not locked.result:
        _do(locked, plan)
        locked.save(update_fields=["result", "problems", "deal"])


class _Undo(Exception):
    """A row can't be done, so none is."""


def _all_or_none(upload: Upload, todo: Mapping[int, UploadRow], plans: Iterator[RowPlan]) -> None:
    """Carry out all rows in one transaction, in which the upload stays locked; if one can't be done, none is."""
    try:
        with transaction.atomic():
            Upload.objects.select_for_update().get(pk=upload.pk)
            for plan in plans:
                _do(todo[plan.line], plan)
            if any(row.result in (Result.REFUSED, Result.STALE) for row in todo.values()):
                raise _Undo
            UploadRow.objects.bulk_update(todo.values(), ["result", "problems", "deal"])
    except _Undo:
        for row in todo.values():
            if row.result not in (Result.REFUSED, Result.STALE):
                row.result = Result.UNDONE
                row.deal = None if row.outcome == Outcome.CREATE else row.deal
        UploadRow.objects.bulk_update(todo.values(), ["result", "problems", "deal"])


def _do(row: UploadRow, plan: RowPlan) -> None:
    """Carry out a row as it was planned; what was changed meanwhile is refused with the difference."""
    try:
        if stale := _differences(row, plan):
            raise _Refusal(Result.STALE, stale)
        if plan.problems:
            raise _Refusal(Result.REFUSED, plan.problems)
        if plan.carry_out is None:
            row.result, row.deal = Result.UNCHANGED, plan.deal
            return
        with transaction.atomic():
            row.deal = plan.carry_out(row.version)
        row.result = Result.CREATED if plan.outcome == row_plans.CREATE else Result.UPDATED
    except _Refusal as refusal:
        _keep_refusal(row, refusal.result, refusal.problems)
    except Stale as stale_row:
        _keep_refusal(row, Result.STALE, [*stale_row.blockers, *_stale_columns(row, stale_row)])
    except RuleViolation as violation:
        _keep_refusal(row, Result.REFUSED, violation.blockers)
    except Exception:
        log.exception("upload_row_failed", line=row.line)
        _keep_refusal(row, Result.REFUSED, [ROW_FAILED])


class _Refusal(Exception):
    def __init__(self, result: str, problems: Sequence[Blocker]) -> None:
        self.result, self.problems = result, problems
        super().__init__(result)


def _keep_refusal(row: UploadRow, result: str, problems: Iterable[Blocker]) -> None:
    row.result, row.problems = result, [to_json(problem) for problem in problems]


def _differences(row: UploadRow, plan: RowPlan) -> list[Blocker]:
    """What stands in the portal otherwise than when the row was looked at, at the cells that it concerns."""
    if row.outcome != Outcome.UPDATE:
        return []
    before = {change["column"]: change["was"] for change in row.changes}
    now = {change.column: change.was for change in plan.changes}
    if plan.outcome == row_plans.REFUSED and not now:
        return []
    changed = [column for column in dict.fromkeys([*before, *now]) if before.get(column) != now.get(column)]
    return [_changed(column, before.get(column), now.get(column)) for column in changed]


def _changed(column: str, was: object, now: object) -> Blocker:
    if now is None:
        return Blocker("changed_meanwhile", _("Somebody made the same change meanwhile."), "REF-21", column)
    message = _("Somebody changed this meanwhile: it was “%(was)s” and is now “%(now)s”.")
    return Blocker("changed_meanwhile", message, "REF-21", column, {"was": _shown(was), "now": _shown(now)})


def _shown(value: object) -> str:
    return "–" if value in (None, "") else str(value)[:100]


def _stale_columns(row: UploadRow, stale: Stale) -> Iterator[Blocker]:
    at = KINDS[row.upload.kind].at
    for name, (was, now) in stale.changes.items():
        yield _changed(at.get(name, name), was, "–" if now is None else now)


@transaction.atomic
def _finish(upload: Upload, *, now: datetime) -> bool:
    if not Upload.objects.filter(pk=upload.pk, finished_at=None).update(finished_at=now):
        return False
    for outcome, result in ((Outcome.UNCHANGED, Result.UNCHANGED), (Outcome.REFUSED, Result.REFUSED)):
        upload.rows.filter(outcome=outcome, result="").update(result=result)
    counted = dict(upload.rows.values_list("result").annotate(number=Count("pk")))
    done = counted.get(Result.CREATED, 0) + counted.get(Result.UPDATED, 0)
    body = _("%(file)s was carried out: %(count)s rows were done.")
    title = _("Your file was carried out") if KINDS[upload.kind].is_uploaded else _("Your changes were carried out")
    _tell(upload, FINISHED, title, body, {"count": done}, now=now)
    return True


def _tell(upload: Upload, verb: str, title: str, body: str, counts: Mapping[str, int], *, now: datetime) -> None:
    what: dict[str, Any] = {"company_id": upload.company_id, "after": dict(counts)}
    event = events.record_one(upload, verb, actor=SYSTEM, now=now, **what)
    link = reverse("upload", args=[upload.public_id])
    params: dict[str, Param] = {"file": upload.file_name, **counts}
    notify([Message(event, [upload.user.email], title, body, link, params, category=UPLOAD)])


def purge(*, now: datetime) -> int:
    """Empty the files that were kept long enough, with what was read of them; that they were there stays."""
    old = Upload.objects.filter(created_at__lte=now - KEPT, content__isnull=False)
    pks = list(old.exclude(confirmed_at__isnull=False, finished_at=None).values_list("pk", flat=True))
    UploadRow.objects.filter(upload__in=pks).delete()
    Upload.objects.filter(pk__in=pks, finished_at=None).update(finished_at=now)
    return Upload.objects.filter(pk__in=pks).update(content=None)
