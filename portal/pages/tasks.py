"""The workers' edge of pages: the files made of lists (REF-20)."""

from __future__ import annotations

from typing import Any

import structlog
from celery import shared_task
from django.utils import timezone

from portal.pages.models import Export, Upload
from portal.pages.services import exports as services
from portal.pages.services import uploads

log = structlog.get_logger(__name__)


@shared_task
def make_export(*, export_id: int, **_ignored: Any) -> bool:
    """Right after it was asked for. What can't be made says so instead of being tried for ever."""
    try:
        return services.make_export(export_id, now=timezone.now())
    except Exception:
        log.exception("export_failed", export_id=export_id)
        export = Export.objects.select_related("user").get(pk=export_id)
        return services.finish_export(export, now=timezone.now(), error=services.FAILED)


@shared_task
def make_waiting_exports(**_ignored: Any) -> int:
    """The sweep behind make_export: what a dead worker or a broker that was away left."""
    waiting = services.waiting_exports(timezone.now()).order_by("created_at").values_list("pk", flat=True)
    return sum(make_export(export_id=pk) for pk in list(waiting))


@shared_task
def purge_exports(**_ignored: Any) -> int:
    """Hourly; what was uploaded is kept as long."""
    return services.purge_exports(now=timezone.now()) + uploads.purge(now=timezone.now())


@shared_task
def work_on_upload(*, upload_id: int, **_ignored: Any) -> bool:
    """Right after it was uploaded or confirmed. What breaks says so instead of being tried for ever."""
    try:
        return uploads.work_on(upload_id, now=timezone.now())
    except Exception:
        log.exception("upload_failed", upload_id=upload_id)
        return uploads.fail(Upload.objects.get(pk=upload_id), now=timezone.now())


@shared_task
def work_on_waiting_uploads(**_ignored: Any) -> int:
    """The sweep behind work_on_upload: what a dead worker or a broker that was away left."""
    waiting = uploads.waiting(timezone.now()).order_by("created_at").values_list("pk", flat=True)
    return sum(work_on_upload(upload_id=pk) for pk in list(waiting))
