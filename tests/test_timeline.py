"""A deal's timeline: filtered by group, loaded further, and its stages by the names they have (REF-14 to REF-16)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.urls import reverse

from portal.catalog.models import AssessmentType
from portal.events import services as events
from portal.events.models import Event
from portal.pages.home import context as home
from portal.workflow import services as workflow
from portal.workflow import timeline
from referrals import sweeps
from referrals.models import Referral
from referrals.services import stage_names
from tests import build, do
from tests.edge import Element, Live, parse

ADMIN = "admin@contoso.example"


def shown(live: Live, referral: Referral, *, by: str = build.CONTOSO, htmx: bool = False, **query: Any) -> Element:
    headers = {"HX-Request": "true", "HX-Target": "timeline"} if htmx else {}
    response = live.browser(by).get(reverse("deal", args=[referral.public_id]), query, headers=headers)
    assert response.status_code == 200
    return parse(response)


def told(page: Element) -> list[str]:
    return [line.text for line in page.all("span", class_="o-time__text") if "o-note" not in line.attrs["class"]]


def groups(page: Element) -> dict[str, int]:
    chips = page.one("nav", class_="o-time__groups").all(class_="o-chip")
    return {chip.text.rsplit(" ", 1)[0]: int(chip.one("span", class_="o-count").text) for chip in chips}


PREFIXES = ("referral.", "registration.", "document.", "exception.", "isv_deal.", "consent.", "licences.")


def test_every_verb_of_a_timeline_is_in_one_group() -> None:
    """REF-14, FLOW-5: and nothing that can't stand there is in any."""
    of_deals = {verb for verb in timeline._known if verb.startswith(PREFIXES)}
    assert {verb.event for machine in workflow.machines() for verb in machine.verbs} < of_deals
    grouped = [verb for group in timeline.GROUPS for verb in timeline.verbs(group)]
    assert sorted(grouped) == sorted(of_deals)
    assert all(timeline.verbs(group) for group in timeline.GROUPS)


def test_the_timeline_is_filtered_by_its_groups(live: Live) -> None:
    """REF-23: that somebody wrote a note is told, what is in it is not; and a private one to its own company only."""
    referral, owner = live.accepted(), live.cast.actor(build.CONTOSO)
    do.add_note(referral, text="Propeller", actor=owner, now=live.now)
    live.sent_back(do.win(referral, actor=owner, now=live.now))
    do.add_note(referral, text="Zeppelin", shared=False, actor=owner, now=live.now)
    page = shown(live, referral)
    counts = {"All": 10, "Status and stages": 3, "Notes": 2, "People and invitations": 1, "Registration": 4}
    assert groups(page) == counts
    assert len(told(page)) == 10 - counts["Notes"]
    assert page.one("a", class_="is-on").text == "All 10"
    assert told(shown(live, referral, timeline="people")) == ["Microsoft was invited"]
    notes = shown(live, referral, timeline="notes", list="tab=outbound")
    assert [note.text for note in notes.all("span", class_="o-note")] == ["Zeppelin", "Propeller"]
    assert groups(notes) == counts
    assert notes.one("a", id="timeline-notes").attrs["aria-current"] == "true"
    back = notes.one("a", id="timeline-all").attrs["href"]
    assert back == reverse("deal", args=[referral.public_id]) + "?list=tab%3Doutbound#timeline"
    assert told(shown(live, referral, timeline="nothing")) == told(page)
    seller = shown(live, referral, by=build.SELLER)
    assert groups(seller) == {"All": 5, "Status and stages": 3, "Notes": 1, "People and invitations": 1}
    assert "Nothing of this kind has happened." in shown(live, referral, by=build.SELLER, timeline="registration").text
    part = shown(live, referral, timeline="notes", htmx=True)
    assert (part.all("main"), told(part)) == ([], told(notes))


def test_a_long_timeline_is_loaded_further(live: Live) -> None:
    """Newest first, and nothing twice while more happens; a foreign event leads nowhere (ORG-6)."""
    referral = live.deal()
    actor = live.cast.actor(build.CONTOSO)
    said = {"actor": actor, "company_id": referral.company_id, "group": referral.event_group}
    when = [live.now + timedelta(minutes=n // 2) for n in range(45)]
    events.record(
        [events.new_event(referral, "referral.edited", now=at, comment=str(n), **said) for n, at in enumerate(when)]
    )
    address: str | None = reverse("deal", args=[referral.public_id]) + "?timeline=changes"
    seen: list[list[str]] = []
    client = live.browser(build.CONTOSO)
    while address:
        page = parse(client.get(address, headers={"HX-Request": "true", **({} if seen else {"HX-Target": "timeline"})}))
        seen.append([quote.text for quote in page.all("q")])
        more = page.all("a", hx_target="closest li")
        address = more[0].attrs["hx-get"] if more else None
        if len(seen) == 1:
            events.record([events.new_event(referral, "referral.edited", now=when[-1], comment="late", **said)])
    assert [len(part) for part in seen] == [20, 20, 5]
    assert [n for part in seen for n in part] == [str(n) for n in reversed(range(45))]
    whole = shown(live, referral, timeline="changes", before=Event.objects.get(comment="3").pk)
    assert [quote.text for quote in whole.all("q")] == ["2", "1", "0"]
    newest = whole.one("section", id="timeline").one("p").one("a").attrs["href"]
    assert newest == reverse("deal", args=[referral.public_id]) + "?timeline=changes#timeline"
    foreign = Event.objects.of_subject(live.received())[0]
    for before in (foreign.pk, "x", "-1", "9" * 40):
        assert len(shown(live, referral, timeline="changes", before=before).all("q")) == 20


def _stage(live: Live, referral: Referral, stage: int) -> None:
    do.set_stage(referral, actor=live.cast.actor(build.CONTOSO), now=live.now, stage=stage)


def test_stages_have_the_names_of_their_deal_and_of_ones_own_crm(live: Live) -> None:
    """REF-15, REF-16: an assessment's are its own; what a company's CRM calls them nobody else reads."""
    who = {"company": live.cast.companies["contoso"], "actor": live.cast.actor(ADMIN), "now": live.now}
    for name in ("Keşif", "Demo booked"):
        stage_names.add(name=name, stage=20, **who)
    vendors = {"company": live.cast.companies["vendor"], "actor": live.cast.actor("manager@vendor.example")}
    stage_names.add(name="Lead", stage=20, now=live.now, **vendors)
    kind = AssessmentType.objects.all()[0]
    assessment = live.accepted(assessment=kind, assessment_location="Ankara", solutions=[])
    ordinary = live.accepted()
    for referral in (assessment, ordinary):
        _stage(live, referral, 20)
    moved = "Contoso Yazılım moved the sales stage: Created / accepted (10%) →"
    letter, qualified = f"{moved} Secure customer LOE (20%)", f"{moved} Qualified (20%)"
    assert told(shown(live, assessment))[0] == letter
    assert told(shown(live, ordinary))[0] == f"{qualified} · Keşif · Demo booked"
    assert told(shown(live, assessment, by=build.SELLER))[0] == letter
    assert told(shown(live, ordinary, by=build.SELLER))[0] == qualified
    assert {letter, f"{qualified} · Keşif · Demo booked"} <= set(told(parse(live.browser(build.CONTOSO).get("/"))))


def test_reminders_are_no_last_events(live: Live) -> None:
    """FLOW-8: the notice reminds; home tells what happened."""
    copy = live.received(days=12)
    assert sweeps.remind(now=live.now) == 1
    page = shown(live, copy, timeline="reminders")
    assert groups(page)["Reminders"] == 1
    context = home.context(live.cast.actor(build.CONTOSO), now=live.now)
    assert [entry["verb"] for entry in context["last_events"]] == ["referral.received"]
