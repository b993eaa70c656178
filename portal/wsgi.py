"""What gunicorn serves; in production never over demo accounts, whose password everybody knows."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

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


class Request(WSGIRequest):
    """Always read as UTF-8, whatever it says it is; PlainTextMiddleware refuses the others. Django would try every
    codec of Python's, and fail with those that make no text before anybody could answer."""

    def _set_content_type_params(self, meta: Mapping[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (LookupError, ValueError):
            self.content_type, self.content_params = "", {"charset": "unreadable"}


application = get_wsgi_application()
application.request_class = Request
refuse_demo_accounts()
