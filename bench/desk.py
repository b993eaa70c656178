"""How fast the reviewers' desk is: page 1 and page 1,000 of a queue, each as a ratio to the plainest SQL that fetches
the same rows in the same run.

    python bench/desk.py [CASES ...]        # without any: 2,000; the goal is 100,000

*Desk page* is everything the page asks and makes of it: the rows, each queue's number and oldest age. *Its rows* is the
main query alone. Page 1,000 is compared with plain SQL's page 1 by key.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import generate
from deals_list import SIZE, Result, plain, timed

BY = "reviewer@vendor.example"
#: Cases like the first, a minute apart, of one reason each.
MORE = """
    INSERT INTO desk_case (kind, object_id, company_id, customer_id, title, reasons, value_usd, is_marketplace,
        is_returned, search_text, opened_at, due_on, outcome)
    SELECT 'registration', -n, d.company_id, e.customer_id, d.name,
        jsonb_build_array((ARRAY['several_partners', 'pay_as_you_go', 'won_early'])[1 + n %% 3]), 25000 + n, n %% 7 = 0,
        n %% 5 = 0, 'sdeal s' || n, now() - n * interval '1 minute', (now() - n * interval '1 minute')::date + 7, ''
    FROM generate_series(1, %(cases)s) AS n,
        (SELECT * FROM referrals_referral ORDER BY id LIMIT 1) AS d
        JOIN referrals_engagement e ON e.id = d.engagement_id
"""
PLAIN = """
    SELECT * FROM desk_case c JOIN accounts_company p ON p.id = c.company_id
    JOIN customers_customer u ON u.id = c.customer_id
    LEFT JOIN accounts_user h ON h.id = c.claimed_by_id
    WHERE c.closed_at IS NULL ORDER BY c.due_on, c.id LIMIT 51
"""
COUNTED = """
    SELECT count(*), min(opened_at), count(*) FILTER (WHERE claimed_by_id IS NULL),
        count(*) FILTER (WHERE is_marketplace), count(*) FILTER (WHERE is_returned)
    FROM desk_case WHERE closed_at IS NULL
"""


def measure(cases: int) -> list[Result]:
    from django.utils import timezone

    from portal.accounts import selectors as accounts
    from portal.accounts.models import User
    from portal.desk import listing as desk
    from portal.ui.listing import context, rows

    actor = accounts.actor_for(accounts.memberships(User.objects.get(email=BY))[0])
    shown = desk.DeskListing(timezone.now())
    first = desk.query_of(shown, "?tab=open&exact=1", actor)
    number = min(1000, cases * 9 // 10 // SIZE - 1)
    before = rows.in_order(actor, first)[(number - 1) * SIZE - 1]
    late = replace(first, after=first.order.cursor(before))
    fetch, count = plain(PLAIN), plain(COUNTED)

    def page(asked: Any) -> object:
        fresh = desk.DeskListing(timezone.now())
        return context.context(actor, replace(asked, listing=fresh), ())

    def rows_of(asked: Any) -> object:
        return list(rows.page_query(rows.in_order(actor, asked), asked))

    both = timed(lambda: (fetch(), count()))
    return [
        Result("desk page 1 (plain: rows and counts)", timed(lambda: page(first)), both),
        Result(f"desk page {number:,} (plain: page 1 and counts)", timed(lambda: page(late)), both),
        Result("its rows, page 1", timed(lambda: rows_of(first)), timed(fetch)),
        Result(f"its rows, page {number:,} (plain: page 1)", timed(lambda: rows_of(late)), timed(fetch)),
    ]


def main(sizes: list[int]) -> None:
    with generate.database() as fill:
        from beside import analyze, run

        fill(deals=100, customers=100)
        for cases in sizes:
            run("TRUNCATE desk_case")
            run(MORE, cases=cases)
            analyze("desk_case")
            print(f"\n{cases:,} cases\n\n| what | ours | plain SQL | ratio |\n|---|---|---|---|")
            print("\n".join(map(str, measure(cases))), flush=True)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [2_000])
