"""A closed deal keeps what it closed with, whatever the others do to the engagement (REF-11)."""

from __future__ import annotations

import importlib
import pkgutil
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from dealreg.models import Registration
from dealreg.selectors.registration import eligibility_of
from portal.catalog.models import AssessmentType
from portal.demo.cast import Cast
from portal.events.services import seen_by_vendor
from portal.pages.deals.filters import FILTERS
from portal.policy.rules import Policy
from portal.ui.listing import filters
from portal.workflow.blockers import Money, RuleViolation
from referrals import migrations, rules, sweeps, verbs
from referrals.models import Engagement, Referral
from tests import build, do
from tests.build import DAY, NOW
from tests.edge import Live, parse

FABRIKAM = "referrals@fabrikam.example"
PRIVATE = {"help_code": rules.NO_HELP, "vendor_may_view": False}
LED = {"help_code": rules.NO_HELP, "vendor_may_view": True}


def invite(cast: Cast, own: Referral, *, at: Any = NOW, partner: str = "fabrikam") -> Referral:
    given = verbs.Invitation(
        partner=cast.companies[partner],
        close_date=own.close_date,
        value=Money(Decimal(40_000), "EUR"),
        help_code=build.HELP,
        team=[build.member()],
        solutions=[cast.solutions["factory"]],
    )
    return do.invite_partner(own, given, actor=cast.actor(build.CONTOSO), now=at)


def accepted(cast: Cast, copy: Referral, *, at: Any = NOW) -> Referral:
    return build.accept(cast, copy, at=at, by=FABRIKAM)


def ask_for_help(cast: Cast, own: Referral, *, at: Any = NOW) -> Referral:
    contact = build.deal_input(cast).contact
    asked = {"help_code": build.HELP, "contact": contact, "notes": "Please join us"}
    return do.request_help(own, **asked, actor=cast.actor(build.CONTOSO), now=at)


def again(referral: Referral) -> Referral:
    return Referral.objects.with_context().get(pk=referral.pk)


def sharing_of(referral: Referral) -> tuple[Any, ...]:
    kept = again(referral)
    return kept.deal_type, kept.help_code, kept.vendor_may_view, kept.vendor_invited_at


def test_ref_11_a_later_help_request_does_not_touch_another_companys_won_deal(cast: Cast) -> None:
    """ELIG-2, ELIG-7, REG-7: the won deal stays partner-led and eligible, and so does its registration."""
    own = build.deal(cast, at=NOW - 9 * DAY, **LED)
    copy = accepted(cast, invite(cast, own, at=NOW - 8 * DAY), at=NOW - 7 * DAY)
    won = do.win(copy, actor=cast.actor(FABRIKAM), now=NOW - DAY)
    before = sharing_of(won)
    assert eligibility_of(again(won), Policy()).eligible
    ask_for_help(cast, own)
    assert sharing_of(won) == before == (rules.PARTNER_LED, rules.NO_HELP, True, NOW - 9 * DAY)
    assert eligibility_of(again(won), Policy()).eligible
    assert Registration.objects.filter(referral=won).exists()
    assert sharing_of(own) == (rules.CO_SELL, build.HELP, True, NOW - 9 * DAY)


@pytest.mark.parametrize("ending", ["win", "lose", "error", "decline", "expire"])
def test_ref_11_every_ending_keeps_what_the_deal_closed_with(cast: Cast, ending: str) -> None:
    own = build.deal(cast, at=NOW - 20 * DAY, **PRIVATE)
    copy, partner = invite(cast, own, at=NOW - 20 * DAY), cast.actor(FABRIKAM)
    open_copy = invite_northwind(cast, own)
    if ending == "expire":
        assert sweeps.expire_due(now=NOW - 5 * DAY) == 1
    elif ending == "decline":
        do.decline(copy, actor=partner, now=NOW - 19 * DAY, reason_code="budget")
    elif ending == "win":
        do.win(accepted(cast, copy, at=NOW - 19 * DAY), actor=partner, now=NOW - DAY)
    elif ending == "lose":
        do.lose(accepted(cast, copy, at=NOW - 19 * DAY), actor=partner, now=NOW - DAY, reason_code="budget")
    else:
        do.close_as_error(copy, actor=partner, now=NOW - 19 * DAY, reason_code="test")
    ask_for_help(cast, own)
    assert again(copy).is_closed
    assert sharing_of(copy) == (rules.PRIVATE, rules.NO_HELP, False, None)
    # A copy that is open goes on with the engagement.
    assert sharing_of(open_copy) == (rules.CO_SELL, build.HELP, True, NOW)


def invite_northwind(cast: Cast, own: Referral) -> Referral:
    """Received just now, so that it stays open."""
    build.northwind_ready(cast)
    return invite(cast, own, at=NOW - DAY, partner="northwind")


def test_ref_11_ref_3_the_vendor_sees_nothing_of_a_deal_that_was_closed_in_private(live: Live) -> None:
    """Neither page, list, other copies' pages, search nor events; and the deal's own company is told nothing new."""
    cast, seller = live.cast, live.cast.actor(build.SELLER)
    own = build.deal(cast, at=live.ago(20), close_date=live.day(30), **PRIVATE)
    copy = accepted(cast, invite(cast, own, at=live.ago(20)), at=live.ago(19))
    do.add_note(copy, text="Zeppelin hangar", actor=cast.actor(FABRIKAM), now=live.ago(18))
    do.win(copy, actor=cast.actor(FABRIKAM), now=live.ago(1))
    ask_for_help(cast, own, at=live.now)
    assert set(Referral.objects.visible_to(seller)) == {own, build.vendor_copy(own)}
    browser = live.browser(build.SELLER)
    assert browser.get(reverse("deal", args=[copy.public_id])).status_code == 404
    for seen in (own, build.vendor_copy(own)):
        shown = browser.get(reverse("deal", args=[seen.public_id])).content.decode()
        assert "Fabrikam" not in shown
        assert "Zeppelin" not in shown
    assert "Plant" not in browser.get(reverse("search"), {"q": "zeppelin"}).content.decode()
    assert not seen_by_vendor().filter(company=copy.company, group=own.engagement.public_id).exists()
    assert seen_by_vendor().filter(company=own.company, group=own.engagement.public_id).exists()
    theirs = parse(live.browser(FABRIKAM).get(reverse("deal", args=[copy.public_id])))
    assert "Private deal" in theirs.one("main").text
    assert "sees nothing of this deal" in theirs.one("section", id="vendor").text
    assert "deniz@customer.example" not in theirs.one("main").text


def test_ref_11_lists_and_filters_read_the_deals_own_type(cast: Cast) -> None:
    own = build.deal(cast, at=NOW - 9 * DAY, **LED)
    copy = accepted(cast, invite(cast, own, at=NOW - 8 * DAY), at=NOW - 7 * DAY)
    do.lose(copy, actor=cast.actor(FABRIKAM), now=NOW - DAY, reason_code="budget")
    ask_for_help(cast, own)
    partner, seller = cast.actor(FABRIKAM), cast.actor(build.SELLER)

    def found(kind: str) -> set[Referral]:
        return set(Referral.objects.filter(filters.q(FILTERS, partner, {"type": kind})))

    assert found(rules.PARTNER_LED) == {copy}
    assert found(rules.CO_SELL) == {own, build.vendor_copy(own)}
    assert set(Referral.objects.visible_to(seller).of_company(seller)) == {copy, build.vendor_copy(own)}


def test_ref_11_a_copy_that_closed_before_partners_came_stays_without_the_flag(cast: Cast) -> None:
    """REF-1: the vendor's copy expired before the inviter asked a partner."""
    own = build.deal(cast, at=NOW - 20 * DAY)
    vendors = build.vendor_copy(own)
    sweeps.expire_due(now=NOW - 5 * DAY)
    copy = invite(cast, own)
    assert [again(deal).p2p for deal in (own, vendors, copy)] == [True, False, True]


def test_ref_11_copies_that_were_there_before_get_how_their_engagement_is_shared(cast: Cast) -> None:
    """REF-1, REF-5, REG-7: what the migration fills in, from the engagements and the events."""
    led = build.deal(cast, at=NOW - 9 * DAY, **LED)
    shared = do.share_with_vendor(
        build.deal(cast, at=NOW - 9 * DAY, **PRIVATE), actor=cast.actor(build.CONTOSO), now=NOW - 3 * DAY
    )
    invite(cast, ask_for_help(cast, shared))
    private = build.deal(cast, at=NOW - 9 * DAY, **PRIVATE)
    columns = ("pk", "help_code", "vendor_may_view", "vendor_invited_at", "p2p", "invite_help", "invite_notes")
    before = list(Referral.objects.order_by("pk").values_list(*columns))
    assert [row[0] for row in before[:2]] == [led.pk, shared.pk]
    assert before[-1] == (private.pk, rules.NO_HELP, False, None, False, rules.NO_HELP, "")
    Engagement.objects.filter(help_code=rules.NO_HELP).update(vendor_invited_at=None)
    Engagement.objects.filter(help_code=build.HELP).update(vendor_invited_at=NOW)  # as it was: when help was asked for
    Engagement.objects.update(p2p=False)
    nothing = {"help_code": rules.NO_HELP, "vendor_may_view": False, "vendor_invited_at": None, "p2p": False}
    Referral.objects.update(**nothing)
    Referral.objects.filter(company=cast.companies["vendor"]).update(invite_help=rules.NO_HELP, invite_notes="")
    name = next(m.name for m in pkgutil.iter_modules(migrations.__path__) if m.name.endswith("_own_sharing"))
    migration = importlib.import_module(f"referrals.migrations.{name}")
    with connection.cursor() as cursor:
        for filled in (migration.INVITED, migration.PARTNERS, migration.COPIES, migration.ASKED):
            cursor.execute(filled)
    assert list(Referral.objects.order_by("pk").values_list(*columns)) == before


@pytest.mark.parametrize("ending", ["lose", "decline"])
def test_ref_11_ref_23_the_thread_of_a_closed_copy_ends_with_it(live: Live, ending: str) -> None:
    """What the inviter shares afterwards is neither read, counted nor found there; one's own private notes go on."""
    cast, partner = live.cast, live.cast.actor(FABRIKAM)
    own = build.deal(cast, at=live.ago(9), close_date=live.day(30), **PRIVATE)
    copy = invite(cast, own, at=live.ago(8))
    do.add_note(own, text="Aardvark before", actor=cast.actor(build.CONTOSO), now=live.ago(7))
    if ending == "lose":
        copy = accepted(cast, copy, at=live.ago(6))
    closed = getattr(do, ending)(copy, actor=partner, now=live.ago(5), reason_code="budget")
    do.add_note(own, text="Zeppelin after", actor=cast.actor(build.CONTOSO), now=live.ago(4))
    do.add_note(again(closed), text="Mongoose of ours", shared=False, actor=partner, now=live.ago(3))
    page = parse(live.browser(FABRIKAM).get(reverse("deal", args=[copy.public_id])))
    notes = page.one("section", id="notes").text
    assert ["Aardvark" in notes, "Zeppelin" in notes, "Mongoose" in notes] == [True, False, True]
    assert len(page.one("section", id="timeline").all("li", class_="is-note")) == 2
    assert [word in again(closed).search_text for word in ("aardvark", "zeppelin", "mongoose")] == [True, False, True]
    inviter = parse(live.browser(build.CONTOSO).get(reverse("deal", args=[own.public_id])))
    assert "Zeppelin after" in inviter.one("section", id="notes").text


def test_ref_8_nobody_is_invited_to_a_solution_assessment(live: Live) -> None:
    """An invitation brings solutions, and an assessment stands alone: not in the service, nor as a button."""
    kind = {"assessment": AssessmentType.objects.get(code="security"), "assessment_location": "Ankara"}
    own = build.deal(live.cast, at=live.ago(9), close_date=live.day(30), **kind, **{**PRIVATE, "solutions": []})
    with pytest.raises(RuleViolation) as refused:
        invite(live.cast, own, at=live.now)
    assert [blocker.code for blocker in refused.value.blockers] == ["assessment_alone"]
    page = live.browser(build.CONTOSO).get(reverse("deal", args=[own.public_id])).content.decode()
    assert "partners can&#x27;t be invited to it" in page


def test_ref_11_ref_23_sharing_counts_the_notes_that_the_vendor_will_read(live: Live) -> None:
    """Not those of a copy that closed in private, and what was counted is what the vendor reads then."""
    cast = live.cast
    own = build.deal(cast, at=live.ago(9), close_date=live.day(30), **PRIVATE)
    copy = accepted(cast, invite(cast, own, at=live.ago(8)), at=live.ago(7))
    do.add_note(copy, text="Zeppelin", actor=cast.actor(FABRIKAM), now=live.ago(6))
    do.lose(copy, actor=cast.actor(FABRIKAM), now=live.ago(5), reason_code="budget")
    do.add_note(own, text="Aardvark", actor=cast.actor(build.CONTOSO), now=live.ago(4))
    url = reverse("act", args=[own.public_id, "share-with-vendor"])
    assert live.browser(build.CONTOSO).get(url).context["opened_notes"] == 1
    do.share_with_vendor(own, actor=cast.actor(build.CONTOSO), now=live.now)
    shown = parse(live.browser(build.SELLER).get(reverse("deal", args=[own.public_id]))).one("section", id="notes").text
    assert ["Aardvark" in shown, "Zeppelin" in shown] == [True, False]
