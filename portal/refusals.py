"""What production refuses besides bad settings: to let the demo's people and programs in, whose secrets all know."""

from __future__ import annotations

import sys

#: gunicorn stops for good when a worker ends with this one, instead of starting the next.
EXIT_CODE = 3
DEMO_ACCOUNTS = (
    "Production never runs with demo accounts or demo API clients: use an empty database, or ORTAK_MODE=demo."
)


def refuse_demo_accounts() -> None:
    """End the process if a production server, worker or beat would run over the demo's data."""
    from django.conf import settings
    from django.db import DatabaseError, connection

    from portal.accounts.selectors import demo_accounts_exist
    from portal.api.services.clients import demo_clients_exist

    if settings.MODE != "production":
        return
    try:
        refused = demo_accounts_exist() or demo_clients_exist()
    except DatabaseError:
        return  # down, or not migrated yet: nobody can sign in either, and /readyz says so
    finally:
        connection.close()
    if refused:
        print(f"ortak: {DEMO_ACCOUNTS}", file=sys.__stderr__)  # Celery makes a log of sys.stderr
        sys.exit(EXIT_CODE)
