"""How fast customers are imported, as a ratio to COPYing the same finished rows into the same table in the same run.

    python bench/customers_import.py [ROWS]

COPY is the fastest way PostgreSQL has, and does nothing else: the import also parses the CSV, checks, folds, keys and
compares every row. The ratio, unlike the seconds, can be compared between machines. Runs in a database of its own.
"""

from __future__ import annotations

import csv
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("ORTAK_MODE", "test")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
CITIES = (("İstanbul", "TR"), ("Ankara", "TR"), ("München", "DE"), ("Seattle", "US"), ("São Paulo", "BR"))
FIRST = ("Çağdaş", "Northern", "Işık", "Grüne", "Blue", "Şafak", "United", "Öz", "Allied", "Kuzey")
SECOND = ("Yazılım", "Logistics", "Enerji", "Maschinen", "Foods", "İnşaat", "Health", "Tekstil", "Metals", "Gıda")


def csv_file(rows: int, *, managed_every: int) -> str:
    """A file of invented customers, half of them with non-ASCII names, half with a D-U-N-S number."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["name", "country", "city", "postal_code", "address_line1", "duns", "managed"])
    for n in range(rows):
        city, country = CITIES[n % len(CITIES)]
        name = f"{FIRST[n % 10]} {SECOND[n // 10 % 10]} {n}"
        duns = f"{n:09d}" if n % 2 else ""
        writer.writerow(
            [name, country, city, f"{n % 99999:05d}", f"{n % 300} Main Street", duns, n % managed_every == 0]
        )
    return out.getvalue()


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure() -> None:
    """Import, import again, import with changes; then COPY what the first import wrote."""
    from django.db import connection
    from django.utils import timezone

    from portal.accounts.rules import SYSTEM
    from portal.customers import services
    from portal.customers.rules import Columns, RowProblem

    def report(problem: RowProblem) -> None:
        raise AssertionError(problem)

    def load(text: str) -> None:
        lines, columns = io.StringIO(text, newline=""), Columns()
        print("   ", services.import_customers(lines, columns=columns, actor=SYSTEM, now=timezone.now(), report=report))

    def copy(rows: io.StringIO) -> None:
        with connection.cursor() as cursor:
            cursor.cursor.copy_expert(f"COPY customers_customer ({columns}) FROM STDIN", rows)  # psycopg2's own

    text, changed = csv_file(ROWS, managed_every=3), csv_file(ROWS, managed_every=4)
    seconds = {"first import": timed(lambda: load(text)), "again, unchanged": timed(lambda: load(text))}
    columns = (
        "public_id, name, country, city, state, postal_code, address_line1, address_line2, duns, managed, import_key, "
        "search_text, created_at, updated_at"
    )
    finished = io.StringIO()
    with connection.cursor() as cursor:
        cursor.cursor.copy_expert(f"COPY (SELECT {columns} FROM customers_customer ORDER BY id) TO STDOUT", finished)  # noqa: S608
    seconds["again, half of the flags changed"] = timed(lambda: load(changed))
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE customers_customer CASCADE")
    finished.seek(0)
    plain = timed(lambda: copy(finished))
    print(f"COPY of the same {ROWS:,} rows: {plain:.2f} s")
    for what, took in seconds.items():
        print(f"{what}: {took:.2f} s, {ROWS / took:,.0f} rows/s, ratio {took / plain:.2f}")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ortak-bench-") as data:
        os.environ["DATA_DIR"] = data
        from portal import embedded

        # A bench empties and vacuums tables, which is the owner's.
        os.environ["DATABASE_URL"] = embedded.start(Path(data), tied=True).owner
        try:
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0)
            measure()
        finally:
            embedded.stop(Path(data))


if __name__ == "__main__":
    main()
