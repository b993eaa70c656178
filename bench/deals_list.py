"""How fast the list of deals, its search and the customer typeahead are, each as a ratio to the plainest SQL that
fetches the same rows in the same run, and page 1 against page 1,000.

    python bench/deals_list.py [DEALS ...]        # without any: 10,000; the goal is also 1,000,000

*List page* is everything the page asks and makes of it, down to what the template is given: the rows with all that may
stand in their columns, the counts of the three tabs, the filters' suggestions. *Its rows* is the main query alone. Each
figure is the median of several runs. The ratios, unlike the milliseconds, can be compared between machines.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import generate

RUNS = 15
SIZE = 50
BY = "referrals@contoso.example"


@dataclass(frozen=True)
class Result:
    what: str
    ours: float
    plain: float

    def __str__(self) -> str:
        return f"| {self.what} | {self.ours:.2f} ms | {self.plain:.2f} ms | {self.ours / self.plain:.2f} |"


def timed(work: Callable[[], object]) -> float:
    """Milliseconds, the median; the first runs only warm up."""
    took = []
    for run in range(RUNS + 3):
        start = time.perf_counter()
        work()
        if run >= 3:
            took.append(time.perf_counter() - start)
    return statistics.median(took) * 1000


PLAIN = """
    SELECT r.*, e.*, c.* FROM referrals_referral r
    JOIN referrals_engagement e ON e.id = r.engagement_id JOIN customers_customer c ON c.id = e.customer_id
    WHERE r.company_id = %(company)s AND r.invited_by_id IS NULL {and_}
    ORDER BY {order} LIMIT 51
"""
FIND = "AND r.search_vector @@ to_tsquery('simple', %(words)s)"
TYPED = """
    SELECT * FROM customers_customer WHERE country = 'TR' AND search_text LIKE %(like)s
    ORDER BY search_text, id LIMIT 20
"""


def plain(statement: str, **given: Any) -> Callable[[], list[Any]]:
    from django.db import connection

    def fetch() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(statement, given)
            return cursor.fetchall()

    return fetch


class Bench:
    """The measurements on a filled database."""

    def __init__(self) -> None:
        from portal.accounts import selectors as accounts
        from portal.accounts.models import User

        self.actor = accounts.actor_for(accounts.memberships(User.objects.get(email=BY))[0])

    def asked(self, **params: str) -> Any:
        from portal.pages.deals.listing import DEALS
        from portal.ui.listing.query import ListQuery

        return ListQuery.of(DEALS, {name: [value] for name, value in params.items()}, self.actor)

    def rows(self, asked: Any) -> Any:
        """The main query of one page."""
        from portal.ui.listing import rows

        return rows.page_query(rows.in_order(self.actor, asked), asked)

    def page(self, number: int, **params: str) -> Any:
        """What is asked for the page of this number: by the key of the row before it."""
        from dataclasses import replace

        asked = self.asked(**params)
        if number == 1:
            return asked
        from portal.ui.listing import rows

        before = rows.in_order(self.actor, asked)[(number - 1) * SIZE - 1]
        return replace(asked, after=asked.order.cursor(before))

    def plainly(self, *, order: str = "r.created_at DESC, r.id DESC", words: str = "") -> Callable[[], list[Any]]:
        statement = PLAIN.format(and_=FIND if words else "", order=order)
        return plain(statement, company=self.actor.company_id, words=words)

    def compare(self, what: str, ours: Callable[[], object], other: Callable[[], object]) -> Result:
        return Result(what, timed(ours), timed(other))

    def list_page(self) -> list[Result]:
        from portal.ui.listing import context as page

        asked, first = self.page(1), self.plainly()
        return [
            self.compare("list page", lambda: page.context(self.actor, asked, []), first),
            self.compare("list page: its rows", lambda: list(self.rows(asked)), first),
        ]

    def pages(self, deals: int) -> Result:
        last = min(1000, deals * 9 // 10 // SIZE - 1)
        first, late = self.page(1), self.page(last)
        return self.compare(
            f"page {last:,} (plain: page 1)", lambda: list(self.rows(late)), lambda: list(self.rows(first))
        )

    def search(self, deals: int) -> list[Result]:
        """A word of one deal, of none, of every sixth and of every deal: looking up, and knowing when not to."""
        queries = {
            "one deal's id": (f"OPP-{deals // 2}", f"(sopp:* | oopp:*) & (s{deals // 2}:* | o{deals // 2}:*)"),
            "in no deal": ("zzzzzz", "(szzzzzz:* | ozzzzzz:*)"),
            "in every sixth": ("plant mon", "(splant:* | oplant:*) & (smon:* | omon:*)"),
            "in all": ("contoso", "(scontoso:* | ocontoso:*)"),
        }
        return [self.searched(kind, *query) for kind, query in queries.items()]

    def searched(self, kind: str, typed: str, words: str) -> Result:
        asked = self.asked(q=typed)
        return self.compare(f"search, {kind}", lambda: list(self.rows(asked)), self.plainly(words=words))

    def orders(self) -> list[Result]:
        orders = {
            "name": "r.name, r.id",
            "customer": "c.search_text, r.id",
            "status": "r.substatus, r.id",
            "stage": "r.stage, r.id",
            "-value": "r.value_usd DESC NULLS LAST, r.id DESC",
            "close": "r.close_date, r.id",
        }
        return [self.ordered(sort, order) for sort, order in orders.items()]

    def ordered(self, sort: str, order: str) -> Result:
        asked = self.asked(sort=sort)
        return self.compare(f"ordered by {sort}", lambda: list(self.rows(asked)), self.plainly(order=order))

    def typeahead(self) -> Result:
        from portal.customers.models import Customer

        return self.compare(
            "customer typeahead",
            lambda: list(Customer.objects.suggest("TR", "işık ene")),
            plain(TYPED, like="isik ene%"),
        )


def main(sizes: list[int]) -> None:
    with generate.database() as fill:
        for deals in sizes:
            start = time.perf_counter()
            fill(deals=deals, customers=deals)
            print(f"\n{deals:,} deals and as many customers, filled in {time.perf_counter() - start:.0f} s\n")
            print("| what | ours | plain SQL | ratio |\n|---|---|---|---|")
            bench = Bench()
            results = [*bench.list_page(), bench.pages(deals), *bench.search(deals), bench.typeahead(), *bench.orders()]
            print("\n".join(map(str, results)), flush=True)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [10_000])
