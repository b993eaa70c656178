"""A portal that really runs: gunicorn and a Celery worker of their own on the test's database and Redis."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from celery import current_app
from django.conf import settings
from django.utils import timezone
from redis import Redis

from portal import embedded, run
from portal.notify.services import last_heartbeat
from portal.notify.tasks import heartbeat

PATIENCE = 30.0

#: To an address of this machine one never goes through a proxy.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def wait_for(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait until the condition holds and return what it gave; fails with `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain for: {what}"
        time.sleep(0.05)
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def answer(url: str) -> tuple[int, bytes]:
    """Status and body of a page; 0 while nobody listens."""
    try:
        with _direct.open(url, timeout=5) as got:
            return got.status, got.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()
    except OSError:
        return 0, b""


@dataclass
class Process:
    """One of the portal's processes with all its children, in a session of their own."""

    command: list[str]
    environment: dict[str, str]
    log: Path
    popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                self.command,
                cwd=run.BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=embedded.die_with_parent(signal.SIGTERM),  # also when the test run itself is killed
            )

    @property
    def alive(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    @property
    def logged(self) -> int:
        return len(self.log.read_text()) if self.log.exists() else 0

    def kill(self) -> None:
        """kill -9, as a machine that loses its power: children, too."""
        if self.popen is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait()
            self.popen = None

    def ask_to_end(self) -> None:
        """Politely, so that its connections are closed before the database is dropped."""
        if self.popen is not None:
            self.popen.terminate()

    def stop(self) -> None:
        if self.popen is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(10)
        self.kill()


class Mailbox:
    """Every mail that came in by SMTP."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.port = free_port()
        self._server = Controller(self, hostname="127.0.0.1", port=self.port)

    def start(self) -> None:
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        self.mails.append(message_from_bytes(envelope.content, EmailMessage, policy=policy.default))
        return "250 OK"

    def find(self, *, to: str, subject: str) -> EmailMessage | None:
        """The mail to this address with this subject (a long one comes folded, from its start on)."""
        return next((m for m in self.mails if m["To"] == to and m["Subject"].strip() == subject), None)


@dataclass
class Portal:
    """Web and worker, as `make run` starts them, and the mailbox that they write to.

    There is no beat: what it would ask for, on its schedule, the test asks for when its moment has come.
    """

    url: str
    web: Process
    worker: Process
    mailbox: Mailbox = field(default_factory=Mailbox)

    def ensure(self) -> None:
        """Both run, and the worker has just carried out a task."""
        for process in (self.web, self.worker):
            if not process.alive:
                process.start()
        began = timezone.now()
        heartbeat.delay()
        wait_for(lambda: answer(f"{self.url}/readyz")[0] == 200, f"/readyz; see {self.web.log.parent}")
        wait_for(lambda: (last_heartbeat() or began) > began, f"the worker; see {self.worker.log}")

    def status(self) -> dict[str, str]:
        return json.loads(answer(f"{self.url}/readyz")[1])

    def beat(self, task: str) -> None:
        """Ask for a task of the schedule, as beat would."""
        assert task in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}, (
            f"beat never asks for {task}"
        )
        current_app.send_task(task)

    def stop(self) -> None:
        for process in (self.web, self.worker):
            process.ask_to_end()
        for process in (self.web, self.worker):
            process.stop()
        self.mailbox.stop()


def queue() -> Redis:
    """The broker's own Redis: what waits (`celery`) and what a worker has taken and not finished (`unacked`)."""
    return Redis.from_url(settings.REDIS_URL)


def tasks_left() -> int:
    with queue() as redis:
        return redis.llen("celery") + redis.hlen("unacked")
