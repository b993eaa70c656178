"""Who may do what (ORG), and what deals are made and shared with (REF-1 to REF-10)."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from portal.accounts import invites
from portal.accounts import services as accounts
from portal.accounts.models import Company, RoleGrant
from portal.catalog.models import AssessmentType, Solution
from portal.demo.cast import ANKARA, ISTANBUL, Cast
from portal.events.models import Event
from portal.pages.deals.fields import FIELDS
from portal.pages.deals.filters import FILTERS
from portal.pages.deals.rows import rows
from portal.policy import services as policies
from portal.policy.rules import Policy
from portal.ui.listing import filters
from portal.ui.listing.files import write
from portal.workflow.blockers import Money, RuleViolation
from referrals import rules, verbs
from referrals.models import Referral
from referrals.selectors import participants
from tests import build, do
from tests.build import CONTOSO, DAY, NOW
from tests.edge import Live, parse
from tests.factories import SolutionFactory

USER, ADMIN, MANAGER = "user@contoso.example", "admin@contoso.example", "manager@vendor.example"
FABRIKAM, NORTHWIND = "referrals@fabrikam.example", "referrals@northwind.example"


def invitation(cast: Cast, **changes: Any) -> verbs.Invitation:
    base = verbs.Invitation(
        partner=cast.companies["fabrikam"],
        close_date=(NOW + 60 * DAY).date(),
        value=Money(Decimal(20_000), "CHF"),
        help_code=build.HELP,
        team=[build.member()],
        solutions=[cast.solutions["twin"]],
    )
    return replace(base, **changes)


def codes(call: Any, *args: Any, **kwargs: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(RuleViolation) as violation:
        call(*args, **kwargs)
    return [(b.code, b.rule, b.field) for b in violation.value.blockers]


# ORG


def test_org_2_a_place_on_a_team_gives_nothing_outside_the_users_locations(live: Live) -> None:
    """Neither on pages nor through the service; company-wide users and their own locations go on as before."""
    cast = live.cast
    deals = {
        place: build.deal(cast, at=live.ago(2), close_date=live.day(30), location=cast.locations[place])
        for place in (ISTANBUL, ANKARA)
    }
    assert set(Referral.objects.visible_to(cast.actor(USER))) == set(deals.values())
    RoleGrant.objects.filter(membership__user__email=USER).update(location=cast.locations[ANKARA])
    user, browser = cast.actor(USER), live.browser(USER)
    assert list(Referral.objects.visible_to(user)) == [deals[ANKARA]]
    do.edit_details(deals[ANKARA], name="Mine", actor=user, now=live.now)
    with pytest.raises(PermissionDenied):
        do.edit_details(deals[ISTANBUL], name="Not mine", actor=user, now=live.now)
    for name in ("deal", "edit_details", "edit_team", "add_note"):
        address = reverse(name, args=[deals[ISTANBUL].public_id])
        answer = browser.post(address) if name == "add_note" else browser.get(address)
        assert answer.status_code == 404


def test_org_2_account_admins_and_viewers_read_what_referrals_admins_read(live: Live) -> None:
    """Everything of the company, or of their locations; and change none of it."""
    cast = live.cast
    elsewhere = {"team": [build.member("nobody@contoso.example")], "help_code": rules.NO_HELP}
    deals = [
        build.deal(cast, at=live.ago(2), close_date=live.day(30), location=cast.locations[place], **elsewhere)
        for place in (ISTANBUL, ANKARA)
    ]
    assert set(Referral.objects.visible_to(cast.actor(CONTOSO))) == set(deals)
    for reader in (ADMIN, "viewer@contoso.example"):
        assert set(Referral.objects.visible_to(cast.actor(reader))) == set(deals)
        assert live.browser(reader).get(reverse("deal", args=[deals[0].public_id])).status_code == 200
        with pytest.raises(PermissionDenied):
            do.edit_details(deals[0], name="Mine", actor=cast.actor(reader), now=live.now)
    RoleGrant.objects.filter(membership__user__email="viewer@contoso.example").update(location=cast.locations[ANKARA])
    assert list(Referral.objects.visible_to(cast.actor("viewer@contoso.example"))) == [deals[1]]


def test_org_6_a_partner_is_told_of_the_companies_whose_copy_it_may_see(cast: Cast) -> None:
    """The inviter and the vendor know all, of two invited partners neither the other."""
    build.northwind_ready(cast)
    own = build.deal(cast, at=NOW)
    copies = {FABRIKAM: do.invite_partner(own, invitation(cast), actor=cast.actor(CONTOSO), now=NOW)}
    northwind = invitation(cast, partner=cast.companies["northwind"])
    copies[NORTHWIND] = do.invite_partner(own, northwind, actor=cast.actor(CONTOSO), now=NOW)

    def known(referral: Referral, who: str) -> set[str]:
        fresh = Referral.objects.with_context().get(pk=referral.pk)
        return {copy.company.name.split()[0] for copy in participants.others(fresh, cast.actor(who))}

    assert known(own, CONTOSO) == {"Microsoft", "Fabrikam", "Northwind"}
    assert known(build.vendor_copy(own), build.SELLER) == {"Contoso", "Fabrikam", "Northwind"}
    assert known(copies[FABRIKAM], FABRIKAM) == known(copies[NORTHWIND], NORTHWIND) == {"Contoso", "Microsoft"}


def test_org_7_assessments_are_created_by_approved_companies_only(live: Live) -> None:
    """The service refuses at the field; the wizard shows the kind disabled, with the reason."""
    cast = live.cast
    given = build.deal_input(
        cast,
        at=live.now,
        close_date=live.day(30),
        help_code=rules.NO_HELP,
        assessment=AssessmentType.objects.get(code="security"),
        assessment_location="Ankara",
        solutions=[],
    )
    actor = cast.actor(CONTOSO)
    step = reverse("new_deal_step", args=[live.draft().public_id, "solutions"])

    def choice() -> Any:
        return parse(live.browser(CONTOSO).get(step)).one("select", id="id_assessment")

    assert "disabled" not in choice().attrs
    for since in (None, live.day(1)):
        Company.objects.filter(pk=cast.companies["contoso"].pk).update(assessments_since=since)
        refused = codes(do.run, None, verbs.CREATE, given, actor=actor, now=live.now)
        assert refused == [("assessments_not_approved", "ORG-7", "assessment")]
        assert "disabled" in choice().attrs
        assert "has approved" in parse(live.browser(CONTOSO).get(step)).one("div", id="id_assessment_helptext").text
    Company.objects.filter(pk=cast.companies["contoso"].pk).update(assessments_since=live.day(0))
    assert do.run(None, verbs.CREATE, given, actor=actor, now=live.now).is_assessment


def test_org_7_org_8_programme_managers_set_a_companys_standing_in_the_admin(live: Live) -> None:
    """ORG-7, ORG-8: each with a day and an event; nobody else can, and the vendor and a new company have none."""
    cast, manager = live.cast, live.browser(MANAGER)
    company = cast.companies["fabrikam"]
    address = reverse("admin:accounts_company_change", args=[company.pk])
    form = parse(manager.get(address)).one("form", id="company_form").fields()
    assert (form["top_tier_since"], form["assessments_since"]) == ("", "")
    sent = {**form, "top_tier_since": "2026-07-01", "assessments_since": "2026-09-01"}
    assert manager.post(address, sent).status_code == 302
    company.refresh_from_db()
    first = company.top_tier_since
    assert first is not None
    assert (first.isoformat(), str(company.assessments_since)) == ("2026-07-01", "2026-09-01")
    assert (company.is_top_tier(first), company.is_top_tier(first - timedelta(days=1))) == (True, False)
    event = Event.objects.filter(verb="company.changed", company=company).latest("pk")
    assert (event.before, event.after) == (
        {"top_tier_since": None, "assessments_since": None},
        {"top_tier_since": "2026-07-01", "assessments_since": "2026-09-01"},
    )
    for actor in (cast.actor(ADMIN), cast.actor(build.REVIEWER), cast.actor(FABRIKAM)):
        with pytest.raises(PermissionDenied):
            accounts.change_company(company, top_tier_since=None, actor=actor, now=NOW)
    vendor = reverse("admin:accounts_company_change", args=[cast.companies["vendor"].pk])
    for page in (vendor, reverse("admin:accounts_company_add")):
        assert "top_tier_since" not in parse(manager.get(page)).one("form", id="company_form").fields()


# REF-1


def test_ref_1_partner_to_partner_shows_on_the_deal_in_the_list_as_a_filter_and_in_exports(live: Live) -> None:
    cast, actor = live.cast, live.cast.actor(CONTOSO)
    alone = build.deal(cast, at=live.ago(2), close_date=live.day(30), name="Alone")
    own = build.deal(cast, at=live.ago(2), close_date=live.day(30), name="Together")
    given = invitation(cast, close_date=live.day(30))
    copy = do.invite_partner(own, given, actor=actor, now=live.now)
    deals = {r.pk: r for r in Referral.objects.with_context()}
    flags = {deal.pk: deals[deal.pk].p2p for deal in (alone, own, copy, build.vendor_copy(own))}
    assert list(flags.values()) == [False, True, True, True]
    assert deals[own.pk].deal_type == rules.CO_SELL  # a flag, not a fifth type
    browser = live.browser(CONTOSO)
    badge = "Partner to partner"
    assert badge in parse(browser.get(reverse("deal", args=[own.public_id]))).one("main").text
    assert badge not in parse(browser.get(reverse("deal", args=[alone.public_id]))).one("main").text
    listed = {p2p: browser.get(reverse("deals"), {"tab": "outbound", "p2p": p2p}).content for p2p in ("yes", "no")}
    assert (b"Together" in listed["yes"], b"Alone" in listed["yes"]) == (True, False)
    assert (b"Together" in listed["no"], b"Alone" in listed["no"]) == (False, True)
    browser.post(reverse("choose_columns", args=["deals"]), {"column": ["type"], "next": "/co-sell/"})
    assert b"P2P" in browser.get(reverse("deals"), {"tab": "outbound", "p2p": "yes"}).content
    assert set(Referral.objects.filter(filters.q(FILTERS, actor, {"p2p": "yes,no"}))) == set(deals.values())
    file = write("csv", FIELDS, rows([deals[own.pk], deals[alone.pk]], actor), sheet="").decode("utf-8-sig")
    assert [line["Partner to partner"] for line in csv.DictReader(io.StringIO(file))] == ["Yes", "No"]


def test_ref_1_the_review_of_a_co_sell_deal_says_that_the_vendor_may_view_it(live: Live) -> None:
    """Help implies the view, whatever was answered."""
    draft = live.draft()
    draft.data = {"help": {"help_code": [build.HELP], "vendor_may_view": ["no"]}}
    draft.save()
    page = parse(live.browser(CONTOSO).get(reverse("new_deal_step", args=[draft.public_id, "review"])))
    facts = page.one("section", id="help").one("dl").text
    assert "Visible to Microsoft Yes" in " ".join(facts.split())
    assert "Co-sell" in facts


# REF-5


CONTACT = rules.Contact("Deniz Aksoy", "+90 532 555 01 01", "deniz@customer.example", consent=True)


@pytest.mark.parametrize("later", [True, False], ids=["asked later", "with the deal"])
def test_ref_5_the_vendors_copy_leads_with_the_help_asked_for_and_what_was_written(live: Live, later: bool) -> None:
    """Before it is accepted, on the page and where it is accepted; the asking company reads it as well."""
    cast, words = live.cast, "Please bring an architect <b>"
    given: dict[str, Any] = {"at": live.ago(2), "close_date": live.day(30)}
    if later:
        own = build.deal(cast, **given, help_code=rules.NO_HELP, vendor_may_view=False)
        asked = {"help_code": build.HELP, "contact": CONTACT, "notes": words}
        do.request_help(own, **asked, actor=cast.actor(CONTOSO), now=live.ago(1))
    else:
        own = build.deal(cast, **given, notes=words)
    copy, browser = build.vendor_copy(own), live.browser(build.SELLER)
    page = parse(browser.get(reverse("deal", args=[copy.public_id])))
    first = page.one("main").all("section")
    asked_at = [section.attrs.get("id") for section in first].index("asked")
    assert asked_at < [section.attrs.get("id") for section in first].index("details")
    for shown in (page, parse(browser.get(reverse("act", args=[copy.public_id, "accept"])))):
        card = shown.one("section", id="asked").text
        assert "Contoso" in card
        assert "Proof of concept / demo" in card
        assert words in card
    assert words in parse(live.browser(CONTOSO).get(reverse("deal", args=[own.public_id]))).one("main").text
    accepted = build.accept(cast, copy, at=live.now)
    assert words in parse(browser.get(reverse("deal", args=[accepted.public_id]))).one("section", id="asked").text


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"name": " "}, ["contact_required"]),
        ({"email": ""}, ["contact_required"]),
        ({"consent": False}, ["consent_required"]),
    ],
)
def test_ref_5_the_contact_and_its_consent_are_required_once_help_is_asked_for(
    cast: Cast, changes: dict[str, Any], wrong: list[str]
) -> None:
    """With the deal and later, through the service."""
    contact, actor = replace(CONTACT, **changes), cast.actor(CONTOSO)
    given = build.deal_input(cast, at=NOW, contact=contact)
    assert [code for code, _rule, _field in codes(do.run, None, verbs.CREATE, given, actor=actor, now=NOW)] == wrong
    own = build.deal(cast, at=NOW, help_code=rules.NO_HELP)
    asked = {"help_code": build.HELP, "contact": contact, "actor": actor, "now": NOW}
    assert [code for code, _rule, _field in codes(do.request_help, own, **asked)] == wrong


def test_ref_6_what_is_written_with_a_verb_has_the_length_of_notes(cast: Cast) -> None:
    own, actor = build.deal(cast, at=NOW, help_code=rules.NO_HELP), cast.actor(CONTOSO)
    long = "x" * (Policy().max_note_length + 1)
    asked = {"help_code": build.HELP, "contact": CONTACT, "notes": long}
    assert codes(do.request_help, own, **asked, actor=actor, now=NOW) == [("notes_too_long", "REF-6", "comment")]
    lost = {"reason_code": "budget", "comment": long}
    assert codes(do.lose, own, **lost, actor=actor, now=NOW) == [("notes_too_long", "REF-6", "comment")]


# REF-7


def test_ref_7_an_emptied_team_is_refused_where_a_deal_is_accepted(live: Live) -> None:
    """In the browser at the team, with a link to it; through the service, too."""
    received = live.received()
    browser = live.browser(CONTOSO)
    address = reverse("act", args=[received.public_id, "accept"])
    form = parse(browser.get(address)).one("form", class_="o-confirm").fields()
    emptied = {name: "" if name.startswith("team-0-") else value for name, value in form.items()}
    refused = browser.post(address, emptied)
    assert refused.status_code == 422
    said = "Name at least one person who works on this deal."
    assert said in parse(refused).one("div", id="id_team_error").text
    assert "#id_team" in [a.attrs["href"] for a in parse(refused).one("div", class_="o-errors").all("a")]
    given = {"name": received.name, "value": received.money, "close_date": received.close_date}
    actor = live.cast.actor(CONTOSO)
    assert codes(do.accept, received, **given, actor=actor, now=live.now) == [("team_required", "REF-7", "team")]


def test_ref_7_an_emptied_team_is_refused_at_the_team_where_it_is_edited(live: Live) -> None:
    browser, own = live.browser(CONTOSO), live.deal()
    address = reverse("edit_team", args=[own.public_id])
    form = parse(browser.get(address)).one("form", class_="o-confirm").fields()
    emptied = {name: "" if name.startswith("team-0-") else value for name, value in form.items()}
    refused = browser.post(address, emptied)
    assert refused.status_code == 422
    assert "Name at least one person" in parse(refused).one("div", id="id_team_error").text
    assert own.team.count() == 1


def test_ref_7_how_many_a_team_has_is_policy(live: Live) -> None:
    """The form takes as many as the policy allows, however many those are."""
    policies.add_version(values={"max_team_members": 70}, effective_from=None, note="Bigger", by=None, now=live.ago(1))
    browser, own = live.browser(CONTOSO), live.deal()
    address = reverse("edit_team", args=[own.public_id])

    def team(count: int) -> dict[str, Any]:
        person = {"first_name": "Pat", "last_name": "Doe", "phone": "1"}
        rows = {f"team-{n}-{name}": value for n in range(count) for name, value in person.items()}
        emails = {f"team-{n}-email": f"pat{n}@contoso.example" for n in range(count)}
        return {"version": own.version, "team-TOTAL_FORMS": count, "team-INITIAL_FORMS": 0, **rows, **emails}

    refused = browser.post(address, team(71))
    assert "A team has at most 70 people; this one has 71." in parse(refused).one("div", id="id_team_error").text
    assert browser.post(address, team(70)).status_code == 302
    assert own.team.count() == 70


# REF-8, REF-9


def test_ref_8_an_invitation_with_too_many_or_unready_solutions_is_refused(cast: Cast) -> None:
    """In the verb, so on every surface; also for a new deal, one that is sent, and an edit."""
    own, actor = build.deal(cast, at=NOW), cast.actor(CONTOSO)
    many = SolutionFactory.create_batch(51, publisher=cast.companies["fabrikam"])
    hidden = SolutionFactory(name="Hidden", publisher=cast.companies["fabrikam"], published=False)
    refused = codes(do.invite_partner, own, invitation(cast, solutions=many), actor=actor, now=NOW)
    assert refused == [("too_many_solutions", "REF-8", "solutions")]
    unready = [("solution_not_ready", "REF-8", "solutions")]
    assert codes(do.invite_partner, own, invitation(cast, solutions=[hidden]), actor=actor, now=NOW) == unready
    none = codes(do.invite_partner, own, invitation(cast, solutions=[]), actor=actor, now=NOW)
    assert none == [("solution_required", "REF-9", "solutions")]
    given = build.deal_input(cast, at=NOW, solutions=[hidden])
    assert codes(do.run, None, verbs.CREATE, given, actor=actor, now=NOW) == unready
    assert codes(do.edit_solutions, own, [hidden], actor=actor, now=NOW) == unready
    # What left the market after it was chosen may stay.
    held = cast.solutions["factory"]
    Solution.objects.filter(pk=held.pk).update(published=False)
    do.edit_solutions(own, [held, cast.solutions["twin"]], actor=actor, now=NOW)
    assert own.solutions.count() == 2


def test_ref_9_a_refused_invitation_comes_back_with_the_partner_that_was_chosen(live: Live) -> None:
    """Also where the letters typed find somebody else."""
    own, browser, cast = live.deal(), live.browser(CONTOSO), live.cast
    build.northwind_ready(cast)
    address = reverse("invite_partner", args=[own.public_id])
    partner = str(cast.companies["fabrikam"].public_id)
    sent = {"partner": partner, "partner_search": "north", "team-TOTAL_FORMS": "0", "team-INITIAL_FORMS": "0"}
    refused = browser.post(address, sent)
    assert refused.status_code == 422
    assert partner in [i.attrs.get("value") for i in parse(refused).all("input") if "checked" in i.attrs]


def test_org_2_how_long_an_invitations_link_is_good_is_policy(live: Live) -> None:
    policies.add_version(
        values={"invitation_link_days": 3}, effective_from=None, note="Shorter", by=None, now=live.ago(1)
    )
    admin, company = live.cast.actor(ADMIN), live.cast.companies["contoso"]
    grants = list(admin.grants)
    asked = invites.create(
        company=company, email="new@contoso.example", grants=grants, language="en", actor=admin, now=live.now
    )
    assert asked.expires_at - live.now == 3 * DAY
    later = live.now + DAY
    assert invites.resend(asked, actor=admin, now=later).expires_at - later == 3 * DAY
