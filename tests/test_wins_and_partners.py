"""Planned wins with the day of signing, whom a deal's news reaches, partner search, and what sharing opens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from portal.accounts import selectors as accounts
from portal.accounts.models import Company, Location, Membership, RoleGrant, User
from portal.days import read_day
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.notify import selectors
from portal.notify.models import Notice
from portal.policy import services as policies
from portal.workflow import text
from portal.workflow.blockers import RuleViolation
from referrals import rules, sweeps, verbs
from referrals.models import Referral, TeamMember
from referrals.selectors import partners
from referrals.services import editing
from tests import build, do
from tests.build import CONTOSO, DAY, NOW, REVIEWER
from tests.edge import parse
from tests.factories import CompanyFactory, PersonFactory, SolutionFactory

HOUR = timedelta(hours=1)
SAFE = NOW + 72 * HOUR
PRIVATE = {"help_code": rules.NO_HELP, "vendor_may_view": False}


def again(deal: Referral) -> Referral:
    return Referral.objects.get(pk=deal.pk)


# REF-18


def test_ref_18_the_win_takes_the_day_of_signing_where_known(cast: Cast) -> None:
    """REF-18, FLOW-8: optional, not in the future; kept on the deal and in the event."""
    admin, deal = cast.actor(CONTOSO), build.deal(cast)
    with pytest.raises(RuleViolation) as refused:
        do.win(deal, actor=admin, now=NOW, signed_on=(NOW + DAY).date())
    assert [(b.code, b.rule, b.field) for b in refused.value.blockers] == [("signed_in_future", "REF-18", "signed_on")]
    won = do.win(deal, actor=admin, now=NOW, signed_on=NOW.date())
    assert won.signed_on == NOW.date()
    assert Event.objects.get(verb="referral.won").after["signed_on"] == NOW.date().isoformat()
    assert do.win(build.deal(cast), actor=admin, now=NOW).signed_on is None


def test_ref_18_the_planned_win_carries_the_day_of_signing(cast: Cast) -> None:
    """REF-18: a plan that is cancelled, or a deal that is lost, keeps none."""
    admin, day = cast.actor(CONTOSO), (NOW - DAY).date()
    won, cancelled, lost = (
        do.schedule_win(build.deal(cast, at=NOW), actor=admin, now=NOW, signed_on=day) for _ in "123"
    )
    assert refused_codes(do.schedule_win, build.deal(cast, at=NOW), actor=admin, now=NOW, signed_on=SAFE.date()) == [
        "signed_in_future"
    ]
    do.cancel_win(cancelled, actor=admin, now=NOW)
    do.lose(lost, actor=admin, now=NOW, reason_code="budget")
    assert sweeps.win_planned(now=SAFE) == 1
    assert [(again(d).substatus, again(d).signed_on) for d in (won, cancelled, lost)] == [
        ("Won", day), ("Accepted", None), ("Lost", None),
    ]  # fmt: skip


def refused_codes(do_it: Any, *args: Any, **inputs: Any) -> list[str]:
    with pytest.raises(RuleViolation) as refused:
        do_it(*args, **inputs)
    return refused.value.codes


def test_ref_18_a_plan_in_whose_way_a_rule_stands_ends_and_whoever_made_it_is_told_why(cast: Cast) -> None:
    deal = build.blocked_plan(cast)
    assert sweeps.win_planned(now=SAFE) == 0
    ended = again(deal)
    assert (ended.substatus, ended.win_at, ended.signed_on) == ("Accepted", None, None)
    event = Event.objects.get(verb="referral.win_plan_ended")
    assert [reason["code"] for reason in event.reasons] == ["stages_incomplete"]
    notice = Notice.objects.get(event=event)
    assert (notice.email, notice.mail) == (CONTOSO, "now")
    told = selectors.rendered(notice)
    assert told.subject == "Plant monitoring was not marked as won"
    assert "Mark all stages of the solution assessment first; the last is “Present to customer”." in told.body
    assert sweeps.win_planned(now=SAFE) == 0
    assert Event.objects.filter(verb="referral.win_plan_ended").count() == 1


def test_ref_18_the_team_hears_of_it_where_whoever_planned_may_not_see_the_deal_any_more(cast: Cast) -> None:
    """REF-18, REF-24."""
    build.blocked_plan(cast)
    cast.users[CONTOSO].memberships.update(is_active=False)
    sweeps.win_planned(now=SAFE)
    assert Notice.objects.get(event__verb="referral.win_plan_ended").email == "user@contoso.example"


def test_ref_18_what_can_not_be_won_keeps_nobody_behind_it_waiting(cast: Cast) -> None:
    """REF-18: however many there are, in one turn."""
    blocked = [build.blocked_plan(cast) for _ in range(3)]
    behind = do.schedule_win(build.deal(cast, at=NOW + HOUR), actor=cast.actor(CONTOSO), now=NOW + HOUR)
    assert sweeps.win_planned(now=SAFE + HOUR) == 1
    assert [again(d).substatus for d in (*blocked, behind)] == ["Accepted"] * 3 + ["Won"]
    assert not Referral.objects.filter(win_at__isnull=False).exists()


def test_ref_18_the_plan_stands_where_what_stood_in_its_way_is_gone_when_it_is_looked_at(cast: Cast) -> None:
    deal = build.blocked_plan(cast)
    do.set_stage(deal, stage=80, actor=cast.actor(CONTOSO), now=NOW)
    with pytest.raises(RuleViolation):
        do.end_win_plan(deal, now=SAFE)
    assert sweeps.win_planned(now=SAFE) == 1


def test_ref_18_the_confirmation_asks_for_the_day_of_signing(cast: Cast, client: Client) -> None:
    """REF-18: winning and planning read the one field; a refused day comes back as typed, with the error at it."""
    from django.utils import timezone

    now = timezone.now()
    deal = build.deal(cast, at=now - DAY, close_date=now.date())
    client.force_login(cast.users[CONTOSO])
    url, plan = (reverse("act", args=[deal.public_id, name]) for name in ("win", "schedule-win"))
    late = (now + 3 * DAY).date()
    for where in (url, plan):
        refused = client.post(where, {"signed_on": late.isoformat()})
        assert refused.status_code == 422
        field = parse(refused).one("input", name="signed_on")
        assert (read_day(field.attrs["value"]), field.attrs["aria-invalid"]) == (late, "true")
    assert client.post(plan, {"signed_on": now.date().isoformat()}).status_code == 302
    assert again(deal).signed_on == now.date()
    assert parse(client.get(url)).one("input", name="signed_on").attrs["value"] == text.day(now.date())
    assert client.post(url, {"signed_on": (now - DAY).date().isoformat()}).status_code == 302
    assert again(deal).signed_on == (now - DAY).date()


# REF-24


def test_ref_24_a_team_none_of_whom_can_act_has_the_referrals_admins_told_as_well(cast: Cast) -> None:
    """REF-24, FLOW-5: a registration that comes back reaches somebody who can correct it."""
    registration = build.in_review(cast, team=[build.member("viewer@contoso.example")])
    send_back(cast, registration)
    assert told("registration.action_required") == [CONTOSO, "viewer@contoso.example"]


def test_ref_24_without_team_and_referrals_admins_the_account_admins_are_told(cast: Cast) -> None:
    registration = build.in_review(cast)
    TeamMember.objects.filter(referral=registration.referral).delete()
    for email in (CONTOSO, "ankara@contoso.example"):
        cast.users[email].memberships.update(is_active=False)
    send_back(cast, registration)
    assert told("registration.action_required") == ["admin@contoso.example"]


def send_back(cast: Cast, registration: Any) -> None:
    given = {"reason_code": "evidence_missing", "comment": "Please attach it."}
    do.decide(registration, "require_action", actor=cast.actor(REVIEWER), now=NOW, **given)


def told(verb: str) -> list[str]:
    return sorted(Notice.objects.filter(event__verb=verb).values_list("email", flat=True))


# REF-22


def partner(cast: Cast, name: str, *, kind: str = "service", country: str = "DE", admin_at: str = "") -> Company:
    """A partner of the ecosystem with one referrals admin: of the entire company, or of its location there."""
    company = CompanyFactory(name=name, country=country)
    ready = {"kind": kind, "azure_ip": False, "co_sell_ready": True, "published": True}
    SolutionFactory(publisher=company, **ready)
    places = {c: Location.objects.create(company=company, country=c, name=c, mpn_id=f"{name}{c}") for c in ("DE", "TR")}
    member = Membership.objects.create(user=PersonFactory(), company=company)
    RoleGrant.objects.create(membership=member, role="referrals_admin", location=places.get(admin_at))
    return company


def received(cast: Cast, by: Company, *, answered: timedelta | None, at: datetime, customer: str = "spree") -> None:
    sender = build.deal(cast, at=at, close_date=NOW.date(), customer=cast.customers[customer], **PRIVATE)
    terms = verbs.Invitation(by, NOW.date(), sender.money, build.HELP, [build.member()], [cast.solutions["factory"]])
    copy = do.invite_partner(sender, terms, actor=cast.actor(CONTOSO), now=at)
    if answered is not None:
        admin = RoleGrant.objects.get(membership__company=by).membership
        given = {"name": "x", "value": copy.money, "close_date": NOW.date(), "team": [build.member()]}
        do.accept(copy, actor=accounts.actor_for(admin), now=at + answered, **given)
    else:
        do.expire(copy, now=at + 14 * DAY)


def suggested(cast: Cast, fit: partners.Fit = partners.Fit()) -> list[str]:  # noqa: B008
    found = partners.suggest("Zz", actor=cast.actor(CONTOSO), now=NOW, fit=fit)
    return [company.name.removeprefix("Zz ") for company, _answers in found]


def test_ref_22_partners_that_fit_the_deal_come_before_those_that_answer_quickly(cast: Cast) -> None:
    """REF-22: ready solutions of the kind, accepted deals in the country, share, hours, and the name, in this order."""
    at = NOW - 60 * DAY
    quick, slow, late = (partner(cast, f"Zz {name}") for name in ("quick", "slow", "late"))
    kind, there = partner(cast, "Zz kind", kind="ip"), partner(cast, "Zz there")
    partner(cast, "Zz new")
    received(cast, quick, answered=HOUR, at=at)
    received(cast, slow, answered=9 * HOUR, at=at)
    received(cast, late, answered=None, at=at)
    received(cast, there, answered=None, at=at)
    received(cast, there, answered=13 * DAY, at=at, customer="anadolu")
    received(cast, kind, answered=None, at=at)
    assert suggested(cast) == ["quick", "slow", "there", "kind", "late", "new"]
    assert suggested(cast, partners.Fit("TR", ("ip",))) == ["kind", "there", "quick", "slow", "late", "new"]


def test_ref_22_the_months_that_count_are_the_policys(cast: Cast) -> None:
    company = partner(cast, "Zz")
    received(cast, company, answered=HOUR, at=NOW - 300 * DAY)
    received(cast, company, answered=None, at=NOW - 370 * DAY)
    assert partners.responsiveness_of(company.pk, now=NOW).share == 1.0
    policies.add_version(values={"responsiveness_months": 13}, effective_from=None, note="", by=None, now=NOW)
    assert partners.responsiveness_of(company.pk, now=NOW).share == 0.5
    policies.add_version(values={"responsiveness_months": 6}, effective_from=None, note="", by=None, now=NOW)
    assert partners.responsiveness_of(company.pk, now=NOW).received == 0


def test_ref_22_only_companies_with_somebody_who_could_answer_are_offered(cast: Cast) -> None:
    """REF-22, ORG-4: who administers the location where the deal would arrive, or the entire company."""
    partner(cast, "Zz all")
    partner(cast, "Zz of DE", admin_at="DE")
    gone = partner(cast, "Zz gone")
    User.objects.filter(memberships__company=gone).update(is_active=False)
    assert sorted(suggested(cast)) == ["all", "of DE"]
    assert sorted(suggested(cast, partners.Fit("DE"))) == ["all", "of DE"]
    assert suggested(cast, partners.Fit("TR")) == ["all"]
    assert sorted(suggested(cast, partners.Fit("US"))) == ["all", "of DE"]  # it would arrive at the first


def test_ref_22_many_partners_cost_as_many_queries_as_few(cast: Cast, django_assert_num_queries: Any) -> None:
    for number in range(25):
        partner(cast, f"Zz {number:02}")
    actor = cast.actor(CONTOSO)
    with django_assert_num_queries(4):  # the policy's version among them
        found = partners.suggest("zz", actor=actor, now=NOW, fit=partners.Fit("TR", ("ip",)))
    assert [company.name for company, _answers in found] == [f"Zz {number:02}" for number in range(20)]


def test_ref_22_the_pages_seek_what_fits_the_deal(cast: Cast, client: Client) -> None:
    deal = build.deal(cast)
    client.force_login(cast.users[CONTOSO])
    field = parse(client.get(reverse("invite_partner", args=[deal.public_id]))).one("input", name="partner_search")
    assert field.attrs["hx-get"] == reverse("suggest_partners") + "?country=TR&kind=ip"
    assert client.get(reverse("suggest_partners"), {"country": "T%", "kind": "x"}).status_code == 200


# REF-21


def test_ref_21_whoever_saves_the_solutions_second_is_told_and_chooses(cast: Cast, client: Client) -> None:
    """REF-21: in the service and in the browser; another section that changed meanwhile is no reason to ask."""
    factory, twin = cast.solutions["factory"], cast.solutions["twin"]
    deal, admin = build.deal(cast), cast.actor(CONTOSO)
    do.edit_details(deal, name="Theirs", actor=admin, now=NOW)
    do.edit_solutions(deal, [factory, twin], actor=admin, now=NOW)
    with pytest.raises(editing.Conflict) as conflict:
        do.edit_solutions(deal, [twin], actor=admin, now=NOW)
    assert conflict.value.current == {"solutions": [str(factory), str(twin)]}
    assert solutions(deal) == {factory, twin}
    client.force_login(cast.users[CONTOSO])
    url = reverse("edit_solutions", args=[deal.public_id])
    given = {"version": deal.version, "solutions": [str(twin.public_id)]}
    refused = client.post(url, given)
    assert refused.status_code == 422
    assert f"it is now “{factory}, {twin}”" in refused.content.decode()
    assert client.post(url, given | {"version": refused.context["form"]["version"].value()}).status_code == 302
    assert solutions(deal) == {twin}


def test_ref_21_solutions_of_one_name_are_told_apart(cast: Cast) -> None:
    """REF-21: by their ids; else the second would overwrite unseen what only looks alike."""
    one, other = (SolutionFactory(name="Digital Twin") for _ in range(2))
    deal, admin = build.deal(cast, solutions=[one]), cast.actor(CONTOSO)
    do.edit_solutions(deal, [other], actor=admin, now=NOW)
    with pytest.raises(editing.Conflict):
        do.edit_solutions(deal, [one, cast.solutions["twin"]], actor=admin, now=NOW)
    assert solutions(deal) == {other}


def solutions(deal: Referral) -> set[Any]:
    return {line.solution for line in deal.solutions.select_related("solution")}


# REF-23


@pytest.mark.parametrize("verb", ["share-with-vendor", "request-help"])
def test_ref_23_sharing_says_how_many_shared_notes_the_vendor_will_read(cast: Cast, client: Client, verb: str) -> None:
    """REF-23: before the button is pressed, and in both languages; private notes don't count; once it may read them,
    nothing is said."""
    deal, admin = build.deal(cast, **PRIVATE), cast.actor(CONTOSO)
    client.force_login(cast.users[CONTOSO])
    url = reverse("act", args=[deal.public_id, verb])
    assert "The deal has no shared notes yet" in parse(client.get(url)).text
    do.add_note(deal, text="Ours", actor=admin, now=NOW, shared=False)
    do.add_note(deal, text="For all", actor=admin, now=NOW)
    assert "Microsoft will be able to read 1 shared note of this deal." in parse(client.get(url)).text
    do.add_note(deal, text="For all, again", actor=admin, now=NOW)
    assert "Microsoft will be able to read 2 shared notes of this deal." in parse(client.get(url)).text
    User.objects.filter(email=CONTOSO).update(language="tr")
    assert "Microsoft bu anlaşmanın 2 paylaşılan notunu okuyabilecek." in parse(client.get(url)).text
    do.share_with_vendor(deal, actor=admin, now=NOW)
    assert "paylaşılan not" not in parse(client.get(url)).text
