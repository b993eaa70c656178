"""How fast the random sample is drawn, as a ratio to the plainest SQL that draws and writes the same (FLOW-4).

    python bench/sample.py [ROWS]        # without: 100,000, which is also the goal

Every registration is approved and may be chosen; one in twenty is, with its event and a notice for each of the two
people of its team who may read it. Both sides draw with the same seed. *Plain SQL* is six statements in one
transaction: the sample's row, who took part, who was chosen, their deals, the events and the notices. It asks nobody's
role, language or wish.
"""

from __future__ import annotations

import sys
from datetime import timedelta

import generate
from beside import COLLEAGUES, TOUCHED, run
from sweeps import measure, registrations

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
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
        route_reasons = {_WHY}, updated_at = now(), version = version + 1 WHERE {_CHOSEN}""",  # noqa: S608
    TOUCHED.format("review_pending"),
    f"""INSERT INTO events_event (public_id, at, verb, subject_type, subject_id, "group", company_id, shared, version,
        actor_kind, actor_client, before, after, reasons, comment, policy_version)
    SELECT uuidv7(), now(), 'registration.selected', 'dealreg.registration', r.id, e.public_id, d.company_id, false,
        r.version, 'system', '', jsonb_build_object('status', 'approved', 'close_due_at', r.created_at),
        jsonb_build_object('status', r.status, 'review_pending_at', now(), 'route_reasons', r.route_reasons), {_WHY},
        '', 0
    FROM dealreg_registration r JOIN referrals_referral d ON d.id = r.referral_id
    JOIN referrals_engagement e ON e.id = d.engagement_id WHERE r.status = 'review_pending'""",  # noqa: S608
    """INSERT INTO notify_notice (event_id, user_id, email, language, subject, body, params, link, category, mail,
        created_at, next_attempt_at, attempts, last_error)
    SELECT v.id, u.id, t.email, u.language, 'subject of the notice: %(deal)s', repeat('words of the notice ', 8),
        jsonb_build_object('deal', d.name, 'state', r.status, 'reason', '', 'comment', '', 'days', 60),
        '/co-sell/' || d.public_id || '/', 'registration', 'now', v.at, v.at, 0, ''
    FROM events_event v JOIN dealreg_registration r ON r.id = v.subject_id
    JOIN referrals_referral d ON d.id = r.referral_id JOIN referrals_teammember t ON t.referral_id = d.id
    JOIN accounts_user u ON u.email = t.email WHERE v.verb = 'registration.selected'""",
)


def main() -> None:
    with generate.database() as fill:
        fill(deals=ROWS, customers=min(ROWS, 10_000))
        from django.urls import reverse
        from django.utils import timezone

        from dealreg import sweeps, tasks
        from dealreg.models import Registration

        reverse("home")  # a worker has read the addresses once, before its first sweep
        sweeps.secrets.token_hex = lambda _size: SEED  # type: ignore[assignment]
        run(COLLEAGUES)
        registrations()
        Registration.objects.update(close_due_at=timezone.now() + timedelta(days=3))
        print(f"\n{ROWS:,} registrations\n\n| sweep | plain SQL, s | ours, s | ratio |\n|---|---|---|---|")
        measure("sample", SAMPLE, tasks.draw_sample)
        print(f"\n{Registration.objects.filter(status='review_pending').count():,} were chosen")


if __name__ == "__main__":
    main()
