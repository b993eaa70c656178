"""What whole pages cost, each as a ratio to the data it shows: the very same queries sent by themselves in the same
run, and nothing made of their rows. The page is all that the portal does for a request, session and rendering included.

    python bench/pages.py [DEALS ...]        # without any: 10,000

The goal for the list: 50 rows in at most 60 KiB and 60 ms.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import generate
from deals_list import BY, timed

REVIEWER = "reviewer@vendor.example"


@dataclass(frozen=True)
class Result:
    page: str
    ours: float
    data: float
    queries: int
    kib: float

    def __str__(self) -> str:
        ratio = f"{self.ours / self.data:.1f}"
        cells = (self.page, f"{self.ours:.1f} ms", f"{self.data:.1f} ms", ratio, self.queries, f"{self.kib:.0f} KiB")
        return f"| {' | '.join(map(str, cells))} |"


def measure(name: str, email: str, url: str) -> Result:
    from django.db import connection
    from django.test import Client

    from portal.accounts.models import User

    browser, sent = Client(), list[tuple[str, Any]]()
    browser.force_login(User.objects.get(email=email))
    answer = browser.get(url)
    assert answer.status_code == 200, f"{url}: {answer.status_code}"

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("SELECT", "WITH")):
            sent.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        browser.get(url)

    def fetch() -> None:
        with connection.cursor() as cursor:
            for sql, params in sent:
                cursor.execute(sql, params)
                cursor.fetchall()

    return Result(name, timed(lambda: browser.get(url)), timed(fetch), len(sent), len(answer.content) / 1024)


def results() -> list[Result]:
    from dealreg.models import Registration
    from dealreg.rules import states
    from referrals.models import Referral

    contoso = Referral.objects.filter(company__name__startswith="Contoso")
    deal = contoso.filter(substatus="Accepted", stage=40).latest("created_at")
    waits = Registration.objects.filter(status=states.REVIEW_PENDING).earliest("pk")
    return [
        measure("home", BY, "/"),
        measure("list, 50 rows", BY, "/co-sell/?tab=outbound&exact=1&size=50"),
        measure("deal", BY, f"/co-sell/{deal.public_id}/"),
        measure("insights, 12 months", BY, "/insights/?period=12"),
        measure("review", REVIEWER, f"/admin/dealreg/registration/{waits.pk}/change/"),
    ]


def main(sizes: list[int]) -> None:
    with generate.database() as fill:
        from django.core.management import call_command

        call_command("collectstatic", interactive=False, verbosity=0)
        for number, deals in enumerate(sizes):
            start = time.perf_counter()
            fill(deals=deals, customers=min(deals, 100_000), demo=not number)
            print(f"\n{deals:,} deals besides the demo's, filled in {time.perf_counter() - start:.0f} s\n")
            print("| page | ours | its data | ratio | queries | size |\n|---|---|---|---|---|---|")
            print("\n".join(map(str, results())), flush=True)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [10_000])
