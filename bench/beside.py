"""What the benches of sweeps share: a sweep is timed beside plain SQL that does the same to the same rows."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

#: Two people of each deal's team who may read it.
COLLEAGUES = """
    INSERT INTO referrals_teammember (referral_id, first_name, last_name, phone, email, title)
    SELECT id, 'Rüya', 'İpekçi', '+90 212 555 01 00', given.email, ''
    FROM referrals_referral, (VALUES ('referrals@contoso.example'), ('viewer@contoso.example')) AS given (email)
    WHERE company_id = (SELECT id FROM accounts_company WHERE name = 'Contoso Yazılım')
"""

#: A registration's change is one of its deal, too. After the registrations got this status.
TOUCHED = """
    UPDATE referrals_referral d SET version = d.version + 1, updated_at = now(), last_modified_via = 'Portal',
        last_run_id = '' FROM dealreg_registration g WHERE g.referral_id = d.id AND g.status = '{}'
"""


def events(
    verb: str,
    subject: str,
    before: str,
    after: str,
    *,
    row: str = "r",
    company: str = "d.company_id",
    group: str = "e.public_id",
    shared: str = "false",
    version: str = "",
    reasons: str = "'[]'",
) -> str:
    """The beginning of an INSERT of events: one for each `row` of the FROM that follows."""
    version = version or f"{row}.version"
    return f"""
        INSERT INTO events_event (public_id, at, verb, subject_type, subject_id, "group", company_id, shared, version,
            actor_kind, actor_client, before, after, reasons, comment, policy_version)
        SELECT uuidv7(), now(), '{verb}', '{subject}', {row}.id, {group}, {company}, {shared}, {version}, 'system',
            '', {before}, {after}, {reasons}, '', 0
    """


def notices(
    category: str,
    params: str,
    *,
    link: str = "'/co-sell/' || d.public_id || '/'",
    subject: str = "'subject of the notice'",
    body: str = "repeat('words of the notice ', 8)",
) -> str:
    """The beginning of an INSERT of notices: one for each event `v` and user `u` of the FROM that follows."""
    return f"""
        INSERT INTO notify_notice (event_id, user_id, email, language, subject, body, params, link, category, mail,
            created_at, next_attempt_at, attempts, last_error)
        SELECT v.id, u.id, u.email, u.language, {subject}, {body}, {params}, {link}, '{category}', 'now', v.at, v.at, 0,
            ''
    """


def run(*statements: str, **given: object) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, given or None)


#: One row of each kind: deals and registrations by their states, events and notices by their verbs.
_ONES = (
    "referrals_referral r WHERE id IN (SELECT min(id) FROM referrals_referral GROUP BY company_id, substatus)",
    """dealreg_registration r WHERE referral_id IN (SELECT min(referral_id) FROM dealreg_registration GROUP BY status,
        outcome)""",
    """events_event r WHERE id IN (SELECT DISTINCT ON (verb) id FROM events_event WHERE "group" IS NOT NULL
        ORDER BY verb, "group", company_id)""",
    """notify_notice r WHERE id IN (SELECT DISTINCT ON (v.verb) n.id FROM notify_notice n JOIN events_event v
        ON v.id = n.event_id ORDER BY v.verb, v."group", v.company_id, n.email)""",
)
#: Keys that each run gives anew.
_ANEW = "{id,public_id,subject_id,event_id,sample_id,xid}"


def ones() -> list[str]:
    """One row of each kind with all that stands in it, but for keys; one instant is as good as another."""
    from django.db import connection

    rows: list[str] = []
    with connection.cursor() as cursor:
        for some in _ONES:
            cursor.execute(f"SELECT (to_jsonb(r) - '{_ANEW}'::text[])::text FROM {some}")  # noqa: S608
            rows += [re.sub(r'"\d{4}-\d\d-\d\dT[^"]*"', '"instant"', row) for (row,) in cursor.fetchall()]
    return sorted(rows)


def analyze(*tables: str) -> None:
    run(*(f"VACUUM ANALYZE {table}" for table in tables))


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Times(NamedTuple):
    """Seconds, our statements, and what both wrote."""

    plain: float
    ours: float
    statements: int
    written: dict[str, Any]

    @property
    def ratio(self) -> str:
        return f"{self.ours / self.plain:.1f}"


def compare(
    plainly: Callable[[], object],
    ours: Callable[[], object],
    *,
    written: Callable[[], dict[str, Any]],
    tables: tuple[str, ...],
) -> Times:
    """Both from the same state: plain SQL is rolled back, once it has checked its foreign keys, as a commit does.
    `written` says what there is: the same after both, or they did not do the same. `tables` are cleaned and have fresh
    statistics before each."""
    from django.db import connection, transaction

    before = written()
    analyze(*tables)
    with transaction.atomic():
        plain = _timed(lambda: (plainly(), run("SET CONSTRAINTS ALL IMMEDIATE")))
        expected = written()
        transaction.set_rollback(True)
    analyze(*tables)
    counter = _Counter()
    with connection.execute_wrapper(counter):
        seconds = _timed(ours)
    after = written()
    differing = [(name, after[name], value) for name, value in expected.items() if after[name] != value]
    assert before != expected, "plain SQL wrote nothing"
    assert not differing, differing
    return Times(plain, seconds, counter.statements, expected)


def show(times: Times, rows: int, statements: int) -> None:
    """Both as a table, as docs/benchmarks.md has it; `statements`: how many plain SQL is."""
    print("| what | seconds | statements | rows/s | ratio |\n|---|---|---|---|---|")
    print(f"| plain SQL | {times.plain:.1f} | {statements} | {rows / times.plain:,.0f} | 1 |")
    print(f"| ours | {times.ours:.1f} | {times.statements:,} | {rows / times.ours:,.0f} | {times.ratio} |", flush=True)


class _Counter:
    """Counts statements."""

    def __init__(self) -> None:
        self.statements = 0

    def __call__(self, execute: Callable[..., Any], *given: Any) -> Any:
        self.statements += 1
        return execute(*given)
