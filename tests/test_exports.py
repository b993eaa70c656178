"""Files of the list (REF-20): what they hold, for whom, how far they are, and that each is made once."""

from __future__ import annotations

import csv
import io
import re
import uuid
import zipfile
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.accounts import services as people
from portal.accounts.models import Membership, RoleGrant, User
from portal.accounts.rules import Actor, Grant
from portal.demo.cast import ANKARA, Cast
from portal.events.models import Event
from portal.notify.models import Notice
from portal.pages import tasks
from portal.pages.deals.fields import FIELDS
from portal.pages.models import Export
from portal.pages.services import exports as services
from portal.tables import csv_file
from referrals import rules
from referrals.services import creation
from tests import build
from tests.build import NOW
from tests.edge import STRANGER, Element, Live, parse
from tests.factories import add_member

OWNER, VIEWER = build.CONTOSO, "viewer@contoso.example"
PRIVATE = {"help_code": rules.NO_HELP, "vendor_may_view": False}
LED = {"help_code": rules.NO_HELP, "vendor_may_view": True}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the worker was asked for."""
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr("portal.pages.services.exports.send_soon", lambda name, **kwargs: asked.append(kwargs))
    return asked


def made(cast: Cast, address: str = "", *, kind: str = "csv", by: str = OWNER, chosen: Any = ()) -> Export:
    """An export as it is after the worker was there."""
    export = services.request_export(address, kind=kind, chosen=chosen, actor=cast.actor(by), now=NOW)
    assert services.make_export(export.pk, now=NOW)
    return Export.objects.with_state().get(pk=export.pk)


def lines(export: Export) -> list[dict[str, str]]:
    content = bytes(Export.objects.get(pk=export.pk).content or b"")
    assert content.startswith(b"\xef\xbb\xbf")  # by it spreadsheets know UTF-8
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def names(export: Export) -> list[str]:
    return [line["Deal name"] for line in lines(export)]


# What is in it


def test_the_file_holds_what_is_filtered_in_its_order(cast: Cast) -> None:
    """REF-20: all pages of it, with search, filters, tab and order; or only the deals ticked in it."""
    for n in range(30):
        build.deal(cast, name=f"Deal {n:02}", at=NOW - timedelta(days=n + 1), **LED)
    other = build.deal(cast, name="Other", **PRIVATE)
    assert names(made(cast, "tab=outbound&type=partner_led&sort=-name&size=25")) == [
        f"Deal {n:02}" for n in range(29, -1, -1)
    ]
    assert names(made(cast, "q=other")) == ["Other"]
    assert names(made(cast, "tab=inbound")) == []
    assert names(made(cast, "tab=favorites")) == []
    ticked = [other.public_id, *creation.Referral.objects.filter(name="Deal 07").values_list("public_id", flat=True)]
    assert names(made(cast, "sort=name", chosen=ticked)) == ["Deal 07", "Other"]
    # Ticked in another tab, or found by another search than the one that is shown last.
    assert names(made(cast, "tab=inbound&type=partner_led&q=deal", chosen=ticked)) == ["Deal 07", "Other"]


def test_csv_says_everything_of_a_deal(cast: Cast) -> None:
    """REF-20: amounts and days as programs read them; instants in UTC."""
    deal = build.won(cast, name='Fırın, "7"\nişi', crm_id="OPP-1", campaign_id="spring", at=NOW - timedelta(days=1))
    line = lines(made(cast))[0]
    assert line == line | {
        "Deal id": str(deal.public_id),
        "Deal name": 'Fırın, "7"\nişi',
        "Direction": "Outbound",
        "From": "",
        "Customer": "Anadolu Cam Sanayi",
        "City": "Istanbul",
        "Country": "TR",
        "D-U-N-S": "510000011",
        "Status": "Won",
        "Stage (%)": "100",
        "Deal type": "Co-sell",
        "Help wanted": "Proof of concept / demo",
        "Status at Microsoft": "Accepted",
        "Value": "40000.00",
        "Currency": "EUR",
        "Value in USD": "44000.00",
        "Close date": deal.close_date.isoformat(),
        "Created (UTC)": "2026-11-08 12:00",
        "Closed (UTC)": "2026-11-17 12:00",
        "Registration": "Registration (Pending)",
        "Filed (UTC)": "",
        "Annual contract value": "",
        "Solutions": "Contoso Factory Insights (SOL-10001-CTS)",
        "Team": "Umut Öztürk <user@contoso.example>",
        "Location": "Istanbul (4301001)",
        "CRM id": "OPP-1",
        "Marketing campaign id": "spring",
    }
    assert len(line) == len(FIELDS)


#: What people typed, and as it stands in a CSV file.
TYPED = {
    "=1+1": "'=1+1", "@SUM(A1)": "'@SUM(A1)", '=HYPERLINK("x")': "'=HYPERLINK(\"x\")", " =1": " '=1", "\t=x": "\t'=x",
    "+1+1": "'+1+1", "-1+cmd|x": "'-1+cmd|x", "\uff1d1+1": "'\uff1d1+1", "A;=1+1": "A;'=1+1", "A; @x": "A; '@x",
    'A;"=1+1"': 'A;"\'=1+1"', "A\n=1": "A\n'=1", "A\t+B": "A\t'+B", "A;-1+B;=2": "A;'-1+B;'=2", "\r=1": "\r'=1",
    "A\r\n=1": "A\r\n'=1",
    # and what stays as it is
    "+49 30 (1) 2-3/4": "+49 30 (1) 2-3/4", "-5": "-5", "-1.000,50": "-1.000,50", "A;-5;B": "A;-5;B",
    "a=b; c-d": "a=b; c-d",
    "https://a.example": "https://a.example", "plain": "plain", "'=1": "'=1", "Acme, -x": "Acme, -x", "1+1": "1+1",
}  # fmt: skip


def test_what_people_typed_is_never_a_formula(cast: Cast) -> None:
    """REF-20: in CSV an apostrophe goes before whatever could begin one, also where a spreadsheet splits at semicolons;
    in Excel texts are texts."""
    for typed in TYPED:
        deal = build.deal(cast, name="x", **LED)
        creation.Referral.objects.filter(pk=deal.pk).update(crm_id=typed)
    assert sorted(line["CRM id"] for line in lines(made(cast))) == sorted(TYPED.values())
    sheet, texts = excel(made(cast, kind="xlsx"))
    assert {typed.replace("\r", "_x000D_") for typed in TYPED} <= {text.replace("\r", "_x000D_") for text in texts}
    assert sheet.findall(".//{*}f") == sheet.findall(".//{*}hyperlink") == []


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_separator_makes_a_formula_of_a_cell(separator: str) -> None:
    """REF-20: also read by a program that splits where we don't, and minds no quotes."""
    content = csv_file(["=head;=1"], [[typed, "x"] for typed in TYPED]).decode("utf-8-sig")
    assert all(cell.startswith('"') for cell in content.split("\r\n")[0].split(","))
    cells = [cell for line in csv.reader(io.StringIO(content, newline=""), delimiter=separator) for cell in line]
    if separator != ",":
        cells += [cell for line in content.splitlines() for cell in line.split(separator)]
    formulas = [cell for cell in cells if re.match(r"[\s\"]*[=@+\uff1d-]", cell)]
    assert [cell for cell in formulas if not re.fullmatch(r"[\s\"]*[+-][\d ().,/-]+[\",x\r\n]*", cell)] == []


def excel(export: Export) -> tuple[ElementTree.Element, list[str]]:
    """The sheet, and every text in it."""
    with zipfile.ZipFile(io.BytesIO(bytes(Export.objects.get(pk=export.pk).content or b""))) as book:
        sheet, strings = (
            ElementTree.fromstring(book.read(f"xl/{part}.xml"))  # noqa: S314  our own file
            for part in ("worksheets/sheet1", "sharedStrings")
        )
    return sheet, ["".join(t.text or "" for t in item.findall(".//{*}t")) for item in strings.findall("{*}si")]


def test_excel_gets_numbers_and_days(cast: Cast) -> None:
    """REF-20: what can be summed up and sorted is no text."""
    build.deal(cast, name="Fırın 🙂")
    sheet, texts = excel(made(cast, kind="xlsx"))
    cells = {c.attrib["r"]: c for c in sheet.findall(".//{*}c")}
    heads = [texts[int(cells[f"{column(n)}1"].findtext("{*}v") or "")] for n in range(len(FIELDS))]
    at = {head: cells.get(f"{column(n)}2") for n, head in enumerate(heads)}
    assert (heads[0], heads[1], heads[-1]) == ("Deal name", "Customer", "Deal id")
    assert "Fırın 🙂" in texts
    numbers = {head: (at[head].get("t"), float(at[head].findtext("{*}v"))) for head in ("Value", "Value in USD")}
    assert numbers == {"Value": (None, 40_000), "Value in USD": (None, 44_000)}
    day = (NOW + timedelta(days=30)).date().toordinal() - 693_594  # Excel counts from 1899-12-30
    assert float(at["Close date"].findtext("{*}v")) == day
    assert float(at["Created (UTC)"].findtext("{*}v")) == (NOW - timedelta(days=10)).date().toordinal() - 693_594 + 0.5
    assert at["Reason"] is None


def column(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else "A" + chr(ord("A") + number - 26)


def test_the_file_speaks_the_persons_language_and_zone(cast: Cast) -> None:
    """REF-20: also the days that its filters mean."""
    deal = build.deal(cast, name="Ovens", location=cast.locations[ANKARA])
    creation.Referral.objects.filter(pk=deal.pk).update(created_at=NOW.replace(day=9, hour=21, minute=30))
    export = made(cast, "created_from=2026-11-10", by="ankara@contoso.example")
    content = bytes(Export.objects.get(pk=export.pk).content or b"").decode("utf-8-sig")
    assert export.language == "tr"
    assert "Ovens" in content  # half past midnight of the 10th in Istanbul
    assert made(cast, "created_to=2026-11-09", by="ankara@contoso.example").done == 0


def test_a_zone_that_means_nothing_is_utc(cast: Cast) -> None:
    """REF-20: names of zones are given up now and then; pages and mails go on, and so does the file."""
    build.deal(cast, name="Ovens")
    User.objects.filter(email=OWNER).update(time_zone="Moon/Tranquility")
    assert names(made(cast)) == ["Ovens"]


# For whom


def test_what_one_may_see_counts_when_the_file_is_made(cast: Cast) -> None:
    """REF-20, ORG-2: not when it was asked for; without any access there is no file."""
    build.deal(cast, name="Istanbul")
    build.deal(cast, name="Ankara", location=cast.locations[ANKARA])
    actor = cast.actor(OWNER)
    first, second, third = (
        services.request_export(address, kind="csv", actor=actor, now=NOW)
        for address in ("", "sort=name", "sort=-name")
    )
    RoleGrant.objects.filter(membership__user=cast.users[OWNER]).update(location=cast.locations[ANKARA])
    services.make_export(first.pk, now=NOW)
    assert names(first) == ["Ankara"]
    RoleGrant.objects.filter(membership__user=cast.users[OWNER]).delete()
    services.make_export(second.pk, now=NOW)
    assert names(second) == []
    Membership.objects.filter(user=cast.users[OWNER]).update(is_active=False)
    services.make_export(third.pk, now=NOW)
    refused = Export.objects.with_state().get(pk=third.pk)
    assert (refused.error, refused.is_ready, refused.finished_at) == (services.NO_ACCESS, False, NOW)


def test_a_file_made_with_other_roles_is_withdrawn(cast: Cast) -> None:
    """ORG-2, REF-20: whoever may see less from now on doesn't download it; a colleague's stays."""
    build.deal(cast, name="Istanbul")
    mine, colleagues = made(cast), made(cast, by=VIEWER)
    owner = signed_in(cast, OWNER)
    assert owner.get(reverse("download_export", args=[mine.public_id])).status_code == 200
    membership = Membership.objects.get(user=cast.users[OWNER])
    only = [Grant("viewer", cast.locations[ANKARA].pk)]
    people.change_roles(membership, only, actor=cast.actor("admin@contoso.example"), now=NOW)
    page = reverse("export", args=[mine.public_id])
    assert owner.get(reverse("download_export", args=[mine.public_id])).headers["Location"] == page
    assert parse(owner.get(page)).all("a", href=reverse("download_export", args=[mine.public_id])) == []
    assert names(colleagues) == ["Istanbul"]


def test_the_vendors_file_keeps_what_is_the_partners_own(cast: Cast) -> None:
    """REF-20, REF-3: of a deal it may only view no CRM id, no registration, and nothing of private creation."""
    build.deal(cast, name="Led", crm_id="OPP-1", campaign_id="spring", **LED)
    build.deal(cast, name="Own", **PRIVATE)
    found = lines(made(cast, "tab=partner_led", by=build.SELLER))
    assert [line["Deal name"] for line in found] == ["Led"]
    assert (found[0]["From"], found[0]["CRM id"], found[0]["Marketing campaign id"]) == ("Contoso Yazılım", "", "")
    assert not {"Registration", "Status at Microsoft"} & set(found[0])


def test_a_file_is_the_persons_own_in_that_company(cast: Cast) -> None:
    """ORG-6: a colleague's export is unknown, and so is one's own while one acts for another company."""
    export = made(cast)
    add_member(user=cast.users[OWNER], company=cast.companies["fabrikam"], roles=["viewer"])
    urls = [reverse(name, args=[export.public_id]) for name in ("export", "download_export")]
    owner, colleague, stranger = (signed_in(cast, email) for email in (OWNER, VIEWER, STRANGER))
    assert [owner.get(url).status_code for url in urls] == [200, 200]
    assert [client.get(url).status_code for client in (colleague, stranger) for url in urls] == [404] * 4
    assert export.file_name in parse(owner.get(reverse("exports"))).one("section", id="exports").text
    assert "No exports yet" in parse(colleague.get(reverse("exports"))).one("section", id="exports").text
    owner.post(reverse("switch_company"), {"company": str(cast.companies["fabrikam"].public_id)})
    assert [owner.get(url).status_code for url in urls] == [404, 404]


def signed_in(cast: Cast, email: str) -> Client:
    client = Client()
    client.force_login(cast.users[email])
    return client


# How it is made


def test_an_export_from_the_list_to_the_file(
    live: Live, sent: list[dict[str, Any]], django_capture_on_commit_callbacks: Any
) -> None:
    """REF-20: the page follows the worker's steps, by itself or by its link, and ends in the file and a notice."""
    live.deal(name="Ovens")
    live.deal(name="Kilns", **PRIVATE)
    owner = live.browser(OWNER)
    form = parse(owner.get(reverse("deals"), {"type": "co_sell"})).one("form", id="picked")
    with django_capture_on_commit_callbacks(execute=True):
        answer = owner.post(form.attrs["action"], {**form.fields(), "format": "csv"})
    export = Export.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, reverse("export", args=[export.public_id]))
    assert sent == [{"export_id": export.pk}]
    waiting = parse(owner.get(answer["Location"]))
    progress = waiting.one("div", id="progress")
    assert (progress.attrs["hx-get"], progress.attrs["hx-trigger"]) == (answer["Location"], "every 1s")
    assert waiting.one("div", class_="o-nojs").one("a").attrs["href"] == answer["Location"]
    assert owner.get(reverse("download_export", args=[export.public_id])).status_code == 302
    tasks.make_export(**sent[0], added_in_a_later_release=1)
    swapped = owner.get(answer["Location"], headers={"HX-Request": "true"})
    done = parse(swapped)
    assert done.all("html") == []
    assert "hx-get" not in done.one("div", id="progress").attrs
    assert "The file has 1 deal." in done.text
    file = owner.get(done.one("a", class_="btn-primary").attrs["href"])
    assert file["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="deals-[\d-]+\.csv"', file["Content-Disposition"])
    assert "Ovens" in file.content.decode()
    assert "Kilns" not in file.content.decode()
    event = Event.objects.get(verb=services.FINISHED)
    notice = Notice.objects.get(event=event)
    assert (notice.user, notice.link, event.after) == (live.cast.users[OWNER], answer["Location"], {"deals": 1})


def test_bad_requests_make_no_file(live: Live, sent: list[dict[str, Any]]) -> None:
    """REF-20: an unknown format; ids that are none, or foreign, mean no deal, and not all of one's own."""
    foreign = live.received().engagement.referrals.exclude(company=live.cast.companies["contoso"]).get()
    own = live.deal(name="Kilns", days=11)
    live.deal(name="Ovens")
    owner, url = live.browser(OWNER), reverse("export_list", args=["deals"])
    assert owner.post(url, {"format": "exe"}).status_code == owner.post(url).status_code == 404
    assert Export.objects.count() == 0
    for rows in (["nonsense", "🙂"], [str(foreign.public_id)], [str(uuid.uuid4())]):
        answer = owner.post(url, {"format": "csv", "row": rows, "list": "tab=outbound"}, follow=True)
        assert "None of the rows that you ticked is there any more." in parse(answer).text
    assert Export.objects.count() == 0
    owner.post(url, {"format": "csv", "list": "status=nonsense&sort=nonsense&tab=outbound"})
    owner.post(url, {"format": "csv", "row": [str(foreign.public_id), str(own.public_id)], "list": "tab=inbound"})
    everything, one = Export.objects.order_by("pk")
    for export in (everything, one):
        services.make_export(export.pk, now=live.now)
    assert names(everything) == ["Ovens", "Kilns"]
    assert names(one) == ["Kilns"]


def test_ref_20_the_bar_below_the_list_shows_how_far_the_file_is(live: Live, sent: list[dict[str, Any]]) -> None:
    """Nobody leaves the list for it: it asks every second, and ends with the download."""
    live.deal(name="Ovens")
    owner, htmx = live.browser(OWNER), {"HX-Request": "true"}
    bar = owner.post(reverse("export_list", args=["deals"]), {"format": "xlsx"}, headers=htmx)
    asks = parse(bar).one("div", id="export-in-bar").attrs["hx-get"]
    export = Export.objects.get()
    services.make_export(export.pk, now=live.now)
    ready = parse(owner.get(asks, headers={**htmx, "HX-Target": "export-in-bar"})).one("div", id="export-in-bar")
    assert "hx-get" not in ready.attrs
    assert "The file has 1 deal." in ready.text
    assert ready.one("a", class_="btn-primary").attrs["href"] == reverse("download_export", args=[export.public_id])
    columns = [str(field.label) for field in FIELDS]
    assert columns[:4] == ["Deal name", "Customer", "City", "Country"]
    assert columns[-4:] == ["CRM id", "Marketing campaign id", "D-U-N-S", "Deal id"]
    assert {"Annual contract value", "Filed (UTC)"} <= set(columns)


def test_long_lists_are_cut_and_say_so(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """REF-20, F6.10: at most 5,000; progress in steps, each seen at once."""
    assert Export.MAX_ROWS == 5_000
    monkeypatch.setattr(Export, "MAX_ROWS", 5)
    monkeypatch.setattr(services, "STEP", 2)
    for n in range(7):
        build.deal(cast, name=f"Deal {n}", **LED)
    seen = []
    real = services._progress

    def progress(export: Export, **steps: int) -> None:
        real(export, **steps)
        seen.append(Export.objects.values_list("done", "total").get(pk=export.pk))

    monkeypatch.setattr(services, "_progress", progress)
    export = made(cast, "sort=name")
    assert names(export) == [f"Deal {n}" for n in range(5)]
    assert seen == [(0, 6), (2, 6), (4, 6), (5, 6)]
    assert (export.is_cut, export.aim) == (True, 5)
    page = parse(signed_in(cast, OWNER).get(reverse("export", args=[export.public_id])))
    assert "A file holds at most 5 deals" in page.one("div", id="progress").text
    monkeypatch.setattr(Export, "MAX_ROWS", 7)
    assert not made(cast, "sort=name").is_cut


def test_a_double_click_makes_one_file(cast: Cast) -> None:
    """REF-20: while it is being made; afterwards, or of another list, it is a new one."""
    actor = cast.actor(OWNER)

    def ask(address: str = "a", kind: str = "csv", actor: Actor = actor) -> Export:
        return services.request_export(address, kind=kind, actor=actor, now=NOW)

    first = ask()
    assert ask() == first
    assert len({first, ask(kind="xlsx"), ask(address="b"), ask(actor=cast.actor(VIEWER))}) == 4
    services.make_export(first.pk, now=NOW)
    assert ask() != first


def test_what_a_dead_worker_left_is_finished_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """REF-20, JOB: the sweep picks it up; a worker that was only slow makes no second file, event or notice."""
    build.deal(cast, name="Ovens")
    export = services.request_export("", kind="csv", actor=cast.actor(OWNER), now=NOW)
    unasked = services.request_export("sort=name", kind="csv", actor=cast.actor(OWNER), now=NOW)
    real = services.files.write
    late = NOW + services.PATIENCE

    def slow(*given: Any, **options: Any) -> bytes:
        """Meanwhile another worker takes this one for dead."""
        monkeypatch.setattr(services.files, "write", real)
        assert not services.make_export(export.pk, now=NOW + MINUTE)
        assert services.make_export(export.pk, now=late)
        return b"late"

    monkeypatch.setattr(services.files, "write", slow)
    assert not services.make_export(export.pk, now=NOW)
    assert names(export) == ["Ovens"]
    assert Export.objects.get(pk=export.pk).finished_at == late
    assert (
        Event.objects.filter(verb=services.FINISHED).count()
        == Notice.objects.filter(event__verb=services.FINISHED).count()
        == 1
    )
    monkeypatch.setattr(timezone, "now", lambda: late)
    assert tasks.make_waiting_exports() == 1
    assert names(unasked) == ["Ovens"]
    assert tasks.make_waiting_exports() == 0
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} >= {
        "portal.pages.tasks.make_waiting_exports", "portal.pages.tasks.purge_exports"
    }  # fmt: skip


def test_what_fails_says_so_and_is_not_tried_for_ever(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """REF-20, JOB: the person is told, in words."""

    def fail(*given: Any, **options: Any) -> bytes:
        raise ValueError("disk full")

    monkeypatch.setattr(services.files, "write", fail)
    export = services.request_export("", kind="xlsx", actor=cast.actor(OWNER), now=NOW)
    assert tasks.make_export(export_id=export.pk)
    assert tasks.make_waiting_exports() == 0
    page = parse(signed_in(cast, OWNER).get(reverse("export", args=[export.public_id])))
    assert "Something went wrong on our side." in page.one("div", id="progress").text
    assert Notice.objects.get().subject == "Your export could not be made"


def test_files_are_deleted_after_a_week(cast: Cast) -> None:
    """REF-20: the page then says so; a younger file stays."""
    old, young = made(cast), made(cast, "sort=name")
    Export.objects.filter(pk=young.pk).update(finished_at=NOW + MINUTE)
    assert services.purge_exports(now=NOW + services.KEPT) == 1
    owner = signed_in(cast, OWNER)
    texts: list[Element] = [parse(owner.get(reverse("export", args=[export.public_id]))) for export in (old, young)]
    assert "The file was deleted." in texts[0].text
    assert texts[1].one("a", class_="btn-primary").attrs["href"] == reverse("download_export", args=[young.public_id])
    assert owner.get(reverse("download_export", args=[old.public_id])).status_code == 302
    states = [row.all("td")[1].text for row in parse(owner.get(reverse("exports"))).one("tbody").all("tr")]
    assert sorted(states) == ["Deleted", "Ready"]
