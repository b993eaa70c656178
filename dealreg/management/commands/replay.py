"""manage.py replay: derive every decision on registrations anew from what was kept."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dealreg.models import Registration
from dealreg.services import replay


class Command(BaseCommand):
    help = "Derive every decision on registrations anew from what was kept (FLOW-7); fails if anything differs."

    def handle(self, *args: Any, **options: Any) -> None:
        count, differences = replay.replay(Registration.objects.all())
        for difference in differences:
            self.stdout.write(str(difference))
        if differences:
            raise CommandError(f"{len(differences)} differences in {count} events.")
        self.stdout.write(f"{count} events replayed: no difference.")
