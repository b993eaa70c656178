"""How fast the other sweeps are, each as a ratio to the plainest SQL that writes the same to the same rows.

    python bench/sweeps.py [ROWS [SWEEP]]        # without: 20,000, and all of them; SWEEP: how its line begins

Remind: the time to answer ends, and each of the vendor's sellers hears of it. Close: registrations decided and due.
Revalue: open deals at a new rate. Open: won deals without a registration; each is judged and opened by itself, so only
a tenth of the rows. As in expire.py, plain SQL asks no rule, role, language or wish, and runs in one transaction.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta

import generate
from beside import TOUCHED, compare, run

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
ONLY = sys.argv[2] if len(sys.argv) > 2 else ""

_EVENT = """
    INSERT INTO events_event (public_id, at, verb, subject_type, subject_id, "group", company_id, shared, version,
        actor_kind, actor_client, before, after, reasons, comment, policy_version)
    SELECT uuidv7(), now(), {}, r.id, e.public_id, d.company_id, false, r.version, 'system', '', {}, {}, '[]', '', 0
"""
_DEAL = (
    " FROM referrals_referral r JOIN referrals_referral d ON d.id = r.id"
    " JOIN referrals_engagement e ON e.id = d.engagement_id"
)
_REGISTRATION = (
    " FROM dealreg_registration r JOIN referrals_referral d ON d.id = r.referral_id"
    " JOIN referrals_engagement e ON e.id = d.engagement_id"
)
_NOTICE = """
    INSERT INTO notify_notice (event_id, user_id, email, language, subject, body, params, link, category, mail,
        created_at, next_attempt_at, attempts, last_error)
    SELECT v.id, u.id, u.email, u.language, 'subject of the notice: %(deal)s', repeat('words of the notice ', 8),
        jsonb_build_object('days', 1, 'deal', d.name, 'customer', c.name, 'until', d.expires_at),
        '/co-sell/' || d.public_id || '/', 'deadline', 'now', v.at, v.at, 0, ''
"""
_HEARING = " JOIN referrals_engagement e ON e.id = d.engagement_id JOIN customers_customer c ON c.id = e.customer_id"

REMIND = (
    _EVENT.format(
        "'referral.reminded', 'referrals.referral'",
        "'{}'",
        "jsonb_build_object('lead', 1, 'until', r.expires_at, 'days', 1)",
    )
    + _DEAL
    + " WHERE r.substatus = 'Received'",
    _NOTICE
    + " FROM events_event v JOIN referrals_referral d ON d.id = v.subject_id"
    + _HEARING
    + """ JOIN accounts_membership m ON m.company_id = d.company_id AND m.is_active
        JOIN accounts_rolegrant g ON g.membership_id = m.id AND g.role = 'seller'
        JOIN accounts_user u ON u.id = m.user_id WHERE v.verb = 'referral.reminded'""",
)
CLOSE = (
    """UPDATE dealreg_registration SET outcome = status, status = 'closed', closed_at = now(), close_due_at = NULL,
        updated_at = now(), version = version + 1 WHERE status = 'approved'""",
    TOUCHED.format("closed"),
    _EVENT.format(
        "'registration.closed', 'dealreg.registration'",
        "jsonb_build_object('status', 'approved', 'outcome', '', 'closed_at', NULL, 'close_due_at', r.created_at)",
        "jsonb_build_object('status', 'closed', 'outcome', 'approved', 'closed_at', r.closed_at, 'close_due_at', NULL)",
    )
    + _REGISTRATION,
)
#: What open takes: won right now, accepted by the vendor with somebody who answers for it.
RIPE = (
    "UPDATE customers_customer SET managed = true",
    "UPDATE referrals_referralsolution SET solution_id = (SELECT min(id) FROM catalog_solution WHERE azure_ip)",
    """UPDATE referrals_referral SET substatus = 'Accepted', accepted_at = created_at WHERE substatus = 'Received'""",
    """INSERT INTO referrals_teammember (referral_id, first_name, last_name, phone, email, title)
        SELECT id, 'Sam', 'Seller', '+44 20 555 0100', 'seller@vendor.example', '' FROM referrals_referral
        WHERE invited_by_id IS NOT NULL AND company_id = (SELECT id FROM accounts_company WHERE kind = 'vendor')""",
    """UPDATE referrals_referral SET substatus = 'Won', closed_at = now(), created_at = now() - interval '20 days',
        value = 50000, value_usd = 50000, usd_rate_month = date_trunc('month', now()) WHERE id % 10 = 0 AND company_id =
        (SELECT id FROM accounts_company WHERE name = 'Contoso Yazılım')""",
)
_WON = "d.substatus = 'Won' AND d.closed_at > now() - interval '1 hour'"
OPEN = (
    f"""INSERT INTO dealreg_registration (public_id, referral_id, solution_id, status, outcome, deployment, term,
        tcv_currency, solution_value_currency, tenant, pricing, contract_names_confirmed, rates, policy_version,
        criteria, open_solutions, route_reasons, route_facts, reason_code, comment, validated_by,
        decided_from, created_at, updated_at, version)
    SELECT uuidv7(), d.id, (SELECT min(s.solution_id) FROM referrals_referralsolution s WHERE s.referral_id = d.id),
        'registration_pending', '', '', '', '', '', '', '', false, '{{}}', 0,
        '[]', '[]', '[]', '{{}}', '', '', '', '', now(), now(), 1
    FROM referrals_referral d WHERE {_WON}""",  # noqa: S608
    _EVENT.format(
        "'registration.opened', 'dealreg.registration'", "'{}'", "jsonb_build_object('status', 'registration_pending')"
    )
    + _REGISTRATION,
    _NOTICE
    + " FROM events_event v JOIN dealreg_registration r ON r.id = v.subject_id"
    + " JOIN referrals_referral d ON d.id = r.referral_id"
    + _HEARING
    + " JOIN accounts_user u ON u.email = 'referrals@contoso.example' WHERE v.verb = 'registration.opened'",
)
REVALUE = (
    """UPDATE referrals_referral SET value_usd = round(value, 2), usd_rate_month = date_trunc('month', now())
        WHERE substatus IN ('Received', 'Accepted')""",
)


def written() -> dict[str, int]:
    from dealreg.models import Registration
    from portal.events.models import Event
    from portal.notify.models import Notice
    from referrals.models import Referral

    return {
        "events": Event.objects.count(),
        "notices": Notice.objects.count(),
        "registrations": Registration.objects.count(),
        "closed": Registration.objects.filter(status="closed").count(),
        "valued": Referral.objects.exclude(usd_rate_month=None).count(),
    }


def measure(name: str, plainly: tuple[str, ...], sweep: Callable[[], object]) -> None:
    if name.startswith(ONLY):
        tables = ("referrals_referral", "dealreg_registration", "events_event")
        times = compare(lambda: run(*plainly), sweep, written=written, tables=tables)
        print(f"| {name} | {times.plain:.2f} | {times.ours:.2f} | {times.ratio} |", flush=True)


def registrations() -> None:
    """One for each of Contoso's deals, approved and due to close."""
    from django.utils import timezone

    from dealreg.models import Registration
    from portal import bulk
    from referrals.models import Referral

    at = timezone.now() - timedelta(days=8)
    given = {"status": "approved", "submitted_at": at, "close_due_at": at, "created_at": at, "updated_at": at}
    deals = Referral.objects.filter(company__name="Contoso Yazılım", registration=None).values_list("pk", flat=True)
    bulk.insert([Registration(referral_id=pk, **given) for pk in deals])


def open_all() -> None:
    """Turn after turn, until there is nothing left."""
    from dealreg import tasks

    while tasks.open_missed():
        pass


def main() -> None:
    with generate.database() as fill:
        fill(deals=ROWS, customers=min(ROWS, 10_000), unanswered=True)
        from django.urls import reverse
        from django.utils import timezone

        from dealreg import tasks as dealreg
        from referrals import sweeps
        from referrals import tasks as referrals

        reverse("home")  # a worker has read the addresses once, before its first sweep

        print(f"\n{ROWS:,} deals\n\n| sweep | plain SQL, s | ours, s | ratio |\n|---|---|---|---|")
        run(
            "UPDATE referrals_referral SET expires_at = now() + interval '20 hours',"
            " created_at = now() - interval '13 days' WHERE substatus = 'Received'"
        )
        measure("remind", REMIND, referrals.remind)
        run("UPDATE referrals_referral SET value_usd = NULL, usd_rate_month = NULL")
        measure("revalue", REVALUE, lambda: sweeps.revalue_open(now=timezone.now()))
        run(*RIPE)
        measure("open (a tenth of the deals)", OPEN, open_all)
        registrations()
        measure("close", CLOSE, dealreg.close_decided)


if __name__ == "__main__":
    main()
