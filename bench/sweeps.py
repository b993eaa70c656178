"""How fast the other sweeps are, each as a ratio to the plainest SQL that writes the same to the same rows.

    python bench/sweeps.py [ROWS [SWEEP]]        # without: 20,000, and all of them; SWEEP: how its line begins

Remind: the time to answer ends, and each of the vendor's sellers hears of it. Revalue: open deals at a new rate. Open:
won deals without a registration; each is judged by itself, so only a tenth of the rows. Sample: of approved
registrations one in twenty is drawn, with the same seed on both sides (FLOW-4). Close: registrations decided and due.
Both find what is due, and keep the same of it: the bench compares one row of each kind, with all that stands in it. As
in expire.py, plain SQL asks no role, language or wish, and runs in one transaction; it opens no case on the desk.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta

import beside
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
_HEARING = " JOIN referrals_engagement e ON e.id = d.engagement_id JOIN customers_customer c ON c.id = e.customer_id"

REMIND = (
    events(
        "referral.reminded",
        "referrals.referral",
        "'{}'",
        "jsonb_build_object('lead', 1, 'until', r.expires_at, 'days', 1)",
        version="NULL::int",
    )
    + _DEAL
    + """ WHERE r.substatus = 'Received' AND r.expires_at > now() AND r.expires_at <= now() + interval '1 day'
        AND r.created_at < r.expires_at - interval '1 day' AND NOT EXISTS (SELECT FROM events_event v
            WHERE v.subject_type = 'referrals.referral' AND v.subject_id = r.id AND v.verb = 'referral.reminded'
            AND (v.after ->> 'lead')::int = 1 AND (v.after ->> 'until')::timestamptz = r.expires_at)""",
    notices(
        "deadline",
        """jsonb_build_object('days', 1, 'deal', d.name, 'customer', c.name, 'sender', i.name, 'value',
            jsonb_build_object('amount', d.value::text, 'currency', d.currency),
            'until', jsonb_build_object('instant', d.expires_at))""",
        subject="'One day left to answer: %(deal)s'",
        body="'The deal “%(deal)s” for %(customer)s, worth %(value)s, that %(sender)s sent you is not answered yet. "
        "Accept or decline it until %(until)s; after that it expires.'",
    )
    + " FROM events_event v JOIN referrals_referral d ON d.id = v.subject_id"
    + _HEARING
    + """ JOIN accounts_membership m ON m.company_id = d.company_id AND m.is_active
        JOIN accounts_company i ON i.id = d.invited_by_id
        JOIN accounts_rolegrant g ON g.membership_id = m.id AND g.role = 'seller'
        JOIN accounts_user u ON u.id = m.user_id AND u.is_active WHERE v.verb = 'referral.reminded'""",
)
CLOSE = (
    """UPDATE dealreg_registration SET outcome = status, status = 'closed', closed_at = now(), close_due_at = NULL,
        updated_at = now(), version = version + 1 WHERE status = 'approved'""",
    TOUCHED.format("closed"),
    events(
        "registration.closed",
        "dealreg.registration",
        """jsonb_build_object('status', 'approved', 'outcome', '', 'closed_at', NULL, 'close_due_at', r.created_at,
            'updated_at', r.created_at)""",
        """jsonb_build_object('status', 'closed', 'outcome', 'approved', 'closed_at', r.closed_at, 'close_due_at', NULL,
            'updated_at', r.updated_at)""",
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
_MINIMUM = {"minimum": {"amount": "25000", "currency": "USD"}}
_VALUE = {"value": {"amount": "%1$s", "currency": "%2$s"}}
_SOLUTIONS = {"solutions": "%3$s"}
_WON = {"won_at": {"instant": "%4$s"}}
#: The criteria of a co-sell deal that may be registered: code, rule, and what is needed, there, and to say of it.
_CRITERIA = (
    (
        "not_assessment",
        "ELIG-1",
        "Any deal but a solution assessment",
        "Co-sell",
        "This deal is not a solution assessment.",
    ),
    ("deal_type", "ELIG-2", "Co-sell or partner-led", "Co-sell", "%(vendor)s may see this deal, so its type fits."),
    (
        "minimum_value",
        "ELIG-3",
        ("At least %(minimum)s", _MINIMUM),
        ("%(value)s", _VALUE),
        ("The estimated value reaches the minimum of %(minimum)s.", _MINIMUM),
    ),
    (
        "managed_customer",
        "ELIG-4",
        "A customer account managed by %(vendor)s",
        "Managed",
        "%(vendor)s manages this customer account.",
    ),
    (
        "ip_solution",
        "ELIG-5",
        "At least one Azure IP co-sell eligible solution",
        ("%(solutions)s", _SOLUTIONS),
        ("Azure IP co-sell eligible: %(solutions)s.", _SOLUTIONS),
    ),
    ("won", "ELIG-6", "The deal is marked Won", ("Won on %(won_at)s", _WON), "The deal is won."),
    (
        "vendor_accepted",
        "ELIG-7",
        "Accepted or marked Won by %(vendor)s",
        "Accepted",
        "%(vendor)s has accepted this deal.",
    ),
)


def _kept(code: str, rule: str, *texts: str | tuple[str, object]) -> dict[str, object]:
    """A criterion as the registration and its event keep it."""
    kept: dict[str, object] = {"code": code, "rule": rule, "state": "met"}
    for name, text in zip(("needed", "actual", "message"), texts, strict=True):
        message, params = (text, {}) if isinstance(text, str) else text
        kept[name] = {"code": code, "rule": rule, "field": "", "params": params, "message": message}
    return kept


_TEMPLATE = (
    json.dumps([_kept(*given) for given in _CRITERIA])
    .replace("%(", "%%(")
    .replace('"%3$s"', "%3$s")
    .replace('"%4$s"', "%4$s")
)
OPEN = (
    f"""INSERT INTO dealreg_registration (public_id, referral_id, solution_id, status, outcome, deployment, term,
        tcv_currency, solution_value_currency, tenant, pricing, contract_names_confirmed, rates, policy_version,
        criteria, open_solutions, route_reasons, route_facts, reason_code, comment, validated_by,
        decided_from, created_at, updated_at, version)
    SELECT uuidv7(), d.id, CASE WHEN s.number = 1 THEN s.one END,
        'registration_pending', '', '', '', '', '', '', '', false, '{{}}', 0,
        format('{_TEMPLATE}', d.value, d.currency, to_json(s.names), to_json(d.closed_at))::jsonb,
        s.ids, '[]', '{{}}', '', '', '', '', now(), now(), 1
    FROM referrals_referral d JOIN accounts_company o ON o.id = d.company_id AND o.kind = 'partner'
        JOIN referrals_engagement e ON e.id = d.engagement_id AND e.assessment_type_id IS NULL
        JOIN customers_customer c ON c.id = e.customer_id AND c.managed
        JOIN LATERAL (SELECT count(*) AS number, min(s.id) AS one, jsonb_agg(s.id ORDER BY s.name) AS ids,
            string_agg(s.name, ', ' ORDER BY s.name) AS names FROM referrals_referralsolution l
            JOIN catalog_solution s ON s.id = l.solution_id WHERE l.referral_id = d.id AND s.azure_ip) s ON s.number > 0
    WHERE d.substatus = 'Won' AND d.value_usd >= 25000 AND d.vendor_may_view
        AND EXISTS (SELECT FROM referrals_referral y JOIN accounts_company k ON k.id = y.company_id
            WHERE y.engagement_id = e.id AND k.kind = 'vendor' AND y.accepted_at IS NOT NULL)
    ON CONFLICT (referral_id) DO NOTHING""",  # noqa: S608
    events(
        "registration.opened",
        "dealreg.registration",
        "'{}'",
        "jsonb_build_object('status', 'registration_pending', 'criteria', r.criteria)",
    )
    + _REGISTRATION,
    notices(
        "registration",
        """jsonb_build_object('deal', d.name, 'state', jsonb_build_object('term', 'Registration (Pending)'),
            'reason', jsonb_build_object('term', ''), 'comment', '', 'days', 60)""",
        subject="'Register your deal %(deal)s'",
        body="'You won “%(deal)s”, and it can be registered. You have %(days)s days from the signing of the contract.'",
    )
    + """ FROM events_event v JOIN dealreg_registration r ON r.id = v.subject_id
        JOIN referrals_referral d ON d.id = r.referral_id
        JOIN accounts_user u ON u.email = 'referrals@contoso.example' WHERE v.verb = 'registration.opened'""",
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
    '{}'::jsonb, 'message', 'This approved registration was chosen at random for a closer look.'))"""
SAMPLE = (
    f"INSERT INTO dealreg_sample (at, seed, percent, policy_version) VALUES (now(), '{SEED}', {PERCENT}, 0)",  # noqa: S608
    "UPDATE dealreg_registration SET sample_id = (SELECT max(id) FROM dealreg_sample) WHERE status = 'approved'",
    f"""UPDATE dealreg_registration SET status = 'review_pending', review_pending_at = now(), close_due_at = NULL,
        route_reasons = {_WHY}, updated_at = now(), version = version + 1 WHERE status = 'approved' AND {_CHOSEN}""",  # noqa: S608
    TOUCHED.format("review_pending"),
    events(
        "registration.selected",
        "dealreg.registration",
        """jsonb_build_object('status', 'approved', 'close_due_at', r.created_at, 'updated_at', r.created_at,
            'review_pending_at', NULL, 'route_reasons', '[]'::jsonb)""",
        """jsonb_build_object('status', r.status, 'close_due_at', NULL, 'updated_at', r.updated_at,
            'review_pending_at', now(), 'route_reasons', r.route_reasons)""",
        reasons=_WHY,
    )
    + _REGISTRATION
    + " WHERE r.status = 'review_pending'",
    notices(
        "registration",
        """jsonb_build_object('deal', d.name, 'state', jsonb_build_object('term', 'Review (Pending)'),
            'reason', jsonb_build_object('term', ''), 'comment', '', 'days', 60)""",
        subject="'The registration of %(deal)s was selected for review'",
        body="'The approved registration of “%(deal)s” was selected for review. "
        "No action is needed from you.\n\n%(comment)s'",
    )
    + """ FROM events_event v JOIN dealreg_registration r ON r.id = v.subject_id
    JOIN referrals_referral d ON d.id = r.referral_id JOIN referrals_teammember t ON t.referral_id = d.id
    JOIN accounts_user u ON u.email = t.email WHERE v.verb = 'registration.selected'""",
)


def written() -> dict[str, object]:
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
        "rows": beside.ones(),
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
        measure("open (a tenth of the deals)", OPEN, dealreg.open_missed)
        registrations()
        run(COLLEAGUES, "UPDATE dealreg_registration SET close_due_at = now() + interval '3 days'")
        measure("sample", SAMPLE, draw)
        run("UPDATE dealreg_registration SET close_due_at = now() WHERE status = 'approved'")
        measure("close", CLOSE, dealreg.close_decided)


if __name__ == "__main__":
    main()
