"""How fast registrations are matched with their marketplace transactions, with events and notices, as a ratio to the
plainest SQL that does the same (FLOW-3).

    python bench/match.py [ROWS]        # without: 100,000, which is also the goal: a ratio of 4 at most

*Plain SQL* is five statements over the same rows in the same run: each registration's nearest transaction, one UPDATE
of the registrations, one of their deals, one INSERT of the events, one of the notices. It asks nobody's role, language
or wishes, locks nothing, and knows that no transaction is the nearest of two. Every deal's team has two people who are
told.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

import generate
from beside import COLLEAGUES, TOUCHED, analyze, compare, events, notices, run, show

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000

#: The deals of one customer and solution are sold 20 days apart, each a day after it was expected.
_SOLD = """
    INSERT INTO dealreg_marketplacetransaction (transaction_id, company_id, customer_id, solution_id, date, amount,
        currency, note, source, created_at, void_reason)
    SELECT 'MP-' || g.id, d.company_id, e.customer_id, g.solution_id, g.marketplace_date + 1, 1000, 'EUR', '', 'csv',
        now(), ''
    FROM dealreg_registration g JOIN referrals_referral d ON d.id = g.referral_id
    JOIN referrals_engagement e ON e.id = d.engagement_id
"""
_APART = """
    UPDATE dealreg_registration g SET marketplace_date = '2026-01-01'::date + 20 * given.place::int
    FROM (SELECT r.id, row_number() OVER (PARTITION BY e.customer_id, r.solution_id ORDER BY r.id) AS place
        FROM dealreg_registration r JOIN referrals_referral d ON d.id = r.referral_id
        JOIN referrals_engagement e ON e.id = d.engagement_id) AS given
    WHERE given.id = g.id
"""
_GIVE = """
    UPDATE dealreg_marketplacetransaction t SET registration_id = given.id
    FROM (SELECT g.id, found.id AS found FROM dealreg_registration g JOIN referrals_referral d ON d.id = g.referral_id
        JOIN referrals_engagement e ON e.id = d.engagement_id CROSS JOIN LATERAL (
            SELECT f.id FROM dealreg_marketplacetransaction f
            WHERE f.customer_id = e.customer_id AND f.company_id = d.company_id AND f.solution_id = g.solution_id
                AND f.registration_id IS NULL AND f.voided_at IS NULL
                AND f.date BETWEEN g.marketplace_date - 30 AND g.marketplace_date + 30
            ORDER BY abs(f.date - g.marketplace_date), f.date, f.id LIMIT 1) AS found
        WHERE g.status = 'marketplace_pending') AS given
    WHERE given.found = t.id
"""
_DECIDE = """
    UPDATE dealreg_registration g SET status = 'marketplace_passed', decided_at = now(), close_due_at = now(),
        updated_at = now(), version = version + 1
    WHERE status = 'marketplace_pending'
        AND EXISTS (SELECT FROM dealreg_marketplacetransaction t WHERE t.registration_id = g.id)
"""
_EVENTS = (
    events(
        "registration.matched",
        "dealreg.registration",
        "jsonb_build_object('status', 'marketplace_pending', 'decided_at', NULL, 'close_due_at', NULL, 'updated_at',"
        " g.created_at)",
        "jsonb_build_object('status', g.status, 'decided_at', g.decided_at, 'close_due_at', g.close_due_at,"
        " 'updated_at', g.updated_at, 'transaction', t.transaction_id, 'transaction_date', t.date)",
        row="g",
        reasons="""jsonb_build_array(jsonb_build_object('code', 'marketplace_search', 'message',
            repeat('words of the search ', 5), 'rule', 'FLOW-3', 'field', '', 'params', jsonb_build_object(
                'partner', p.name, 'customer', c.name, 'solution', s.name,
                'first', jsonb_build_object('date', g.marketplace_date - 30),
                'last', jsonb_build_object('date', g.marketplace_date + 30))))""",
    )
    + """ FROM dealreg_registration g JOIN referrals_referral d ON d.id = g.referral_id
    JOIN referrals_engagement e ON e.id = d.engagement_id JOIN customers_customer c ON c.id = e.customer_id
    JOIN accounts_company p ON p.id = d.company_id JOIN catalog_solution s ON s.id = g.solution_id
    JOIN dealreg_marketplacetransaction t ON t.registration_id = g.id"""
)
_NOTICES = (
    notices("registration", "jsonb_build_object('deal', d.name, 'state', '', 'reason', '', 'comment', '', 'days', 60)")
    + """ FROM events_event v JOIN dealreg_registration g ON g.id = v.subject_id
    JOIN referrals_referral d ON d.id = g.referral_id JOIN referrals_teammember t ON t.referral_id = d.id
    JOIN accounts_user u ON u.email = t.email WHERE v.verb = 'registration.matched' AND v.at = now()"""
)


def written() -> dict[str, int]:
    """What there is of it: the same after both, or they did not do the same."""
    from dealreg.models import MarketplaceTransaction, Registration
    from portal.events.models import Event
    from portal.notify.models import Notice

    return {
        "matched": Registration.objects.filter(status="marketplace_passed").count(),
        "given": MarketplaceTransaction.objects.filter(registration__isnull=False).count(),
        "events": Event.objects.filter(verb="registration.matched").count(),
        "notices": Notice.objects.filter(event__verb="registration.matched").count(),
    }


def waiting(now: datetime) -> None:
    """One registration for each of Contoso's deals, and a transaction for each registration."""
    from dealreg.models import Registration
    from portal import bulk
    from referrals.models import Referral

    at = now - timedelta(days=1)
    given = {"submitted_at": at, "created_at": at, "updated_at": at, "marketplace": True, "marketplace_date": at.date()}
    deals = Referral.objects.filter(company__name="Contoso Yazılım").values_list("pk", "solutions__solution")
    state = {"status": "marketplace_pending", "marketplace_until": now + timedelta(days=60)}
    bulk.insert([Registration(referral_id=pk, solution_id=solution, **given, **state) for pk, solution in deals])
    run(COLLEAGUES, _APART, _SOLD)


def plainly() -> None:
    run(_GIVE, _DECIDE, TOUCHED.format("marketplace_passed"), _EVENTS, _NOTICES)


def main() -> None:
    with generate.database() as fill:
        fill(deals=ROWS, customers=min(ROWS, 10_000), unanswered=True)
        from django.urls import reverse
        from django.utils import timezone

        from dealreg import tasks

        reverse("home")  # a worker has read the addresses once, before its first sweep
        waiting(timezone.now())
        tables = ("dealreg_registration", "dealreg_marketplacetransaction")
        analyze(*tables, "referrals_teammember")
        tables = (*tables, "events_event", "notify_notice")
        times = compare(plainly, tasks.match_marketplace, written=written, tables=tables)
        assert times.written["matched"] == times.written["given"] == times.written["events"] == ROWS, times
        print(f"\n{ROWS:,} registrations matched, with {times.written['notices']:,} notices\n")
        show(times, ROWS, 5)


if __name__ == "__main__":
    main()
