"""Django's migrate, as the owner of the schema.

Afterwards the app's role gets what it may do, and a restored database goes on counting (portal/database.py).
"""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from portal import database


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        with database.as_owner(connection):
            super().handle(*args, **options)
            database.grant(connection)
            database.continue_feed(connection)
        if options["verbosity"] and database.can_change_events():
            self.stderr.write(self.style.WARNING(database.ONE_ROLE))
