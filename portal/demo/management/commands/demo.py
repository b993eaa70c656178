"""`manage.py demo`: fill the database with an invented world to try things out in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from portal.accounts.models import Company, User
from portal.accounts.selectors import demo_accounts_exist
from portal.demo import cast, clients, deals, endings, exceptions, isv, licences
from portal.refusals import DEMO_ACCOUNTS


class Command(BaseCommand):
    help = "Load the demo data into an empty database; a database with other data is refused."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="say nothing if there is data already")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.MODE == "production":
            raise CommandError(DEMO_ACCOUNTS)
        if demo_accounts_exist():
            if not options["if_empty"]:
                self.stdout.write("The demo data is there already; nothing was changed.")
            return
        if Company.objects.exists() or User.objects.exists():
            if options["if_empty"]:
                return
            raise CommandError("This database has data of its own. The demo goes into an empty one only.")
        with transaction.atomic():
            now = timezone.now()
            everybody = cast.create(now=now)
            clients.create(everybody, now=now)
            more = [endings.create, exceptions.create, isv.create, licences.create]
            count = deals.create(everybody, now=now, more=more)
        self.stdout.write(f"Demo data: {count} deals.")
