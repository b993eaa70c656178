"""How fast the other sweeps are, each as a ratio to the plainest SQL that writes the same to the same rows.

    python bench/sweeps.py [ROWS [SWEEP]]        # without: 20,000, and all of them; SWEEP: how its line begins

Remind: the time to answer ends, and each of the vendor's sellers hears of it. Revalue: open deals at a new rate. Open:
won deals without a registration; each is judged by itself, so only a tenth of the rows. Sample: of approved
registrations one in twenty is drawn, with the same seed on both sides (FLOW-4). Close: registrations decided and due.
As in expire.py, plain SQL asks no rule, role, language or wish, and runs in one transaction.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta

import generate
from beside import COLLEAGUES, TOUCHED, compare, events, notices, run

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
ONLY = sys.argv[2] if len(sys.argv) > 2 else ""

_DEAL = (
    " FROM referrals_referral r JOIN referrals_referral d ON d.id = r.id"
    " JOIN referrals_engagement e ON e.id = d.engagement_id"
)
_REGISTRATION = (
    " FROM dealreg_registration r JOIN referrals_referral d ON d.id = r.referral_id"
    " JOIN referrals_engagement e ON e.id = d.engagement_id"
)
_TOLD = "jsonb_build_object('days', 1, 'deal', d.name, 'customer', c.name, 'until', d.expires_at)"
_HEARING = " JOIN referrals_engagement e ON e.id = d.engagement_id JOIN customers_customer c ON c.id = e.customer_id"

REMIND = (
    events(
        "referral.reminded",
        "referrals.referral",
        "'{}'",
        "jsonb_build_object('lead', 1, 'until', r.expires_at, 'days', 1)",
    )
    + _DEAL
    + " WHERE r.substatus = 'Received'",
    notices("deadline", _TOLD)
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
    events(
        "registration.closed",
        "dealreg.registration",
        "jsonb_build_object('status', 'approved', 'outcome', '', 'closed_at', NULL, 'close_due_at', r.created_at)",
        "jsonb_build_object('status', 'closed', 'outcome', 'approved', 'closed_at', r.closed_at, 'close_due_at', NULL)",
    )
    + _REGISTRATION
    + " WHERE r.status = 'closed'",
)
#: What open takes: won right now, accepted by the vendor with somebody who answers for it.
RIPE = (
    "UPDATE referrals_referral SET substatus = 'Lost' WHERE substatus = 'Won'",
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
_WON = "d.substatus = 'Won'"
OPEN = (
    f"""INSERT INTO dealreg_registration (public_id, referral_id, solution_id, status, outcome, deployment, term,
        tcv_currency, solution_value_currency, tenant, pricing, contract_names_confirmed, rates, policy_version,
        criteria, open_solutions, route_reasons, route_facts, reason_code, comment, validated_by,
        decided_from, created_at, updated_at, version)
    SELECT uuidv7(), d.id, (SELECT min(s.solution_id) FROM referrals_referralsolution s WHERE s.referral_id = d.id),
        'registration_pending', '', '', '', '', '', '', '', false, '{{}}', 0,
        '[]', '[]', '[]', '{{}}', '', '', '', '', now(), now(), 1
    FROM referrals_referral d WHERE {_WON}""",  # noqa: S608
    events(
        "registration.opened",
        "dealreg.registration",
        "'{}'",
        "jsonb_build_object('status', 'registration_pending')",
    )
    + _REGISTRATION,
    notices("deadline", _TOLD)
    + " FROM events_event v JOIN dealreg_registration r ON r.id = v.subject_id"
    + " JOIN referrals_referral d ON d.id = r.referral_id"
    + _HEARING
    + " JOIN accounts_user u ON u.email = 'referrals@contoso.example' WHERE v.verb = 'registration.opened'",
)
REVALUE = (
    """UPDATE referrals_referral SET value_usd = round(value, 2), usd_rate_month = date_trunc('month', now())
        WHERE substatus IN ('Received', 'Accepted')""",
)

#: What drawing takes: approved registrations that close soon, of deals whose team has two people who may read them.
SEED, PERCENT = "a seed", 5

#: As dealreg.rules.sample.is_chosen: eight bytes, below so many of a hundred.
_LIMIT = -(-(PERCENT << 64) // 100)
_CHOSEN = rf"""substring(sha256(convert_to('{SEED}:' || public_id::text, 'UTF8')) FOR 8) < '\x{_LIMIT:016x}'::bytea"""
_WHY = """jsonb_build_array(jsonb_build_object('code', 'selected_at_random', 'rule', 'FLOW-4', 'field', '', 'params',
    '{}'::jsonb, 'message', 'This approved registration was chosen at random for a closer look; nothing to do.'))"""
SAMPLE = (
    f"INSERT INTO dealreg_sample (at, seed, percent, policy_version) VALUES (now(), '{SEED}', {PERCENT}, 0)",  # noqa: S608
    "UPDATE dealreg_registration SET sample_id = (SELECT max(id) FROM dealreg_sample) WHERE status = 'approved'",
    f"""UPDATE dealreg_registration SET status = 'review_pending', review_pending_at = now(), close_due_at = NULL,
        route_reasons = {_WHY}, updated_at = now(), version = version + 1 WHERE status = 'approved' AND {_CHOSEN}""",  # noqa: S608
    TOUCHED.format("review_pending"),
    events(
        "registration.selected",
        "dealreg.registration",
        "jsonb_build_object('status', 'approved', 'close_due_at', r.created_at)",
        "jsonb_build_object('status', r.status, 'review_pending_at', now(), 'route_reasons', r.route_reasons)",
        reasons=_WHY,
    )
    + _REGISTRATION
    + " WHERE r.status = 'review_pending'",
    notices(
        "registration", "jsonb_build_object('deal', d.name, 'state', r.status, 'reason', '', 'comment', '', 'days', 60)"
    )
    + """ FROM events_event v JOIN dealreg_registration r ON r.id = v.subject_id
    JOIN referrals_referral d ON d.id = r.referral_id JOIN referrals_teammember t ON t.referral_id = d.id
    JOIN accounts_user u ON u.email = t.email WHERE v.verb = 'registration.selected'""",
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


def draw() -> None:
    """With the same seed as plain SQL."""
    from dealreg import sweeps, tasks

    sweeps.secrets.token_hex = lambda _size: SEED  # type: ignore[assignment]
    tasks.draw_sample()


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
        run(COLLEAGUES, "UPDATE dealreg_registration SET close_due_at = now() + interval '3 days'")
        measure("sample", SAMPLE, draw)
        run("UPDATE dealreg_registration SET close_due_at = now() WHERE status = 'approved'")
        measure("close", CLOSE, dealreg.close_decided)


if __name__ == "__main__":
    main()
