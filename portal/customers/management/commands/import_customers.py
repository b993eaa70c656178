"""manage.py import_customers FILE.csv: fill or correct the customer directory from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext

from portal.accounts.rules import SYSTEM
from portal.customers import rules, services


class Command(BaseCommand):
    help = (
        "Import customers from a CSV file. Columns named like a field are taken as they are; others by --map. "
        "Bad rows are reported by line and skipped; repeating an import changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        fields = ", ".join(rules.FIELDS)
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--map", action="append", default=[], metavar="FIELD=COLUMN", help=f"where a field stands: {fields}, key"
        )
        parser.add_argument(
            "--default", action="append", default=[], metavar="FIELD=VALUE", help="what an empty or missing cell means"
        )
        parser.add_argument("--source", help="whose keys the key column holds (default: the file's name)")
        parser.add_argument("--delimiter", default=",", help="what separates the columns (\\t for a tab)")
        parser.add_argument("--encoding", default="utf-8-sig")

    def handle(self, *args: Any, file: Path, encoding: str, **options: Any) -> None:
        columns = rules.Columns(
            mapping=_pairs("--map", options["map"]),
            defaults=_pairs("--default", options["default"]),
            source=options["source"] or file.stem,
            delimiter=options["delimiter"].replace("\\t", "\t"),
        )
        if len(columns.delimiter) != 1:
            raise CommandError("--delimiter is one character.")
        try:
            # Bytes that don't decode come through as lone surrogates and are reported with their line.
            with file.open(encoding=encoding, errors="surrogateescape", newline="") as lines:
                done = services.import_customers(
                    lines, columns=columns, actor=SYSTEM, now=timezone.now(), report=self._report
                )
        except (OSError, LookupError, UnicodeError, rules.WrongColumns) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"created {done.created}, updated {done.updated}, unchanged {done.unchanged}, skipped {done.skipped}"
        )

    def _report(self, problem: rules.RowProblem) -> None:
        for blocker in problem.blockers:
            self.stderr.write(f"line {problem.line}: {gettext(blocker.message) % blocker.params}")


def _pairs(option: str, given: list[str]) -> dict[str, str]:
    """The option's FIELD=VALUE pairs."""
    pairs = {}
    for item in given:
        field, equals, value = item.partition("=")
        if not equals or not value:
            raise CommandError(f"{option} takes FIELD=VALUE, not {item!r}.")
        pairs[field.strip()] = value.strip()
    return pairs
