"""What is done with many deals of the list at once (REF-20): the same verbs, a transaction and a result for each."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from portal.demo.cast import Cast
from portal.events.models import Event
from portal.pages.models import Upload
from portal.pages.services import uploads
from referrals.models import Favorite, Referral
from tests import build, do
from tests.edge import STRANGER, Live, parse
from tests.test_listing import OWNER, PRIVATE, VIEWER, see

URL = reverse("change_selected")


@pytest.fixture
def live(cast: Cast) -> Live:
    return Live(cast)


def _sent(live: Live, by: str, **fields: Any) -> Any:
    return live.browser(by).post(URL, {"list": "tab=outbound&exact=1", **fields})


def _worked_on(live: Live) -> Upload:
    upload = Upload.objects.latest("pk")
    uploads.work_on(upload.pk, now=live.now)
    return Upload.objects.get(pk=upload.pk)


def _stages() -> dict[str, int]:
    return dict(Referral.objects.filter(company__name="Contoso Yazılım").values_list("name", "stage"))


def test_ref_20_a_stage_for_many_with_a_result_for_each(live: Live) -> None:
    """What would be refused is said before anything is written; the others are carried out one by one."""
    actor = live.cast.actor(OWNER)
    deals = {name: live.deal(name=name, **PRIVATE) for name in ("Ovens", "Kilns", "Lost", "Late")}
    do.lose(deals["Lost"], actor=actor, now=live.now, reason_code="budget")
    foreign = live.received().engagement.referrals.exclude(company=live.cast.companies["contoso"]).get()
    rows = [str(deal.public_id) for deal in (*deals.values(), foreign)]
    answer = _sent(live, OWNER, do="stage", stage="40", row=[*rows, "nonsense"])
    upload = _worked_on(live)
    assert answer["Location"] == reverse("upload", args=[upload.public_id])
    assert set(_stages().values()) == {10}
    preview = parse(live.browser(OWNER).get(answer["Location"]))
    assert "Carry out 3 rows" in preview.text
    assert "1 row is refused and left out." in preview.text
    assert uploads.confirm(upload, together=False, now=live.now)
    do.set_stage(Referral.objects.get(name="Late"), actor=actor, now=live.now, stage=60)  # somebody is faster
    _worked_on(live)
    stages = {name: stage for name, stage in _stages().items() if name in deals}
    assert stages == {"Ovens": 40, "Kilns": 40, "Lost": 10, "Late": 60}
    results = dict(upload.rows.values_list("title", "result"))
    assert results == {"Ovens": "updated", "Kilns": "updated", "Lost": "refused", "Late": "stale"}
    moved = Event.objects.filter(verb="referral.stage_set", after__stage=40)
    assert {event.subject_id for event in moved} == {deals[name].pk for name in ("Ovens", "Kilns")}


def test_ref_20_a_member_for_all_that_match(live: Live) -> None:
    """Somebody known from the latest deals; who is there already stays once, and all means all of the search."""
    live.deal(name="Kilns", team=[build.member("zoe@contoso.example")], **PRIVATE)
    live.deal(name="Ovens", **PRIVATE)
    live.deal(name="Other", **PRIVATE)
    asked = "tab=outbound&q=ovens&exact=1"
    assert _sent(live, OWNER, do="member", member="nobody@contoso.example", all="1").status_code == 404
    _sent(live, OWNER, do="member", member="zoe@contoso.example", all="1", list=asked)
    uploads.confirm(_worked_on(live), together=False, now=live.now)
    _worked_on(live)
    teams = {d.name: {m.email for m in d.team.all()} for d in Referral.objects.filter(name__in=("Ovens", "Other"))}
    assert "zoe@contoso.example" in teams["Ovens"]
    assert "zoe@contoso.example" not in teams["Other"]


def test_ref_19_stars_for_many_at_once_and_only_on_what_one_sees(live: Live) -> None:
    mine = [str(live.deal(name=name, **PRIVATE).public_id) for name in ("Ovens", "Kilns")]
    answer = _sent(live, OWNER, do="star", row=mine)
    assert answer["Location"].startswith(reverse("deals") + "?tab=outbound")
    _sent(live, OWNER, do="star", row=mine)
    _sent(live, STRANGER, do="star", row=mine)
    assert Favorite.objects.count() == 2


def test_ref_20_nothing_happens_without_ticks_or_the_right_to(live: Live) -> None:
    """ORG-2: who may not change a deal is told so, row by row."""
    deal = live.deal(name="Ovens", **PRIVATE)
    row = str(deal.public_id)
    assert _sent(live, OWNER, do="stage", stage="40").status_code == 302
    assert Upload.objects.count() == 0
    for wrong in ({"do": "stage", "stage": "99"}, {"do": "nothing"}, {"do": "member", "member": ""}):
        assert _sent(live, OWNER, row=row, **wrong).status_code == 404
    _sent(live, VIEWER, do="stage", stage="40", row=row)
    upload = _worked_on(live)
    (refused,) = upload.rows.all()
    assert (refused.outcome, refused.problems[0]["code"]) == ("refused", "not_allowed")
    kinds = parse(live.browser(OWNER).get(reverse("uploads"))).one("form", enctype="multipart/form-data")
    assert "Selected deals" not in kinds.text
    assert see(live.browser(OWNER)).one("form", id="picked").attrs["method"] == "post"
