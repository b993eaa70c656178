"""What gunicorn serves; in production never over demo accounts, whose password everybody knows."""

from __future__ import annotations

import os
import sys

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

#: gunicorn stops for good when a worker ends with this one, instead of starting the next.
WORKER_BOOT_ERROR = 3


def refuse_demo_accounts() -> None:
    """End the process if a production server would let the demo's people in."""
    from django.db import DatabaseError, connection

    from portal.accounts.services import demo_accounts_exist

    if settings.MODE != "production":
        return
    try:
        refused = demo_accounts_exist()
    except DatabaseError:
        return  # down, or not migrated yet: nobody can sign in either, and /readyz says so
    finally:
        connection.close()
    if refused:
        print("Production never runs with demo accounts: use an empty database, or ORTAK_MODE=demo.", file=sys.stderr)
        sys.exit(WORKER_BOOT_ERROR)


application = get_wsgi_application()
get_resolver().url_patterns  # noqa: B018  imports every app's pages now, not when the first threads ask at once
refuse_demo_accounts()
