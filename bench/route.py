"""How many filed registrations a worker routes in a second, as a ratio to the plainest SQL that writes the same.

    python bench/route.py [ROWS]        # without: 5,000

Each registration is routed by itself, right after it is filed: locked, judged (how many partners, filed before?),
decided, told to its team. *Plain SQL* takes one at a time, too, but decides nothing: an UPDATE, an INSERT of the event,
one of the notices.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from decimal import Decimal

import generate
from beside import COLLEAGUES, compare, events, notices, run
from sweeps import _REGISTRATION, written

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000

ROUTE = (
    """UPDATE dealreg_registration SET status = 'approved', approved_at = now(),
        close_due_at = now() + interval '7 days', updated_at = now(), version = version + 1 WHERE id = %(pk)s""",
    events(
        "registration.routed",
        "dealreg.registration",
        "jsonb_build_object('status', 'registration_pending', 'approved_at', NULL, 'close_due_at', NULL)",
        "jsonb_build_object('status', 'approved', 'approved_at', r.approved_at, 'close_due_at', r.close_due_at)",
    )
    + _REGISTRATION
    + " WHERE r.id = %(pk)s",
    notices(
        "registration",
        "jsonb_build_object('deal', d.name, 'state', jsonb_build_object('term', r.status), 'comment', '', 'days', 60)",
    )
    + """
    FROM events_event v JOIN dealreg_registration r ON r.id = v.subject_id
    JOIN referrals_referral d ON d.id = r.referral_id JOIN referrals_teammember t ON t.referral_id = d.id
    JOIN accounts_user u ON u.email = t.email WHERE v.verb = 'registration.routed' AND r.id = %(pk)s""",
)


def filed() -> None:
    """One for each of Contoso's deals: all answers given, of a customer that nobody else registered."""
    from django.utils import timezone

    from dealreg.models import Registration
    from portal import bulk
    from portal.catalog.models import Solution
    from referrals.models import Referral

    now = timezone.now()
    days = {"signed": now.date(), "start": now.date(), "end": now.date() + timedelta(days=364)}
    amounts = {"tcv": Decimal(60_000), "acv": Decimal(60_000), "acv_usd": Decimal(60_000), "tcv_usd": Decimal(60_000)}
    stated = {"marketplace": False, "deployment": "azure", "term": "finite", "tenant": "customer", "pricing": "other"}
    given = {
        **days,
        **amounts,
        **stated,
        "tcv_currency": "USD",
        "solution_value": Decimal(60_000),
        "solution_value_currency": "USD",
        "solution": Solution.objects.filter(azure_ip=True).first(),
        "contract_names_confirmed": True,
        **dict.fromkeys(["created_at", "updated_at", "submitted_at", "first_submitted_at"], now),
    }
    deals = Referral.objects.filter(company__name="Contoso Yazılım").values_list("pk", flat=True)
    bulk.insert([Registration(referral_id=pk, **given) for pk in deals])


def main() -> None:
    with generate.database() as fill:
        fill(deals=ROWS, customers=ROWS)
        from django.urls import reverse

        run(
            "UPDATE referrals_referral SET substatus = 'Won', closed_at = now(),"
            " created_at = now() - interval '20 days'"
            " WHERE company_id = (SELECT id FROM accounts_company WHERE name = 'Contoso Yazılım')"
        )
        run(COLLEAGUES)
        filed()
        reverse("home")  # a worker has read the addresses once, before its first task

        print(f"\n{ROWS:,} registrations\n\n| | plain SQL, a second | ours, a second | ratio |\n|---|---|---|---|")
        times = compare(plainly, route_all, written=written, tables=())
        print(f"| route | {ROWS / times.plain:.0f} | {ROWS / times.ours:.0f} | {times.ratio} |")


def plainly() -> None:
    from django.db import connection

    from dealreg.models import Registration

    with connection.cursor() as cursor:
        for pk in Registration.objects.to_route().values_list("pk", flat=True):
            for statement in ROUTE:
                cursor.execute(statement, {"pk": pk})


def route_all() -> None:
    from dealreg import tasks

    while tasks.route_submitted():
        pass


if __name__ == "__main__":
    main()
