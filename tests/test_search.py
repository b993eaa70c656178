"""Search over deals (REF-20): what finds a copy, for whom, and what no typed text can do to it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.customers.models import Customer
from portal.demo.cast import MUNICH, Cast
from portal.policy import services as policies
from referrals import rules, sweeps, verbs
from referrals.models import Note, Referral
from referrals.selectors import search
from referrals.verbs import search_index
from tests import build, do
from tests.build import NOW

SECRET = "Zeppelin"


def found(cast: Cast, text: str, *, by: str = build.CONTOSO) -> set[str]:
    """The names of the deals this person finds."""
    actor = cast.actor(by)
    visible = Referral.objects.visible_to(actor).of_company(actor)
    return {r.name for r in visible.filter(search.matching(text, actor=actor))}


def test_a_deal_is_found_by_everything_that_tells_it(cast: Cast) -> None:
    """REF-20: name, id, CRM and campaign id, customer, notes, team; all words count, each by its beginning."""
    deal = build.deal(
        cast,
        name="Fırın kameraları 7",
        customer=cast.customers["isik"],
        crm_id="OPP-7731/b",
        campaign_id="spring_26",
        notes="Müşteri Cuma günü karar verecek. 🙂",
        team=[build.member("umut@contoso.example")],
    )
    other = [rules.Member("Otto", "Weiß", "+49 89 555", "otto@contoso.example")]
    build.deal(cast, name="Ovens", crm_id="OPP-9", help_code=rules.NO_HELP, team=other)
    finds = [
        "firin", "FIRIN KAM", "fırın 7", "kam fir", "İŞIK lojistik", "isik", "opp 7731", "OPP-7731/B", "spring_26",
        "musteri karar", "ozturk", "umut@contoso.example", str(deal.public_id),
        str(deal.public_id)[:30].upper(), deal.public_id.hex, "günü 🙂",
    ]  # fmt: skip
    assert {text: found(cast, text) for text in finds} == {text: {"Fırın kameraları 7"} for text in finds}
    misses = [
        "ırın",
        "firin 8",
        "lojistik ovens",
        "opp 7732",
        "umut@fabrikam.example",
        str(deal.engagement.public_id),
        str(deal.public_id)[9:],
    ]
    assert {text: found(cast, text) for text in misses} == {text: set() for text in misses}
    assert found(cast, "opp") == {"Fırın kameraları 7", "Ovens"}


def test_the_four_letters_i_are_one(cast: Cast) -> None:
    """REF-20: i, I, ı and İ find each other, as do the other Turkish letters and their plain ones."""
    build.deal(cast, name="IĞDIR ısı işletmesi")
    for text in ("igdir", "IĞDIR", "ığdır", "İĞDİR", "ISI İŞ", "isi is", "ısı ış", "İŞLETMESİ", "ISLETMESI"):
        assert found(cast, text) == {"IĞDIR ısı işletmesi"}, text


def test_search_starts_at_the_policys_letters(db: None) -> None:
    """REF-20: three of one word, or as many as the policy says; shorter words count beside a longer one."""
    asked = {
        "": False,
        "ab": False,
        "a b c d": False,
        "ı-": False,
        "abc": True,
        "ab abc": True,
        "🙂🙂🙂": False,
        "ß+s": False,
    }
    assert {text: search.is_long_enough(text) for text in asked} == asked
    now = timezone.now()
    policies.add_version(values={"search_min_letters": 2}, effective_from=None, note="Shorter", by=None, now=now)
    assert [search.is_long_enough(text) for text in ("a", "ab")] == [False, True]


def test_typed_text_never_becomes_query_syntax(cast: Cast) -> None:
    """REF-20: operators, quotes, brackets and weights of the query language only part words."""
    build.deal(cast, name="Ovens")
    build.deal(cast, name="Ovens with xylophone")
    for typed in ("x' | 'ovens", "ovens & !x", "ovens:*<->x)", "((((ovens x", "x \\ ovens", "ovens\0x", "ovens % x_"):
        assert sorted(search.tokens(typed)) == ["ovens", "x"], typed
        assert found(cast, typed) == {"Ovens with xylophone"}, typed


def test_endless_text_is_searched_and_found_by_its_beginning(cast: Cast) -> None:
    """REF-20: 10,000 characters typed, words longer than PostgreSQL takes, and more notes than it can hold."""
    deal = build.deal(cast, name="Ovens", notes="x" * 9_990)
    actor = cast.actor(build.CONTOSO)
    assert found(cast, "ovens " + "y" * 10_000) == set()
    assert found(cast, "x" * 10_000) == {"Ovens"}
    assert found(cast, "ovens " * 1_700) == {"Ovens"}
    assert found(cast, "🙂" * 150 + "ovens") == {"Ovens"}
    assert not search.is_long_enough("🙂" * 10_000)
    long = [" ".join(f"{'ç' * 30}{i:05}{j:05}" for j in range(240)) for i in range(60)]
    Note.objects.bulk_create(
        Note(engagement=deal.engagement, company=deal.company, shared=False, text=text, at=NOW) for text in long
    )
    do.add_note(deal, text="Newest of all", actor=actor, now=NOW)
    assert found(cast, "newest") == {"Ovens"}
    assert found(cast, f"{'c' * 30}0005900000") == {"Ovens"}
    assert found(cast, f"{'c' * 30}0000000000") == set()  # the oldest no longer fits


def test_words_of_many_deals_are_read_instead_of_looked_up(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """REF-20: another way to the same deals, taken where the planner expects many, or where the index found many."""
    build.deal(cast, name="Fırın kameraları 7", crm_id="OPP-1", notes="Cuma")
    build.deal(cast, name="Kamera fırını 17", help_code=rules.NO_HELP, vendor_may_view=True, crm_id="OPP-2")
    typed = ["fırın", "firin kam", "firin 7", "7 firin", "opp", "opp 2", "cuma", "anadolu 1", "rin", "ırın", "opp 3"]
    expected = [(found(cast, text), found(cast, text, by=build.SELLER)) for text in typed]
    assert expected[0] == ({"Fırın kameraları 7", "Kamera fırını 17"},) * 2
    assert expected[4] == ({"Fırın kameraları 7", "Kamera fırını 17"}, set())
    monkeypatch.setattr(search, "COMMON", 0)
    for likely in (True, False):
        monkeypatch.setattr(search, "_is_common", lambda _asked, likely=likely: likely)
        monkeypatch.setattr(search, "_looked_up", None if likely else search._looked_up)
        assert [(found(cast, text), found(cast, text, by=build.SELLER)) for text in typed] == expected
        monkeypatch.undo()
        monkeypatch.setattr(search, "COMMON", 0)
    assert search._is_common(search._read(["firin"], search.OWN))


def test_parts_of_names_are_found_with_and_without_their_index(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"Fırın kameraları 7", "O'Brien \\ & co", "ab", "🙂🙂🙂 kiosk"}
    for name in names:
        build.deal(cast, name=name)
    asked = ["ın k", "'Br", "\\ &", "ab", "a", "🙂🙂", "🙂 ki", "Kam", "%", "_ı_", "Fırın kameraları 7!"]
    expected = [{name for name in names if text in name} for text in asked]
    for likely in (True, False):
        monkeypatch.setattr(search, "_is_common", lambda _found, likely=likely: likely)
        for text, wanted in zip(asked, expected, strict=True):
            rows = Referral.objects.filter(search.name_contains(text), company=cast.companies["contoso"])
            assert {row.name for row in rows} == wanted, text


def test_shared_notes_find_every_copy_and_private_ones_their_own(cast: Cast) -> None:
    """REF-20, REF-23, REF-3: nobody finds out by searching what they may not read."""
    led = build.deal(
        cast, name="Led", help_code=rules.NO_HELP, vendor_may_view=True, crm_id="OPP-1", campaign_id="camp1"
    )
    asked = build.deal(cast, name="Asked")
    contoso, seller = cast.actor(build.CONTOSO), cast.actor(build.SELLER)
    for deal in (led, asked):
        do.add_note(deal, text=f"{SECRET} stays here", actor=contoso, now=NOW, shared=False)
        do.add_note(deal, text="Everybody reads this", actor=contoso, now=NOW)
    copy = build.vendor_copy(asked)
    do.add_note(copy, text="Propeller", actor=seller, now=NOW, shared=False)
    both = {"Led", "Asked"}
    assert [found(cast, text) for text in (SECRET, "everybody", "propeller", "opp-1", "camp1")] == [
        both, both, set(), {"Led"}, {"Led"}
    ]  # fmt: skip
    assert [found(cast, text, by=build.SELLER) for text in (SECRET, "everybody", "propeller", "opp-1", "camp1")] == [
        set(), both, {"Asked"}, set(), set()
    ]  # fmt: skip
    assert found(cast, "led anadolu", by=build.SELLER) == {"Led"}
    assert found(cast, "everybody", by="referrals@fabrikam.example") == set()


def test_the_text_follows_every_change(cast: Cast) -> None:
    """REF-20, REF-12, REF-21: accepted under another name, edited, another team, a partner invited later."""
    deal = build.deal(cast, name="Ovens", notes="Quotation until Friday", help_code=rules.NO_HELP)
    contoso, fabrikam = cast.actor(build.CONTOSO), cast.actor("referrals@fabrikam.example")
    invitation = verbs.Invitation(
        partner=cast.companies["fabrikam"],
        close_date=deal.close_date,
        value=deal.money,
        help_code="GeneralOrOther",
        team=[build.member()],
        solutions=[cast.solutions["twin"]],
    )
    copy = do.invite_partner(deal, invitation, actor=contoso, now=NOW)
    invited = "referrals@fabrikam.example"
    assert found(cast, "quotation", by=invited) == {"Ovens"}
    do.accept(
        copy,
        actor=fabrikam,
        now=NOW,
        name="Bakery twin",
        value=copy.money,
        close_date=copy.close_date,
        crm_id="FAB-5",
        team=[build.member("otto@fabrikam.example")],
        notes="We bring the sensors",
    )
    assert [found(cast, text, by=invited) for text in ("bakery fab-5 otto", "ovens", "sensors")] == [
        {"Bakery twin"}, set(), {"Bakery twin"}
    ]  # fmt: skip
    assert found(cast, "sensors") == {"Ovens"}
    assert found(cast, "bakery") == set()
    do.edit_details(deal, name="Kilns", actor=contoso, now=NOW)
    do.edit_team(deal, [build.member("zoe@contoso.example")], actor=contoso, now=NOW)
    assert [found(cast, text) for text in ("ovens", "kilns zoe", "user@contoso.example")] == [set(), {"Kilns"}, set()]


def test_renamed_customers_are_found_by_their_new_name(cast: Cast) -> None:
    """REF-20, JOB: the directory knows no deals; the sweep looks for what changed in it lately."""
    build.deal(cast, name="Ovens", customer=cast.customers["isar"])
    build.deal(cast, name="Kilns")
    Customer.objects.update(created_at=NOW - build.DAY, updated_at=NOW - build.DAY)
    Customer.objects.filter(name="Isar Pharma").update(name="Inn Pharma", search_text="inn pharma", updated_at=NOW)
    assert found(cast, "inn pharma") == set()
    assert sweeps.index_renamed_customers(now=NOW + build.DAY) == 0
    assert sweeps.index_renamed_customers(now=NOW + sweeps.RENAMED_WITHIN) == 2  # the vendor has a copy
    assert (found(cast, "inn pharma"), found(cast, "isar")) == ({"Ovens"}, set())


def test_many_copies_are_indexed_by_as_many_statements_as_one(cast: Cast) -> None:
    """REF-20: and a text that is as it should be is not written again."""
    sender, munich = "referrals@fabrikam.example", cast.locations[MUNICH]
    deals = [build.deal(cast, name=f"Deal {n}", location=munich, by=sender) for n in range(4)]
    Referral.objects.update(search_text="")
    counts = []
    for chosen in (deals[:1], deals):
        with CaptureQueriesContext(connection) as queries:
            search_index.index(chosen)
        counts.append(sum("SAVEPOINT" not in query["sql"] for query in queries))
    assert counts == [6, 6]
    assert found(cast, "deal 3", by=sender) == {"Deal 3"}
    assert Referral.objects.get(pk=deals[0].pk).search_text.startswith(" sdeal s0 s")
