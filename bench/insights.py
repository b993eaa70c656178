"""How fast Insights are: the whole page's figures as a ratio to the plainest SQL that reads the same deals once.

    python bench/insights.py [DEALS ...]        # without any: 10,000; the goal is also 1,000,000

*Figures* is everything the page asks and makes of it, down to what the template is given: a dozen aggregates over
the deals of the period, of the one before it, and over the open ones. *Plain* is one count and one sum over those
of the period. Of a million deals a year holds some 210,000.
"""

from __future__ import annotations

import sys
import time

import generate
from deals_list import BY, Result, plain, timed

PLAIN = """
    SELECT count(*), sum(value_usd) FROM referrals_referral
    WHERE company_id = %(company)s AND substatus <> 'Error' AND created_at >= %(start)s AND created_at < %(end)s
"""


def results() -> list[Result]:
    from django.utils import timezone

    from portal.accounts import selectors as accounts
    from portal.accounts.models import User
    from portal.pages.insights import charts
    from portal.pages.insights.period import MONTHS
    from portal.ui.period import Period

    actor = accounts.actor_for(accounts.memberships(User.objects.get(email=BY))[0])
    found = []
    for months in MONTHS:
        period = Period.back(months, today=timezone.now().date())
        read = plain(PLAIN, company=actor.company_id, start=period.start, end=period.end)
        ours = timed(lambda period=period: charts.context(actor, period))
        found.append(Result(f"figures of {months} months, {read()[0][0]:,} deals", ours, timed(read)))
    return found


def main(sizes: list[int]) -> None:
    with generate.database() as fill:
        for deals in sizes:
            start = time.perf_counter()
            fill(deals=deals, customers=min(deals, 100_000))
            print(f"\n{deals:,} deals, filled in {time.perf_counter() - start:.0f} s\n")
            print("| what | ours | plain SQL | ratio |\n|---|---|---|---|")
            print("\n".join(map(str, results())), flush=True)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [10_000])
