"""A company's own names of the sales stages (REF-16): which stage a word stands for, and the page that keeps them."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from portal.accounts.models import Company
from portal.catalog.models import AssessmentType
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.workflow.blockers import RuleViolation
from referrals import rules
from referrals.models import StageName
from referrals.rules import stage_names as stages
from referrals.services import stage_names
from tests import build, do
from tests.build import NOW
from tests.edge import Live, parse

ADMIN = "admin@contoso.example"
OWN = {"demo booked": 40, "ilk gorusme": 20}


@pytest.mark.parametrize(
    ("token", "stage"),
    [
        (10, 10), (20, 20), ("40", 40), ("60%", 60), ("60 %", 60), ("%80", 80), (" 80 ", 80),
        ("Qualify", 20), ("develop", 40), ("PROPOSE", 60), ("Close", 80),
        ("Demo Booked", 40), ("İLK GÖRÜŞME", 20), ("ilk görüşme", 20), ("demo  booked", 40),
        (100, None), ("100", None), (30, None), ("4 0", None), ("", None), ("%", None), ("Won", None), ("-20", None),
    ],
)  # fmt: skip
def test_ref_16_percentages_wire_names_and_the_company_s_own_are_understood(
    token: str | int, stage: int | None
) -> None:
    assert stages.stage_of(token, OWN) == stage


@given(st.text(max_size=20), st.sampled_from(stages.NAMED))
def test_ref_16_a_name_that_is_taken_means_its_stage_and_nothing_else(name: str, stage: int) -> None:
    """Whatever may be kept is understood, and no percentage or wire name changes its meaning by it."""
    if list(stages.name_blockers(name, stage, names=OWN)):
        return
    kept = {**OWN, stages.fold(name): stage}
    assert stages.stage_of(name, kept) == stage
    plain = [*rules.STAGE_NAMES, *map(str, stages.NAMED)]
    assert [stages.stage_of(p, kept) for p in plain] == [stages.stage_of(p, {}) for p in plain]


@pytest.mark.parametrize(
    ("name", "stage", "code"),
    [
        ("  ", 20, "name_required"),
        ("Demo", 10, "unknown_stage"),
        ("Demo", 100, "unknown_stage"),
        ("DEMO booked", 60, "name_taken"),
        ("20", 20, "name_is_number"),
        ("30 %", 20, "name_is_number"),
        ("close", 60, "name_reserved"),
    ],
)
def test_ref_16_a_name_stands_for_one_stage_only(name: str, stage: int, code: str) -> None:
    assert [b.code for b in stages.name_blockers(name, stage, names=OWN)] == [code]


def test_ref_16_a_company_keeps_its_names_and_no_other_company_s(cast: Cast) -> None:
    contoso, fabrikam = cast.companies["contoso"], cast.companies["fabrikam"]
    admin = cast.actor(ADMIN)
    demo = stage_names.add(company=contoso, name=" Demo booked ", stage=40, actor=admin, now=NOW)
    assert demo.name == "Demo booked"
    assert stage_names.stage_of(contoso, "DEMO BOOKED") == 40
    assert stage_names.stage_of(fabrikam, "Propose") == 60
    with pytest.raises(RuleViolation, match="unknown_stage"):
        stage_names.stage_of(fabrikam, "Demo booked")
    with pytest.raises(RuleViolation, match="name_taken"):
        stage_names.add(company=contoso, name="demo BOOKED", stage=60, actor=admin, now=NOW)
    for actor in (cast.actor(build.CONTOSO), cast.actor("manager@vendor.example")):
        with pytest.raises(PermissionDenied):
            stage_names.add(company=contoso, name="Other", stage=60, actor=actor, now=NOW)
        with pytest.raises(PermissionDenied):
            stage_names.remove(demo, actor=actor, now=NOW)
    assert [stage_names.remove(demo, actor=admin, now=NOW) for _twice in "12"] == [True, False]
    assert not StageName.objects.exists()
    about = Event.objects.filter(company=contoso, verb__startswith="stage_name.")
    kept = about.order_by("pk").values_list("verb", "after")
    said = {"name": "Demo booked", "stage": 40}
    assert list(kept) == [("stage_name.added", said), ("stage_name.removed", said)]


def test_ref_16_names_are_added_seen_on_deals_and_removed(cast: Cast) -> None:
    live = Live(cast)
    page, admin = reverse("stage_names"), live.browser(ADMIN)
    assert admin.post(page, {"name": "<b>Teklif</b>", "stage": "60"}).status_code == 302
    refused = admin.post(page, {"name": "close", "stage": "60"})
    assert refused.status_code == 422
    assert "own name for another stage" in refused.content.decode()
    shown = parse(admin.get(page)).one("section", id="stages").text
    assert "<b>Teklif</b>" in shown
    assert "“<b>Teklif</b>” stands for Proposed (60%)" in parse(admin.get(page)).one("section", id="history").text

    deal = live.accepted()
    owner: Client = live.browser(build.CONTOSO)
    form = parse(owner.get(reverse("act", args=[deal.public_id, "set-stage"])))
    assert "Proposed (60%) · <b>Teklif</b>" in form.text
    name = StageName.objects.get()
    stranger = Company.objects.get(name="Fabrikam GmbH").stage_names.create(name="Angebot", stage=60)
    assert admin.post(reverse("remove_stage_name", args=[stranger.pk])).status_code == 404
    assert admin.post(reverse("remove_stage_name", args=[name.pk])).status_code == 302
    assert list(StageName.objects.all()) == [stranger]
    assert "Teklif" not in parse(owner.get(reverse("act", args=[deal.public_id, "set-stage"]))).text


def test_ref_16_an_assessment_s_stages_are_its_own(cast: Cast) -> None:
    live = Live(cast)
    stage_names.add(company=cast.companies["contoso"], name="Teklif", stage=60, actor=cast.actor(ADMIN), now=live.now)
    assessment = AssessmentType.objects.get(code="security")
    deal = live.deal(solutions=[], assessment=assessment, assessment_location="Istanbul", help_code="Unknown")
    page = live.browser(build.CONTOSO).get(reverse("act", args=[deal.public_id, "set-stage"]))
    assert "Prepare assessment report" in page.content.decode()
    assert "Teklif" not in page.content.decode()


def test_ref_16_the_list_is_filtered_by_the_company_s_own_names(cast: Cast) -> None:
    """Its menu names them beside the standard ones; an address takes them like percentages and the wire's names."""
    live = Live(cast)
    stage_names.add(company=cast.companies["contoso"], name="Teklif", stage=60, actor=cast.actor(ADMIN), now=live.now)
    deal = live.accepted(name="Early one")
    do.set_stage(live.accepted(name="Proposed one"), stage=60, actor=cast.actor(build.CONTOSO), now=live.now)
    owner = live.browser(build.CONTOSO)

    def found(typed: str, client: Client = owner) -> list[bool]:
        page = parse(client.get(reverse("deals"), {"stage": typed})).one("table").text
        return ["Proposed one" in page, "Early one" in page]

    assert all(found(typed) == [True, False] for typed in ("60", "TEKLİF", "propose", "60 %"))
    assert found("teklif,10") == [True, True]
    assert "Proposed · Teklif" in parse(owner.get(reverse("deals"), {"menu": "stage"})).text
    assert "Teklif" not in parse(live.browser(build.SELLER).get(reverse("deals"))).text
    assert deal.stage == rules.FIRST_STAGE
