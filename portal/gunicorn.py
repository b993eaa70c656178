"""How gunicorn serves the portal: `gunicorn -c portal/gunicorn.py`."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

from portal.variables import env

_host = env.text("HOST", "127.0.0.1")
_port = env.number("PORT", 8000, highest=65535)

wsgi_app = "portal.wsgi:application"
bind = f"[{_host}]:{_port}" if ":" in _host else f"{_host}:{_port}"
workers = env.number("WEB_CONCURRENCY", 3, lowest=1, highest=1000)
# Slow clients wait in an event loop; a thread works on whole requests only.
worker_class = "portal.webserver.BufferedWorker"
# Each may hold a database connection: docs/operations.md reckons them up.
threads = env.number("WEB_THREADS", 6, lowest=1, highest=1000)
# Of the event loop. A thread that waits for the database is ended by the database.
timeout = 30
os.environ.setdefault("STATEMENT_SECONDS", "30")
graceful_timeout = 10
# Whatever a request leaves behind in memory goes with its process, not all of them at once.
max_requests = 5000
max_requests_jitter = 5000
# Heartbeat files on a disk stall the workers when the disk does.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108  private files with random names
# Two copies on one machine would share it, and nobody uses it.
control_socket_disable = True


def on_starting(_server: object) -> None:
    """Try the application once, aside: a refusal is then one line, not one per worker.

    Aside, because what this process imports it can't load anew on SIGHUP.
    """
    tried = "portal.wsgi" if env.text("ORTAK_MODE") == "production" else "portal.settings"
    code = subprocess.run([sys.executable, "-c", f"import {tried}"], check=False).returncode  # noqa: S603
    if code:
        sys.exit(code)


def post_worker_init(_worker: object) -> None:
    """What was loaded stays until the process ends: the search for reference cycles needn't walk it again and again.
    Nor look so often, as a page of a list is tens of thousands of objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
