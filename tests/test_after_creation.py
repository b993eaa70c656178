"""Deals after their creation: shared, helped, partners invited, edited beside others (REF-3, REF-4, REF-9, REF-21)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from portal.demo.cast import Cast
from portal.events.models import Event
from portal.workflow.blockers import Money, RuleViolation
from referrals import rules, verbs
from referrals.models import Referral
from referrals.selectors import partners
from referrals.services import editing
from tests import build, do
from tests.edge import parse

values = st.one_of(st.none(), st.integers(0, 3))
fields = st.fixed_dictionaries({"a": values, "b": values})


@given(base=fields, current=fields, wanted=fields)
def test_ref_21_nothing_is_overwritten_silently(base: dict, current: dict, wanted: dict) -> None:
    """REF-21: an untouched field stays as it is; a field both changed differently is a conflict; the rest is taken."""
    merged = rules.merge(base=base, current=current, wanted=wanted)
    after = current | dict(merged.changes)
    for name in base:
        if wanted[name] == base[name] or name in merged.conflicts:
            assert after[name] == current[name]
        else:
            assert after[name] == wanted[name]
        others_changed = current[name] not in (base[name], wanted[name])
        assert (name in merged.conflicts) == (wanted[name] != base[name] and others_changed)


def test_ref_21_two_editors(cast: Cast) -> None:
    """REF-21, FX-2: different fields merge, the same field is a conflict; the USD value follows; one event each."""
    referral = build.deal(cast)
    actor = cast.actor(build.CONTOSO)
    first = do.edit_details(referral, value=Decimal(50_000), actor=actor, now=build.NOW)
    assert (first.value_usd, first.version) == (Decimal("55000.00"), referral.version + 1)
    second = do.edit_details(referral, name="Renamed", actor=actor, now=build.NOW)
    assert (second.name, second.value) == ("Renamed", Decimal(50_000))
    with pytest.raises(editing.Conflict) as conflict:
        do.edit_details(referral, name="Mine", actor=actor, now=build.NOW)
    assert conflict.value.current == {"name": "Renamed"}
    assert Referral.objects.get(pk=referral.pk).name == "Renamed"
    assert Event.objects.of_subject(referral).filter(verb="referral.edited").count() == 2


def test_ref_21_details_are_judged_and_closed_is_closed(cast: Cast) -> None:
    """REF-6, REF-11, REF-21: the same rules as at creation; after the win nothing changes any more."""
    referral, actor = build.accepted(cast), cast.actor(build.CONTOSO)
    with pytest.raises(RuleViolation) as refused:
        do.edit_details(referral, name=" ", value=Decimal(0), actor=actor, now=build.NOW)
    assert refused.value.codes == ["name_required", "value_not_positive"]
    with pytest.raises(PermissionDenied):
        do.edit_details(referral, name="x", actor=cast.actor("viewer@contoso.example"), now=build.NOW)
    do.win(referral, actor=actor, now=build.NOW)
    with pytest.raises(RuleViolation) as closed:
        do.edit_details(referral, name="x", actor=actor, now=build.NOW)
    assert closed.value.codes == ["wrong_state"]


def test_ref_7_ref_8_team_and_solutions(cast: Cast) -> None:
    """REF-7, REF-8, REF-21: whole sections, stale ones refused; what changed is on the event."""
    referral, actor = build.deal(cast), cast.actor(build.CONTOSO)
    new = [build.member(), build.member("referrals@contoso.example")]
    edited = do.edit_team(referral, new, actor=actor, now=build.NOW)
    assert edited.team.count() == 2
    with pytest.raises(editing.Conflict):
        do.edit_team(referral, [build.member("x@contoso.example")], actor=actor, now=build.NOW)
    with pytest.raises(RuleViolation) as empty:
        do.edit_team(edited, [], actor=actor, now=build.NOW)
    assert empty.value.codes == ["team_required"]
    factory, twin = cast.solutions["factory"], cast.solutions["twin"]
    do.edit_solutions(referral, [factory, twin], actor=actor, now=build.NOW)
    assert {line.solution for line in referral.solutions.all()} == {factory, twin}
    with pytest.raises(RuleViolation):
        do.edit_solutions(Referral.objects.get(pk=referral.pk), [], actor=actor, now=build.NOW)
    event = Event.objects.of_subject(referral).get(verb="referral.solutions_edited")
    assert event.after["solutions"] == [str(factory), str(twin)]


PRIVATE = {"help_code": rules.NO_HELP, "vendor_may_view": False}


def test_ref_3_ref_4_upgrades(cast: Cast) -> None:
    """REF-3, REF-4, REF-10: private -> partner-led -> co-sell, each once, never back; the vendor gets its copy."""
    referral, actor = build.deal(cast, **PRIVATE), cast.actor(build.CONTOSO)
    seller = cast.actor(build.SELLER)
    assert not Referral.objects.visible_to(seller).filter(pk=referral.pk).exists()
    shared = do.share_with_vendor(referral, actor=actor, now=build.NOW)
    assert shared.engagement.deal_type == rules.PARTNER_LED
    assert Referral.objects.visible_to(seller).filter(pk=referral.pk).exists()
    with pytest.raises(RuleViolation) as again:
        do.share_with_vendor(shared, actor=actor, now=build.NOW)
    assert again.value.codes == ["already_shared"]
    contact = rules.Contact("Deniz Aksoy", "+90 532 555 01 01", "deniz@customer.example", consent=True)
    with pytest.raises(RuleViolation) as consent:
        do.request_help(
            shared, help_code=build.HELP, contact=replace(contact, consent=False), actor=actor, now=build.NOW
        )
    assert consent.value.codes == ["consent_required"]
    helped = do.request_help(shared, help_code=build.HELP, contact=contact, actor=actor, now=build.NOW)
    copy = build.vendor_copy(helped)
    assert (helped.engagement.deal_type, copy.substatus) == (rules.CO_SELL, rules.RECEIVED)
    assert (copy.expires_at, helped.engagement.vendor_invited_at) == (build.NOW + 14 * build.DAY, build.NOW)
    with pytest.raises(RuleViolation) as asked:
        do.request_help(helped, help_code=build.HELP, contact=contact, actor=actor, now=build.NOW)
    assert asked.value.codes == ["help_asked"]


def invitation(cast: Cast, **changes: Any) -> verbs.Invitation:
    base = verbs.Invitation(
        partner=cast.companies["fabrikam"],
        close_date=(build.NOW + 20 * build.DAY).date(),
        value=Money(Decimal(12_000), "EUR"),
        help_code="PostSalesCustomerSuccess",
        team=[build.member()],
        solutions=[cast.solutions["twin"]],
        notes="Kurulumu siz yapar mısınız?",
    )
    return replace(base, **changes)


def test_ref_9_invitation(cast: Cast) -> None:
    """REF-4, REF-9: own terms on the partner's copy; once, not oneself, not from an inbound deal; all faults."""
    referral, actor = build.deal(cast, **PRIVATE), cast.actor(build.CONTOSO)
    copy = do.invite_partner(referral, invitation(cast), actor=actor, now=build.NOW)
    assert (copy.value, copy.substatus, copy.invited_by) == (Decimal(12_000), rules.RECEIVED, referral.company)
    assert (copy.invite_help, copy.invite_notes) == ("PostSalesCustomerSuccess", "Kurulumu siz yapar mısınız?")
    assert [m.email for m in copy.inviter_team.all()] == ["user@contoso.example"]
    for partner, code in [("fabrikam", "already_invited"), ("contoso", "own_company")]:
        invited = invitation(cast, partner=cast.companies[partner])
        with pytest.raises(RuleViolation) as refused:
            do.invite_partner(referral, invited, actor=actor, now=build.NOW)
        assert refused.value.codes == [code]
    wrong = invitation(
        cast, partner=cast.companies["northwind"], solutions=[], team=[], help_code=rules.NO_HELP,
        close_date=(build.NOW - build.DAY).date(), value=Money(Decimal(0), "EUR"),
    )  # fmt: skip
    with pytest.raises(RuleViolation) as all_at_once:
        do.invite_partner(referral, wrong, actor=actor, now=build.NOW)
    expected = {"value_not_positive", "close_date_past", "solution_required", "help_required", "team_required"}
    assert set(all_at_once.value.codes) == expected | {"unknown_partner"}  # it has nothing to co-sell
    build.northwind_ready(cast)
    fabrikam = cast.actor("referrals@fabrikam.example")
    accepted = build.accept(cast, copy, at=build.NOW, by="referrals@fabrikam.example")
    more = invitation(cast, partner=cast.companies["northwind"])
    with pytest.raises(RuleViolation) as inbound:
        do.invite_partner(accepted, more, actor=fabrikam, now=build.NOW)
    assert inbound.value.codes == ["inbound_deal"]


def test_ref_22_the_more_responsive_come_first(cast: Cast, client: Client) -> None:
    """REF-9, REF-22: only the ecosystem, never oneself; answered in time, then hours, decide the order."""
    actor, at = cast.actor(build.CONTOSO), build.NOW - 30 * build.DAY
    quick = do.invite_partner(build.deal(cast, at=at, **PRIVATE), invitation(cast), actor=actor, now=at)
    build.accept(cast, quick, at=at + timedelta(hours=5), by="referrals@fabrikam.example")
    late = do.invite_partner(build.deal(cast, at=at, **PRIVATE), invitation(cast), actor=actor, now=at)
    do.expire(late, now=at + 14 * build.DAY)
    found = partners.suggest("FAB", actor=actor, now=build.NOW)
    assert [(c.name, r.share, r.median_hours, r.received) for c, r in found] == [("Fabrikam GmbH", 0.5, 5.0, 2)]
    assert "Contoso Yazılım" not in [c.name for c, _r in partners.suggest("", actor=actor, now=build.NOW)]
    client.force_login(cast.users[build.CONTOSO])
    ticked = {"partner_search": "zzz", "partner": cast.companies["fabrikam"].public_id}  # ticked, then typed on
    (radio,) = parse(client.get(reverse("suggest_partners"), ticked)).all("input")
    assert (radio.attrs["value"], "checked" in radio.attrs) == (str(ticked["partner"]), True)
    assert partners.suggest("north", actor=actor, now=build.NOW) == []  # no co-sell-ready solution


def test_ref_21_the_second_saver_sees_both_and_chooses(cast: Cast, client: Client) -> None:
    """REF-21 in the browser: the conflict names what it is now, keeps what was typed, and saving again decides."""
    referral = build.deal(cast)
    client.force_login(cast.users[build.CONTOSO])
    url = reverse("edit_details", args=[referral.public_id])
    shown = client.get(url).context
    sent = {bound.name: bound.value() for bound in shown["form"]}
    do.edit_details(referral, name="Theirs", actor=cast.actor(build.CONTOSO), now=build.NOW)
    refused = client.post(url, sent | {"name": "Mine <b>"})
    assert refused.status_code == 422
    assert "it is now “Theirs”" in refused.content.decode()
    assert 'value="Mine &lt;b&gt;"' in refused.content.decode()
    renewed = {"version": refused.context["form"]["version"].value()}
    assert client.post(url, sent | renewed | {"name": "Mine <b>"}).status_code == 302
    assert Referral.objects.get(pk=referral.pk).name == "Mine <b>"


def test_pages_of_sharing_and_inviting(cast: Cast, client: Client) -> None:
    """REF-4, REF-9: the pages do what the services do; a foreign deal is unknown (ORG-6)."""
    referral = build.deal(cast, **PRIVATE)
    client.force_login(cast.users[build.CONTOSO])
    assert client.post(reverse("act", args=[referral.public_id, "share-with-vendor"])).status_code == 302
    url = reverse("invite_partner", args=[referral.public_id])
    page = client.get(url)
    assert "Fabrikam GmbH" in page.content.decode()
    member = {"first_name": "Umut", "last_name": "Öztürk", "phone": "1", "email": "user@contoso.example"}
    sent = {
        "partner": str(cast.companies["fabrikam"].public_id),
        "value": "9000",
        "currency": "EUR",
        "close_date": "2099-01-01",
        "help_code": "GeneralOrOther",
        "solutions": [str(cast.solutions["twin"].public_id)],
        "team-TOTAL_FORMS": "1",
        "team-INITIAL_FORMS": "1",
        **{f"team-0-{name}": value for name, value in member.items()},
    }
    assert client.post(url, sent).status_code == 302
    assert referral.engagement.referrals.filter(company__name="Fabrikam GmbH").exists()
    client.force_login(cast.users["referrals@northwind.example"])
    assert client.get(url).status_code == 404
    for section in ("details", "team", "solutions"):
        assert client.get(reverse(f"edit_{section}", args=[referral.public_id])).status_code == 404


def test_edit_team_page(cast: Cast, client: Client) -> None:
    """REF-7: a person is added, another taken off by emptying the fields."""
    referral = build.deal(cast)
    client.force_login(cast.users[build.CONTOSO])
    url = reverse("edit_team", args=[referral.public_id])
    form = client.get(url).context["form"]
    sent = {"version": form["version"].initial, "team-TOTAL_FORMS": "2", "team-INITIAL_FORMS": "1"}
    for name in ("first_name", "last_name", "phone", "email"):
        sent[f"team-0-{name}"] = ""
    sent |= {"team-1-first_name": "Rüya", "team-1-last_name": "İpekçi", "team-1-phone": "1"}
    sent |= {"team-1-email": "referrals@contoso.example"}
    answer = client.post(url, sent)
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    assert [m.email for m in referral.team.all()] == ["referrals@contoso.example"]


def form_with(field: str, answer: Any) -> dict[str, Any]:
    """What the page's form with this field would send; nothing on the page is judged."""
    assert answer.status_code == 200
    page = parse(answer).one("main")
    assert page.all("div", class_="o-errors") == []
    return next(form for form in page.all("form") if field in form.fields()).fields()


def test_ref_7_the_team_is_edited_by_the_wizards_buttons(cast: Cast, client: Client) -> None:
    """They change the rows and nothing else: what was typed stays, nothing is judged, nobody is on the team yet."""
    build.deal(cast, team=[build.member("ruya@contoso.example")])
    referral = build.deal(cast, team=[build.member("umut@contoso.example")])
    client.force_login(cast.users[build.CONTOSO])
    url = reverse("edit_team", args=[referral.public_id])

    form = partial(form_with, "version")

    def listed(sent: dict[str, Any]) -> list[str]:
        return [value for name, value in sorted(sent.items()) if name.endswith("-email")]

    sent = form(client.get(url))
    assert listed(sent) == ["umut@contoso.example"]
    sent = form(client.post(url, sent | {"team-0-phone": "", "person": "ruya@contoso.example"}))
    assert (listed(sent), sent["team-0-phone"]) == (["umut@contoso.example", "ruya@contoso.example"], "")
    added = client.post(url, sent | {"add": "1"})
    assert [field.attrs.get("name") for field in parse(added).all(data_focus="")] == ["team-2-first_name"]
    removed = client.post(url, form(added) | {"remove": "0"})
    assert [place.attrs["id"] for place in parse(removed).all(data_focus="")] == ["people"]
    sent = form(removed)
    assert listed(sent) == ["ruya@contoso.example", ""]
    assert [member.email for member in referral.team.all()] == ["umut@contoso.example"]
    other = [build.member("other@contoso.example")]
    do.edit_team(Referral.objects.get(pk=referral.pk), other, actor=cast.actor(build.CONTOSO), now=build.NOW)
    sent = form(client.post(url, sent | {"add": "1"}))
    told = client.post(url, sent)  # the version is still the one that was opened
    assert told.status_code == 422
    again = next(form for form in parse(told).one("main").all("form") if "version" in form.fields()).fields()
    assert client.post(url, again).status_code == 302
    assert [member.email for member in referral.team.all()] == ["ruya@contoso.example"]


def test_ref_7_whom_an_invitation_names_is_changed_by_the_same_buttons(cast: Cast, client: Client) -> None:
    """They invite nobody, and what was typed beside them stays."""
    build.deal(cast, team=[build.member("ruya@contoso.example")])
    referral = build.deal(cast, team=[build.member("umut@contoso.example")])
    client.force_login(cast.users[build.CONTOSO])
    url = reverse("invite_partner", args=[referral.public_id])

    form = partial(form_with, "partner_search")
    sent = form(client.post(url, form(client.get(url)) | {"notes": "Ovens", "person": "ruya@contoso.example"}))
    assert (sent["notes"], sent["team-0-email"]) == ("Ovens", "umut@contoso.example")
    assert sent["team-1-email"] == "ruya@contoso.example"
    added = client.post(url, sent | {"add": "1"})
    assert [field.attrs.get("name") for field in parse(added).all(data_focus="")] == ["team-2-first_name"]
    sent = form(client.post(url, form(added) | {"remove": "0"}))
    assert sent["team-0-email"] == "ruya@contoso.example"
    assert referral.engagement.referrals.count() == 2, "the partner's and the vendor's"
    partner = {"partner": cast.companies["fabrikam"].public_id, "help_code": build.HELP}
    solution = {"solutions": cast.solutions["twin"].public_id}
    assert client.post(url, sent | partner | solution).status_code == 302
    invited = referral.engagement.referrals.get(company=cast.companies["fabrikam"])
    assert [member.email for member in invited.inviter_team.all()] == ["ruya@contoso.example"]
    assert [member.email for member in referral.team.all()] == ["umut@contoso.example"]


def test_ref_7_buttons_that_nobody_pressed_together_change_nothing(cast: Cast, client: Client) -> None:
    referral = build.deal(cast)
    client.force_login(cast.users[build.CONTOSO])
    url = reverse("edit_team", args=[referral.public_id])
    for sent in ({"add": "1", "remove": "0"}, {"remove": "9" * 5_000}, {"person": "nobody@x.example"}):
        assert client.post(url, sent).status_code == 200, sent
    assert referral.team.count() == 1


def test_fx_2_elig_9_what_no_event_opened(cast: Cast) -> None:
    """FX-2, ELIG-9: a won deal without a rate is valued at its own month once there is one, and then registrable."""
    from dealreg import sweeps as dealreg_sweeps
    from dealreg.models import Registration
    from portal.money import services as money
    from referrals import sweeps

    referral = build.won(cast, value=Money(Decimal(400_000), "SEK"))
    assert referral.value_usd is None
    assert not Registration.objects.filter(referral=referral).exists()
    assert sweeps.value_won(now=build.NOW) == 0
    rates = {"SEK": Decimal("0.1")}
    for month in build.MONTHS[-3:]:
        money.import_month(month=month, rates=rates, source="test", publication="", now=build.MONTHS_OVER)
    assert sweeps.value_won(now=build.NOW) == 1
    assert Referral.objects.get(pk=referral.pk).value_usd == Decimal("40000.00")
    assert dealreg_sweeps.open_missed(now=build.NOW) == 1
    assert dealreg_sweeps.open_missed(now=build.NOW) == 0
    assert Registration.objects.filter(referral=referral).exists()


def test_ref_9_the_vendor_is_asked_for_help_and_not_invited_like_a_partner(cast: Cast) -> None:
    """REF-3, REF-9: else it would have its copy of a deal that is still private."""
    own = build.deal(cast, **PRIVATE)
    with pytest.raises(RuleViolation) as refused:
        do.invite_partner(
            own, invitation(cast, partner=cast.companies["vendor"]), actor=cast.actor(build.CONTOSO), now=build.NOW
        )
    assert refused.value.codes == ["unknown_partner"]
    assert not Referral.objects.filter(company=cast.companies["vendor"]).exists()


def test_a_stale_tab_is_told_once_what_stands_in_the_way(cast: Cast, client: Client) -> None:
    """REF-11, REF-21: in every form of a deal that was closed meanwhile; what it shows already isn't said again."""
    referral = build.accepted(cast)
    do.lose(referral, actor=cast.actor(build.CONTOSO), now=build.NOW, reason_code="budget")
    client.force_login(cast.users[build.CONTOSO])
    for name in ("edit_details", "edit_team", "edit_solutions", "invite_partner"):
        url = reverse(name, args=[referral.public_id])
        form = next(f for f in parse(client.get(url)).all("form", method="post") if f.all("div", class_="o-fields"))
        given = form.fields() | {"name": "Late", "help_code": build.HELP}
        given |= {"partner": cast.companies["fabrikam"].public_id, "solutions": cast.solutions["factory"].public_id}
        response = client.post(url, given)
        said = [item.text for item in parse(response).one("div", class_="o-errors").all("li")]
        assert (response.status_code, len(said)) == (422, len(set(said))), (name, said)


def test_edit_team_with_a_version_that_nobody_was_given(cast: Cast, client: Client) -> None:
    """REF-21: what is no version is refused, and nothing is lost."""
    referral = build.accepted(cast)
    client.force_login(cast.users[build.CONTOSO])
    url = reverse("edit_team", args=[referral.public_id])
    form = next(f for f in parse(client.get(url)).all("form") if "version" in f.fields())
    for version in ("[" * 60_000, "9" * 5_000, "", "null", "²", "-1"):
        changed = {**form.fields(), "version": version, "team-0-first_name": "Somebody"}
        assert client.post(url, changed).status_code == 422, version[:20]


def test_a_verbs_page_tells_of_changes_since_it_was_opened(cast: Cast, client: Client) -> None:
    """REF-21: what the page showed has changed: decide again, in full sight; a note beside it is no reason to."""
    referral = build.deal(cast)
    client.force_login(cast.users[build.CONTOSO])
    url, owner = reverse("act", args=[referral.public_id, "lose"]), cast.actor(build.CONTOSO)
    form = next(f for f in parse(client.get(url)).all("form", method="post") if "version" in f.fields())
    given = form.fields() | {"reason_code": "budget"}
    do.add_note(referral, text="Well?", actor=owner, now=build.NOW)
    do.edit_details(Referral.objects.get(pk=referral.pk), name="Renamed", actor=owner, now=build.NOW)
    refused = client.post(url, given)
    assert (refused.status_code, "Somebody changed this meanwhile" in refused.content.decode()) == (422, True)
    assert Referral.objects.get(pk=referral.pk).substatus == "Accepted"
    form = next(f for f in parse(refused).all("form", method="post") if "version" in f.fields())
    do.add_note(referral, text="Still there?", actor=owner, now=build.NOW)
    assert client.post(url, form.fields()).status_code == 302
    assert Referral.objects.get(pk=referral.pk).substatus == "Lost"
