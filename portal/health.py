"""Whether the portal lives (/healthz) and whether it can serve (/readyz)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal.notify.tasks import HEARTBEAT_KEY

#: The heart beats every 15 seconds (settings.CELERY_BEAT_SCHEDULE).
HEARTBEAT_LASTS = timedelta(seconds=60)


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """The process answers; says nothing of the servers behind it, so their outage restarts no web process."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """Every part with its state; 503 when one fails."""
    parts = {name: _state(check) for name, check in CHECKS.items()}
    ready = all(state == "ok" for state in parts.values())
    return JsonResponse({"status": "ok" if ready else "failing", **parts}, status=200 if ready else 503)


def _state(check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception as error:
        # Only the kind: its message may name hosts and accounts, and this page is public.
        return f"failing: {type(error).__name__}"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _redis() -> str:
    cache.set("readyz", "1", 10)
    return "ok" if cache.get("readyz") == "1" else "failing: a value written is not read back"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"failing: {len(missing)} not applied" if missing else "ok"


def _worker() -> str:
    beat = cache.get(HEARTBEAT_KEY)
    if beat is None:
        return "failing: no heartbeat"
    age = timezone.now() - datetime.fromisoformat(beat)
    return "ok" if age < HEARTBEAT_LASTS else f"failing: the last heartbeat is {int(age.total_seconds())} s old"


CHECKS = {"database": _database, "redis": _redis, "migrations": _migrations, "worker": _worker}
PROBES = {"/healthz": healthz, "/readyz": readyz}


class ProbeMiddleware:
    """Probes ask by address and in plain http: they are answered before host names and https are looked at."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return PROBES.get(request.path_info, self.get_response)(request)
