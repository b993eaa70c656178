"""What the deal's page says is so: stages really passed, what an event changed, how the partner's sale ended."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from portal.demo.cast import Cast
from portal.pages.home import context as home
from referrals.models import Referral
from tests import build, do
from tests.edge import Element, Live, parse

VIEWER = "viewer@contoso.example"
#: Contoso's people live by it.
ISTANBUL = ZoneInfo("Europe/Istanbul")


@pytest.fixture
def live(cast: Cast) -> Live:
    return Live(cast)


def shown(live: Live, referral: Referral, by: str = build.CONTOSO) -> Element:
    return parse(live.browser(by).get(reverse("deal", args=[referral.public_id])))


def steps(page: Element) -> list[tuple[str, str, str]]:
    """Each stage as its look, its name, and what stands below it."""
    found = page.one("section", aria_labelledby="life-stages").all("li")
    texts = [[li.one("span", class_=f"o-life__{part}").text for part in ("name", "meta")] for li in found]
    return [(li.attrs["class"].removeprefix("is-"), *words) for li, words in zip(found, texts, strict=True)]


def day(live: Live, days: float) -> str:
    moment = live.ago(days).astimezone(ISTANBUL)
    return f"{moment.day} {moment:%b %Y}"


def short(live: Live, days: float) -> str:
    """Without the year, where it is this one."""
    moment = live.ago(days).astimezone(ISTANBUL)
    return f"{moment.day} {moment:%b}" if moment.year == live.now.year else day(live, days)


def test_ref_14_the_lifecycle_ticks_only_stages_that_were_passed(live: Live) -> None:
    """One that was jumped over is skipped, and so is one from which the sale was put back; the rest has its day."""
    owner, deal = live.cast.actor(build.CONTOSO), live.accepted(days=10)
    for days, stage in ((9, 20), (7, 60), (6, 40), (4, 80)):
        deal = do.set_stage(deal, stage=stage, actor=owner, now=live.ago(days))
    passed = [
        ("done", "Created", day(live, 10)),
        ("done", "Qualified", day(live, 9)),
        ("done", "Developed", day(live, 6)),
        ("skip", "Proposed", "skipped"),
    ]
    page = shown(live, deal)
    assert steps(page)[:4] == passed
    assert steps(page)[4] == ("now", "Negotiated", f"since {short(live, 4)}")
    assert steps(page)[5][1:] == ("Won", f"expected {_short(live, 30)}")
    looks = [step[:2] for step in steps(page)]
    assert [step[:2] for step in steps(shown(live, deal, by=build.SELLER))] == looks
    won = steps(shown(live, do.win(deal, actor=owner, now=live.ago(1))))
    assert won == [*passed, ("done", "Negotiated", day(live, 4)), ("won", "Won", day(live, 1))]
    lost = do.lose(live.accepted(), actor=owner, now=live.now, reason_code="budget")
    assert [look for look, *_words in steps(shown(live, lost))] == [
        "done",
        "never",
        "never",
        "never",
        "never",
        "failed",
    ]


def test_events_say_what_changed_and_only_to_ones_own_company(live: Live) -> None:
    """Old and new, in the currency that held then; what others make of the deal is theirs (REF-3, REF-9)."""
    owner, deal = live.cast.actor(build.CONTOSO), live.accepted(days=10)
    do.edit_details(deal, actor=owner, now=live.ago(5), value=Decimal(52_000), close_date=live.day(40))
    do.edit_details(deal, actor=owner, now=live.ago(4), currency="USD", crm_id="OPP-1")
    do.edit_team(deal, [build.member()], actor=owner, now=live.ago(3))
    do.set_stage(deal, stage=60, actor=owner, now=live.ago(2))
    told = [line.text for line in shown(live, deal).one("section", id="timeline").all(class_="o-time__change")]
    assert "Currency EUR → USD" in told
    assert "CRM id OPP-1" in told
    assert "Value 40,000 → 52,000" in told  # before the currency changed: the event names none
    assert f"Estimated close {_written(live, 30)} → {_written(live, 40)}" in told
    stage = "Contoso Yazılım moved the sales stage: Created / accepted (10%) → Proposed (60%)"
    assert stage in shown(live, deal).text
    for stranger in (shown(live, deal, by=build.SELLER), shown(live, build.vendor_copy(deal), by=build.SELLER)):
        assert stage in stranger.text
        assert stranger.all(class_="o-time__change") == []
    other = live.accepted(days=10)
    do.edit_details(other, actor=owner, now=live.ago(5), value=Decimal(52_000))
    assert "Value 40,000 EUR → 52,000 EUR" in shown(live, other).text


def _short(live: Live, days: int) -> str:
    """A day without the year, where it is this one."""
    return _written(live, days).removesuffix(f" {live.now.year}")


def _written(live: Live, days: int) -> str:
    return f"{live.day(days).day} {live.day(days):%b %Y}"


def test_the_vendor_sees_how_the_partners_sale_goes_and_ends(live: Live) -> None:
    """Its pipeline holds what the partner still sells, by the partner's stage; home and the deal tell the outcome."""
    owner, seller = live.cast.actor(build.CONTOSO), live.cast.actor(build.SELLER)
    deals = [live.accepted(), live.accepted(), live.accepted()]
    copy = build.vendor_copy(deals[0])

    def pipeline() -> dict[int, int]:
        stages = home.context(seller, now=live.now)["pipeline"]["stages"]
        return {stage["percent"]: stage["deals"] for stage in stages if stage["deals"]}

    assert pipeline() == {10: 3}
    do.set_stage(deals[0], stage=60, actor=owner, now=live.ago(5))
    assert pipeline() == {10: 2, 60: 1}
    open_ = shown(live, copy, by=build.SELLER)
    assert "Sales stage at Contoso Yazılım" in open_.text
    assert steps(open_)[3][0] == "now"
    do.win(deals[0], actor=owner, now=live.ago(3))
    do.lose(deals[1], actor=owner, now=live.ago(1), reason_code="budget")
    assert pipeline() == {10: 1}
    assert "Won by Contoso Yazılım 3 days ago" in shown(live, copy, by=build.SELLER).text
    assert steps(shown(live, copy, by=build.SELLER))[-1][:2] == ("won", "Won")
    ended = build.vendor_copy(deals[1])
    assert "Lost by Contoso Yazılım 24 hours ago" in shown(live, ended, by=build.SELLER).text
    events = parse(live.browser(build.SELLER).get("/")).one("section", id="events").text
    assert events.index("Contoso Yazılım lost the deal") < events.index("Contoso Yazılım won the deal")


def test_words_fit_the_state(live: Live) -> None:
    """No estimate on what is over, no warning where nothing is to do, and nothing final said of what goes on."""
    review = live.in_review().referral
    lost = do.lose(live.accepted(), actor=live.cast.actor(build.CONTOSO), now=live.now, reason_code="budget")
    page = shown(live, review)
    for closed in (page, shown(live, lost)):
        assert "Estimated close" not in closed.one("main").text.replace("Estimated close date", "")
    assert "closed deals can't be changed" not in page.text.lower()
    assert "Closed deals can't be changed any more." not in shown(live, review, by=VIEWER).text
    assert "Closed deals can't be changed any more." in shown(live, lost, by=VIEWER).text
    assert page.one("div", class_="o-banner").attrs["class"].split() == ["o-banner", "o-banner--info"]
    address = reverse("registration", args=[lost.public_id])
    assert "before the deal is won" not in parse(live.browser(build.CONTOSO).get(address)).text
