"""The files that workers make of lists (REF-20)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from portal.accounts import selectors as accounts
from portal.accounts.models import Membership, User
from portal.accounts.rules import SYSTEM, Actor
from portal.events import services as events
from portal.events.models import Event
from portal.notify.mails import zone_of
from portal.notify.services import Message, notify
from portal.outage import send_soon
from portal.pages import exports
from portal.pages.deals.listing import DEALS
from portal.pages.models import Export
from portal.pages.notifications import EXPORT
from portal.row_plans import KINDS, Cell
from portal.ui.listing import columns, files
from portal.ui.listing.lists import LISTS
from portal.ui.listing.query import ListQuery
from portal.ui.listing.rows import in_order
from portal.workflow.blockers import Param, _

#: So many rows between two steps of the progress bar.
STEP = 500
#: No file takes nearly as long; a worker that hasn't finished by then is dead.
PATIENCE = timedelta(minutes=2)
#: A file holds customers' data of the day it was made, and a new one takes seconds.
KEPT = timedelta(days=7)
FINISHED = "export.finished"
NO_ACCESS = _("You no longer have access to this company's deals.")
FAILED = _("Something went wrong on our side. Please try again.")


@transaction.atomic
def request_export(
    address: str,
    *,
    kind: str,
    listing: str = DEALS.code,
    holds: str = "",
    chosen: Iterable[uuid.UUID] = (),
    actor: Actor,
    now: datetime,
) -> Export:
    """Have a worker make a file of what this address of a list holds, or of the rows chosen in it.

    `holds`: the kind of one that is to be changed and uploaded again.

    One that is being made already of the same list for the same person is given back: a double click makes one file.
    """
    query = {"list": address, "chosen": sorted({str(public_id) for public_id in chosen})}
    mine = {
        "user_id": actor.user_id,
        "company_id": actor.own_company_id,
        "listing": listing,
        "query": query,
        "format": kind,
        "holds": holds,
    }
    User.objects.select_for_update().get(pk=actor.user_id or 0)
    if waiting := Export.objects.filter(**mine, finished_at=None).first():
        return waiting
    export = Export.objects.create(**mine, language=actor.language, created_at=now)
    transaction.on_commit(lambda: _enqueue(export.pk), robust=True)  # no partial: Django asks for its __qualname__
    return export


def _enqueue(export_id: int) -> None:
    """By name: the tasks stand above the services. If the broker is away the sweep makes it."""
    send_soon("portal.pages.tasks.make_export", export_id=export_id)


def waiting_exports(now: datetime) -> QuerySet[Export]:
    """What no worker makes: never begun, or begun by one that died."""
    return Export.objects.filter(Q(started_at=None) | Q(started_at__lte=now - PATIENCE), finished_at=None)


def make_export(export_id: int, *, now: datetime) -> bool:
    """Make one export if it waits for that; returns whether this call finished it.

    No transaction holds the row meanwhile, so that each step shows at once. A worker that was taken for dead and isn't
    makes the file too; whoever is first finishes it.
    """
    if not waiting_exports(now).filter(pk=export_id).update(started_at=now, done=0, total=None):
        return False
    export = Export.objects.select_related("user").get(pk=export_id)
    actor = _actor(export)
    if actor is None:
        return finish_export(export, now=now, error=NO_ACCESS)
    with translation.override(export.language), timezone.override(zone_of(export.user)):
        if export.holds:
            content = exports.write_for_editing(export.format, *_for_editing(export, actor))
        else:
            listing = LISTS[export.listing]
            fields, sheet = columns.offered(listing.fields, actor), gettext(listing.sheet)
            content = files.write(export.format, fields, _rows(export, actor), sheet=sheet)
    return finish_export(export, now=now, content=content)


def _actor(export: Export) -> Actor | None:
    """The person as they are now: what they may see when the file is made counts, not when it was asked for (ORG-2)."""
    found = accounts.memberships(export.user) if export.user.is_active else []
    return next((accounts.actor_for(m) for m in found if m.company_id == export.company_id), None)


def _rows(export: Export, actor: Actor) -> Iterator[Any]:
    """The rows in the list's order. Which they are is settled at once, so none comes twice however they change."""
    pks, listing = _listed(export, actor), LISTS[export.listing]
    _progress(export, done=0, total=len(pks))
    for start in range(0, min(len(pks), Export.MAX_ROWS), STEP):
        batch = pks[start : min(start + STEP, Export.MAX_ROWS)]
        fetched = {r.pk: r for r in listing.with_context(listing.visible(actor).filter(pk__in=batch))}
        yield from listing.rows([fetched[pk] for pk in batch if pk in fetched], actor)
        _progress(export, done=start + len(batch), total=len(pks))


def _listed(export: Export, actor: Actor) -> list[int]:
    """The keys of the rows, and one more than a file holds where the list is longer. Rows that were chosen come
    whatever the list shows: some were ticked in another tab, or found by another search."""
    listing = LISTS[export.listing]
    asked = ListQuery.at(listing, export.query["list"], actor)
    found = in_order(actor, asked)
    if chosen := export.query["chosen"]:
        found = asked.order.apply(listing.visible(actor).filter(public_id__in=chosen))
    return list(found.values_list("pk", flat=True)[: Export.MAX_ROWS + 1])


def _for_editing(export: Export, actor: Actor) -> tuple[Sequence[str], Iterator[Sequence[Cell]]]:
    """Header and lines of a file that is changed and uploaded again, of the listed deals."""
    pks = _listed(export, actor)
    header, lines = KINDS[export.holds].write(pks[: Export.MAX_ROWS], actor)
    return header, _counted(export, lines, listed=len(pks))


def _counted(export: Export, lines: Iterable[Sequence[Cell]], *, listed: int) -> Iterator[Sequence[Cell]]:
    """The lines; each STEP of them shows. Not every listed deal needs to have one."""
    count = 0
    for count, line in enumerate(lines, 1):
        yield line
        if count % STEP == 0:
            _progress(export, done=count, total=listed)
    _progress(export, done=count, total=count + (listed > Export.MAX_ROWS))


def _progress(export: Export, *, done: int, total: int) -> None:
    """How far it is. A total above `done` in the end says that the file was cut (Export.MAX_ROWS)."""
    export.done, export.total = done, total
    Export.objects.filter(pk=export.pk, finished_at=None).update(done=done, total=total)


@transaction.atomic
def finish_export(export: Export, *, now: datetime, content: bytes | None = None, error: str = "") -> bool:
    """Keep the file, or why there is none, and tell the person; once, whoever else tries it too."""
    waiting = Export.objects.filter(pk=export.pk, finished_at=None)
    if not waiting.update(content=content, error=error, finished_at=now):
        return False
    what = {"company_id": export.company_id, "after": {export.listing: export.done}}
    event = events.record_one(export, FINISHED, actor=SYSTEM, now=now, **what)
    notify([_message(export, event, error)])
    return True


def _message(export: Export, event: Event, error: str) -> Message:
    link, emails = reverse("export", args=[export.public_id]), [export.user.email]
    if error:
        return Message(event, emails, _("Your export could not be made"), error, link, category=EXPORT)
    params: dict[str, Param] = {"count": export.done, "until": event.at + KEPT}
    body = LISTS[export.listing].file_ready
    if export.holds:
        body = _("The file to edit, with %(count)s rows, is ready. You can download it until %(until)s.")
    return Message(event, emails, _("Your export is ready"), body, link, params, category=EXPORT)


def purge_exports(*, now: datetime) -> int:
    """Empty the files that were kept long enough; their rows stay, so that a notice's link still says what it was."""
    return Export.objects.filter(finished_at__lte=now - KEPT, content__isnull=False).update(content=None)


def withdraw_exports(membership_ids: Collection[int]) -> int:
    """Empty the files of members whose roles changed: each asks for a new one, of what they may see now (ORG-2)."""
    members = Membership.objects.filter(pk__in=membership_ids, user=OuterRef("user"), company=OuterRef("company"))
    return Export.objects.filter(Exists(members), content__isnull=False).update(content=None)
