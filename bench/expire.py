"""How fast unanswered deals expire, with their events and notices, as a ratio to the plainest SQL that writes the same.

    python bench/expire.py [ROWS]        # without: 100,000, which is also the goal

*Plain SQL* is four statements over the same rows in the same run: one UPDATE of the copies, one of the versions of the
engagements' other copies (REF-21), one INSERT of the events, one of the notices. It asks nobody's role, language or
wishes, and takes everything in one transaction. Ours goes batch after batch, as the worker does: between two of them
people can work, and a killed worker loses one batch's work at most. Every deal's team has two people who may read it
and one without an account, who is told nothing: two notices each.
"""

from __future__ import annotations

import sys

import generate
from beside import COLLEAGUES, compare, events, notices, run, show

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000

_UPDATE = """
    UPDATE referrals_referral
    SET substatus = 'Expired', closed_at = now(), updated_at = now(), version = version + 1
    WHERE substatus = 'Received' AND expires_at <= now()
"""
_OTHERS = """
    UPDATE referrals_referral o SET version = o.version + 1
    FROM referrals_referral r
    WHERE r.engagement_id = o.engagement_id AND r.id <> o.id AND r.substatus = 'Expired' AND r.closed_at = now()
"""
_EVENTS = (
    events(
        "referral.expired",
        "referrals.referral",
        "jsonb_build_object('substatus', 'Received', 'closed_at', NULL, 'updated_at', r.created_at)",
        "jsonb_build_object('substatus', 'Expired', 'closed_at', r.closed_at, 'updated_at', r.updated_at)",
        company="r.company_id",
        shared="true",
    )
    + """ FROM referrals_referral r JOIN referrals_engagement e ON e.id = r.engagement_id
        WHERE r.substatus = 'Expired' AND r.closed_at = now()"""
)
_NOTICES = (
    notices(
        "answer",
        "jsonb_build_object('company', c.name, 'deal', s.name, 'contact', '', 'reason', jsonb_build_object('term', ''),"
        " 'notes', '')",
        link="'/co-sell/' || s.public_id || '/'",
        subject="%(subject)s",
        body="%(body)s",
    )
    + """ FROM events_event v JOIN referrals_referral r ON r.id = v.subject_id
        JOIN accounts_company c ON c.id = r.company_id
        JOIN referrals_referral s ON s.engagement_id = r.engagement_id AND s.company_id = r.invited_by_id
        JOIN referrals_teammember t ON t.referral_id = s.id JOIN accounts_user u ON u.email = t.email
        WHERE v.verb = 'referral.expired' AND v.at = now()"""
)


def written() -> dict[str, int]:
    """What there is of it: the same after both, or they did not do the same."""
    from django.db.models import Sum

    from portal.events.models import Event
    from portal.notify.models import Notice
    from referrals.models import Referral

    expired = Event.objects.filter(verb="referral.expired")
    return {
        "deals": Referral.objects.filter(substatus="Expired").count(),
        "events": expired.count(),
        "notices": Notice.objects.filter(event__in=expired).count(),
        "versions": Referral.objects.aggregate(total=Sum("version"))["total"],
    }


def plainly() -> None:
    from referrals.reactions import _ANSWERS

    subject, body = _ANSWERS["referral.expired"]
    run(_UPDATE, _OTHERS, _EVENTS, _NOTICES, subject=subject, body=body)


def main() -> None:
    with generate.database() as fill:
        fill(deals=ROWS, customers=min(ROWS, 10_000), unanswered=True)
        from referrals import tasks

        run(COLLEAGUES)
        tables = ("referrals_referral", "referrals_teammember", "events_event", "notify_notice")
        times = compare(plainly, tasks.expire_due, written=written, tables=tables)
        assert times.written["deals"] == times.written["events"] == ROWS, times
        print(f"\n{ROWS:,} deals expired, with {ROWS:,} events and {times.written['notices']:,} notices\n")
        show(times, ROWS, 4)


if __name__ == "__main__":
    main()
