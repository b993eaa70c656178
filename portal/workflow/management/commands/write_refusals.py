"""`manage.py write_refusals`: docs/refusals.md, and the catalogue of the page /help/refusals/, from the source."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.workflow import refusals
from portal.workflow.refusals.collect import collect

UNREAD = "Write code and text so that they can be read in the source (portal/workflow/refusals/collect.py says how)"


class Command(BaseCommand):
    help = "Write docs/refusals.md and the catalogue of the page that shows it."

    def handle(self, *args: Any, **options: Any) -> None:
        found, unread = collect()
        if unread:
            raise CommandError(
                "No code or text can be read here (portal/workflow/refusals/collect.py): " + ", ".join(unread)
            )
        refusals.CATALOGUE.write_text(refusals.serialized(tuple(found)), encoding="utf-8")
        refusals.DOCUMENT.write_text(refusals.document(tuple(found)), encoding="utf-8")
        self.stdout.write(f"Wrote {refusals.DOCUMENT.name} and {refusals.CATALOGUE.name}: {len(found)} texts.")
