"""How often pages ask the database: within a budget each, and the same whether there are few rows or many."""

from __future__ import annotations

import factory
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dealreg.models import Registration
from portal.catalog.models import Solution
from portal.events.models import Event
from referrals.models import Note, Referral, ReferralSolution, TeamMember
from tests import build, do
from tests.edge import Live
from tests.factories import SolutionFactory

MANY = 60
#: Besides its budget each page reads the session, which is where it stays when Redis goes.
SESSION = 1


def _more_like(referral: Referral, count: int) -> None:
    """Deals like this one, each with its team, solutions, events and registration."""
    groups = [engagement.pk for engagement in build.alike(referral.engagement, count)]
    deals = [deal.pk for deal in build.alike(referral, count, engagement_id=factory.Iterator(groups))]
    for kind in (TeamMember, ReferralSolution, Registration):
        for row in kind.objects.filter(referral=referral):
            build.alike(row, count, referral_id=factory.Iterator(deals))
    for event in Event.objects.of_subject(referral):
        build.alike(event, count, subject_id=factory.Iterator(deals))


def _more_around(referral: Referral, count: int) -> None:
    """Much of everything that the page of one deal shows."""
    own = {"engagement": referral.engagement, "company": referral.company, "at": referral.created_at}
    Note.objects.bulk_create([Note(**own, text=f"Note {n}", author_id=None) for n in range(count)])
    member = TeamMember(referral=referral, first_name="Umut", last_name="Öztürk", phone="1")
    build.alike(member, count, email=factory.Sequence(lambda n: f"m{n}@contoso.example"))
    named = Solution.objects.bulk_create(SolutionFactory.build_batch(count, publisher=referral.company))
    ReferralSolution.objects.bulk_create([ReferralSolution(referral=referral, solution=s) for s in named])
    build.alike(Event.objects.of_subject(referral)[0], count)


def _asked(client: Client, address: str) -> int:
    """How many queries the page takes, once what is cached for every page is cached."""
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address)
    assert response.status_code == 200
    return len(queries)


#: The wizard's other steps, of a draft in which something has been filled in, and what each may ask.
STEPS = {"deal": 13, "team": 13, "solutions": 14, "help": 13, "review": 22}


def _step(live: Live, step: str) -> str:
    draft = live.draft()
    draft.data["tried"] = ["customer", "deal", "team", "solutions", "help"]
    draft.save()
    return reverse("new_deal_step", args=[draft.public_id, step])


class Pages:
    """The pages with a budget; each to open by whom it is for."""

    def __init__(self, live: Live) -> None:
        actor = live.cast.actor(build.CONTOSO)
        self.open = live.accepted()
        do.add_note(self.open, text="Seen", actor=actor, now=live.now)
        both = [live.cast.solutions["factory"], live.cast.solutions["retail"]]
        won = live.won(solutions=both)  # with one there is nothing to choose in the form
        self.rows = [self.open, live.received(), won, live.in_review().referral, live.sent_back().referral]
        self.vendors = [build.vendor_copy(live.deal())]
        self.review = Registration.objects.get(referral=self.rows[3])
        owner, seller, reviewer = (live.browser(p) for p in (build.CONTOSO, build.SELLER, build.REVIEWER))
        self.deal_page = reverse("deal", args=[self.open.public_id])
        review = reverse("admin:dealreg_registration_change", args=[self.review.pk])
        queue = reverse("admin:dealreg_registration_changelist")
        self.all: dict[str, tuple[Client, str, int]] = {
            "home": (owner, reverse("home"), 29),  # one for each kind of deadlines
            "home of a seller": (seller, reverse("home"), 21),
            "home of a reviewer": (reviewer, reverse("home"), 21),
            # Of all kinds it may ask less for many rows: then fewer kinds are among the first.
            "deadlines": (owner, reverse("deadlines") + "?kind=close", 16),
            "list": (owner, reverse("deals") + "?exact=1", 19),
            "list of a seller": (seller, reverse("deals") + "?exact=1", 18),
            "search": (owner, reverse("search") + "?q=plant", 14),
            "search of a reviewer": (reviewer, reverse("search") + "?q=anadolu", 14),
            "palette": (owner, reverse("palette") + "?q=plant", 15),
            "palette on a deal": (owner, f"{reverse('palette')}?q=plant&here={self.deal_page}", 32),
            "deal": (owner, self.deal_page, 24),
            "timeline": (owner, reverse("deal", args=[self.open.public_id]) + "?timeline=status", 23),
            "deal in review": (owner, reverse("deal", args=[self.rows[3].public_id]), 24),
            "new deal": (owner, reverse("new_deal"), 13),
            **{f"new deal, {step}": (owner, _step(live, step), budget) for step, budget in STEPS.items()},
            "insights": (owner, reverse("insights") + "?period=12", 20),
            "insights of a seller": (seller, reverse("insights") + "?period=12", 17),
            "registration": (owner, reverse("registration", args=[self.rows[2].public_id]), 22),
            "queue": (reviewer, queue, 7),
            "review": (reviewer, review, 37),
        }


def test_pages_ask_as_often_for_many_rows_as_for_few_and_stay_in_their_budget(live: Live) -> None:
    pages = Pages(live)
    few = {name: _asked(client, address) for name, (client, address, _budget) in pages.all.items()}
    for referral in (*pages.rows, *pages.vendors):
        _more_like(referral, MANY)
    for referral in pages.rows:
        _more_around(referral, MANY)
    many = {name: _asked(client, address) for name, (client, address, _budget) in pages.all.items()}
    assert many == few
    assert {name: count for name, count in many.items() if count > pages.all[name][2] + SESSION} == {}


def test_insights_ask_as_often_for_two_hundred_deals_as_for_ten(live: Live) -> None:
    """The database counts (REF-17's exception included); nothing is fetched deal by deal."""
    deals = [live.in_review().referral, live.accepted()]
    client, address = live.browser(build.CONTOSO), reverse("insights") + "?period=12"
    for deal in deals:
        _more_like(deal, 4)
    few = _asked(client, address)
    for deal in deals:
        _more_like(deal, 95)
    assert _asked(client, address) == few
    assert b'data-value="200"' in client.get(address).content
