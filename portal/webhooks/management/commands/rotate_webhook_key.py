"""A new key for Microsoft's signature of webhooks, if the one before may be known to others."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from portal.webhooks.services import signing


class Command(BaseCommand):
    help = (
        "Sign webhooks with a new key from now on. Receivers fetch its certificate from the address in each delivery."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        made = signing.rotate(now=timezone.now())
        self.stdout.write(f"Deliveries are signed by {made.public_id} from now on.")
