"""Whether the process lives (/healthz), whether it can serve (/readyz), and how all parts are (/status)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from importlib import metadata
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal.accounts.decorators import ActorRequest, needs_actor
from portal.accounts.rules import PROGRAMME_MANAGER
from portal.circuit import QUEUE_SECONDS
from portal.notify.services import last_heartbeat
from portal.outage import redis_answers, short_connection, tasks_in_queue

#: The heart beats every 15 seconds (settings.CELERY_BEAT_SCHEDULE).
HEARTBEAT_LASTS = timedelta(seconds=60)
OK = "ok"


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """The process answers; says nothing of the servers behind it, so their outage restarts no web process."""
    return JsonResponse({"status": OK})


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """Whether this process can serve: 503 without the database; without Redis it serves, and says `degraded`."""
    return _answer(states(NEEDED | HELPFUL))


@never_cache
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Everything, for programme managers and for whoever has STATUS_TOKEN (a monitor)."""
    given, wanted = request.headers.get("Authorization", ""), f"Bearer {settings.STATUS_TOKEN}"
    if settings.STATUS_TOKEN and secrets.compare_digest(given.encode(), wanted.encode()):
        return _everything()
    return _for_managers(request)


@needs_actor
def _for_managers(request: ActorRequest) -> HttpResponse:
    if not (request.actor.is_vendor and request.actor.has(PROGRAMME_MANAGER)):
        raise PermissionDenied(_("How the portal's parts are is for programme managers."))
    return _everything()


def _everything() -> JsonResponse:
    return _answer(states(NEEDED | HELPFUL | WORK), version=_version(), **tasks_in_queue())


def states(names: Iterable[str]) -> dict[str, str]:
    """Each of these parts with `ok` or what fails."""
    return {name: _state(CHECKS[name]) for name in CHECKS if name in names}


def _answer(parts: dict[str, str], **more: Any) -> JsonResponse:
    """503 if the process can't serve."""
    failing = {name for name, state in parts.items() if state != OK}
    found = "failing" if failing & NEEDED else "degraded" if failing else OK
    return JsonResponse({"status": found, **parts, **more}, status=503 if found == "failing" else 200)


def _state(check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception as error:
        # Only the kind: its message may name hosts and accounts, and /readyz is public.
        return f"failing: {type(error).__name__}"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def _redis() -> str:
    return OK if redis_answers() else "failing: no answer"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"failing: {len(missing)} not applied" if missing else OK


def _workers() -> str:
    """Asks each over the broker, which takes a second."""
    if not redis_answers():
        return "unknown: Redis does not answer"
    with short_connection() as broker:
        answers = current_app.control.ping(timeout=QUEUE_SECONDS, connection=broker)
    return OK if answers else "failing: none answers"


def _heartbeat() -> str:
    last = last_heartbeat()
    if last is None:
        return "failing: none yet"
    age = timezone.now() - last
    return OK if age < HEARTBEAT_LASTS else f"failing: the last one was {int(age.total_seconds())} s ago"


def worked_since(moment: datetime) -> bool:
    """Whether a worker has carried out a task since; the run before has left its heartbeat, too."""
    try:
        last = last_heartbeat()
    except DatabaseError:
        return False
    finally:
        connection.close()
    return last is not None and last > moment


def _version() -> str:
    try:
        return metadata.version("ortak")
    except metadata.PackageNotFoundError:
        return "unknown"


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "redis": _redis,
    "workers": _workers,
    "heartbeat": _heartbeat,
}
NEEDED = {"database", "migrations"}
HELPFUL = {"redis"}
WORK = {"workers", "heartbeat"}

PROBES = {"/healthz": healthz, "/readyz": readyz}


class ProbeMiddleware:
    """Probes ask by address and in plain http: they are answered before host names and https are looked at."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return PROBES.get(request.path_info, self.get_response)(request)
