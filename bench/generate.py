"""A portal with many deals, filled in bulk by the database itself; for the benches that read.

    with generate.database() as fill:
        fill(deals=10_000, customers=10_000)    # may be called again with more

Contoso of the demo's cast gets the deals: nine of ten are its own, one of ten came from Fabrikam. Of three deals the
vendor has a copy. Fabrikam and Northwind have a tenth as many each. With `unanswered=True` the vendor has a copy of
every deal, and the time to answer Contoso's is over. Runs in a database of its own that is deleted.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("ORTAK_MODE", "test")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

FIRST = ("Anadolu", "Northern", "Işık", "Grüne", "Blue", "Şafak", "United", "Öz", "Allied", "Kuzey", "Ege", "Atlas")
SECOND = ("Yazılım", "Logistics", "Enerji", "Maschinen", "Foods", "İnşaat", "Health", "Tekstil", "Metals", "Gıda")
SUBJECTS = ("Fleet tracking", "Fırın kameraları", "Plant monitoring", "Claims automation", "Tedarik zinciri", "Kiosks")
COUNTRIES = ("TR", "DE", "GB", "US", "FR", "NL", "SE")

#: As portal.customers.rules.fold, for the letters that occur here.
FOLDED = "lower(translate({}, 'İIıŞşĞğÜüÖöÇç', 'iiissgguuoocc'))"
#: As referrals.selectors.search marks words.
WORDS = "' s' || replace({}, ' ', ' s')"

_CUSTOMERS = f"""
    INSERT INTO customers_customer (public_id, name, search_text, country, city, state, postal_code, address_line1,
        address_line2, duns, managed, import_key, created_at, updated_at)
    SELECT uuidv7(), name, {FOLDED.format("name")}, (%(countries)s::text[])[1 + n %% 7], 'City ' || n %% 900, '',
        '', n %% 300 || ' Main Street', '', '', n %% 3 = 0, 'bench:' || n, now(), now()
    FROM (SELECT n, concat_ws(' ', (%(first)s::text[])[1 + n %% 12], (%(second)s::text[])[1 + n / 12 %% 10], n) AS name
        FROM generate_series(%(from)s + 1, %(to)s) AS n) AS given
"""  # noqa: S608  every word of it is ours
_ENGAGEMENTS = """
    INSERT INTO referrals_engagement (public_id, customer_id, started_by_id, creation_key, created_at, help_code,
        vendor_may_view, vendor_invited_at, p2p, assessment_location, contact_name, contact_phone, contact_email,
        contact_consent)
    SELECT uuidv7(), (%(customers)s::bigint[])[1 + (n::bigint * 7919) %% cardinality(%(customers)s::bigint[])],
        CASE WHEN n %% 10 = 0 AND %(sender)s IS NOT NULL THEN %(sender)s ELSE %(company)s END,
        gen_random_uuid(), at, CASE WHEN n %% %(help_every)s = 0 THEN 'GeneralOrOther' ELSE 'Unknown' END,
        n %% 3 < 2 OR n %% %(help_every)s = 0, CASE WHEN n %% 3 < 2 OR n %% %(help_every)s = 0 THEN at END,
        n %% 10 = 0 AND %(sender)s IS NOT NULL, '', '', '', '', false
    FROM (SELECT n, now() - make_interval(secs => n * 150.0 * 1000000 / greatest(%(to)s, 1000000)) AS at
        FROM generate_series(%(from)s + 1, %(to)s) AS n) AS given
    RETURNING id
"""
_REFERRALS = f"""
    INSERT INTO referrals_referral (public_id, engagement_id, company_id, location_id, invited_by_id, name, value,
        currency, value_usd, usd_rate_month, close_date, crm_id, campaign_id, marketplace_intent, substatus, stage,
        reason_code, reason_note, won_early, invite_help, invite_notes, help_code, vendor_may_view, vendor_invited_at,
        p2p, version, search_text, created_at, updated_at, expires_at, accepted_at, closed_at, wire_extras,
        last_modified_via, last_run_id)
    SELECT own_id, id, %(company)s, %(location)s, nullif(started_by_id, %(company)s), name, 1000 + id %% 90000,
        'USD', 1000 + id %% 90000, date_trunc('month', now()),
        (created_at + make_interval(days => 30 + (id %% 200)::int))::date, 'OPP-' || id, '', 'undecided', substatus,
        (ARRAY[10, 20, 40, 60, 80])[1 + id %% 5], '', '', false, 'Unknown', '', help_code, vendor_may_view,
        vendor_invited_at, p2p, 1,
        {WORDS.format(FOLDED.format("name"))} || ' s' || replace(own_id::text, '-', '')
            || {WORDS.format("customer")} || ' sumut sozturk suser scontoso sexample oopp o' || id,
        created_at, created_at, created_at + interval '14 days', created_at,
        CASE WHEN substatus <> 'Accepted' THEN created_at + interval '20 days' END, '{{}}', 'Portal', ''
    FROM (SELECT e.*, uuidv7() AS own_id, c.search_text AS customer,
            split_part(c.name, ' ', 1) || ' ' || (%(subjects)s::text[])[1 + e.id %% 6] || ' ' || e.id AS name,
            (ARRAY['Accepted', 'Accepted', 'Won', 'Lost', 'Error'])[1 + e.id %% 5] AS substatus
        FROM referrals_engagement e JOIN customers_customer c ON c.id = e.customer_id
        WHERE e.id >= %(since)s ORDER BY e.id) AS given
"""  # noqa: S608
_VENDORS = """
    INSERT INTO referrals_referral (public_id, engagement_id, company_id, invited_by_id, name, value, currency,
        value_usd, close_date, crm_id, campaign_id, marketplace_intent, substatus, stage, reason_code, reason_note,
        won_early, invite_help, invite_notes, help_code, vendor_may_view, vendor_invited_at, p2p, version, search_text,
        created_at, updated_at, expires_at, accepted_at, wire_extras, last_modified_via, last_run_id)
    SELECT uuidv7(), r.engagement_id, %(vendor)s, r.company_id, r.name, r.value, r.currency, r.value_usd, r.close_date,
        '', '', 'undecided', CASE WHEN %(unanswered)s THEN 'Received' ELSE 'Accepted' END, 10, '', '', false,
        e.help_code, '', e.help_code, e.vendor_may_view, e.vendor_invited_at, e.p2p, 1,
        split_part(r.search_text, ' oopp', 1), r.created_at, r.created_at, least(r.expires_at, now()),
        CASE WHEN NOT %(unanswered)s THEN r.created_at END, '{}', 'Portal', ''
    FROM referrals_referral r JOIN referrals_engagement e ON e.id = r.engagement_id
    WHERE e.id >= %(since)s AND e.help_code <> 'Unknown'
"""
_TEAM = """
    INSERT INTO referrals_teammember (referral_id, first_name, last_name, phone, email, title)
    SELECT r.id, 'Umut', 'Öztürk', '+90 212 555 01 00',
        CASE WHEN r.id %% 5000 = 0 THEN 'user@contoso.example' ELSE 'user' || r.id %% 97 || '@contoso.example' END, ''
    FROM referrals_referral r WHERE r.engagement_id >= %(since)s AND r.company_id <> %(vendor)s
"""
_SOLUTIONS = """
    INSERT INTO referrals_referralsolution (referral_id, solution_id)
    SELECT r.id, (%(solutions)s::bigint[])[1 + r.id %% cardinality(%(solutions)s::bigint[])]
    FROM referrals_referral r WHERE r.engagement_id >= %(since)s
"""

Fill = Callable[..., None]


@contextmanager
def database() -> Iterator[Fill]:
    """An empty portal with the demo's cast, and how to fill it. Nothing of Django's may be imported before."""
    with tempfile.TemporaryDirectory(prefix="ortak-bench-") as data:
        os.environ["DATA_DIR"] = data
        from portal import embedded

        # A bench empties and vacuums tables, which is the owner's.
        os.environ["DATABASE_URL"] = embedded.start(Path(data), tied=True, durable=False).owner
        try:
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0)
            yield _filler()
        finally:
            embedded.stop(Path(data))


def _filler() -> Fill:
    from django.utils import timezone

    from portal.catalog.models import Solution
    from portal.demo import cast as people
    from portal.demo import deals as scenarios

    cast = people.create(now=timezone.now())
    solutions = list(Solution.objects.filter(publisher=cast.companies["contoso"]).values_list("pk", flat=True))
    counts = {"deals": 0, "customers": 0}

    def fill(*, deals: int, customers: int, unanswered: bool = False, demo: bool = False) -> None:
        """Bring the numbers up to these; `demo` adds the demo's deals, made by the verbs."""
        if demo:
            scenarios.create(cast, now=timezone.now())
        names = {"first": list(FIRST), "second": list(SECOND), "subjects": list(SUBJECTS), "solutions": solutions}
        _run(_CUSTOMERS, **names, countries=list(COUNTRIES), **{"from": counts["customers"], "to": customers})
        ids = {name: company.pk for name, company in cast.companies.items()}
        for company, location, sender, share in (
            ("contoso", people.ISTANBUL, "fabrikam", 1),
            ("fabrikam", people.MUNICH, None, 10),
            ("northwind", people.SEATTLE, None, 10),
        ):
            _fill(
                **names,
                company=ids[company],
                location=cast.locations[location].pk,
                sender=ids.get(sender or ""),
                vendor=ids["vendor"],
                help_every=1 if unanswered else 3,
                unanswered=unanswered and company == "contoso",
                **{"from": counts["deals"] // share, "to": deals // share},
            )
        counts.update(deals=deals, customers=customers)
        for table in ("customers_customer", "referrals_engagement", "referrals_referral", "referrals_teammember"):
            _run(f"VACUUM ANALYZE {table}")
        _run("VACUUM ANALYZE referrals_referralsolution")

    return fill


def _fill(**given: object) -> None:
    from portal.customers.models import Customer

    customers = list(Customer.objects.order_by("pk").values_list("pk", flat=True)[:200_000])
    since = _run(_ENGAGEMENTS, **given, customers=customers)
    if since is None:
        return
    for statement in (_REFERRALS, _VENDORS, _TEAM, _SOLUTIONS):
        _run(statement, **given, since=since)


def _run(statement: str, **given: object) -> int | None:
    """Returns the first id that the statement returns, if it returns any."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, given or None)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


if __name__ == "__main__":
    with database() as fill_:
        fill_(deals=int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, customers=10_000)
        from referrals.models import Referral

        print(f"{Referral.objects.count():,} referrals")
