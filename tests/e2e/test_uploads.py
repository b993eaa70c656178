"""Done when 6: a file of 1,000 rows with every kind of mistake, corrected and carried out; an export of 5,000 deals."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from portal.demo.cast import Cast
from portal.pages.models import Export, Upload
from portal.pages.services import exports, uploads
from referrals import rules
from referrals.models import Referral, ReferralSolution, TeamMember
from tests import build
from tests.e2e.conftest import Visit
from tests.e2e.portal import wait_for
from tests.e2e.test_access import problems
from tests.uploading import OWNER, Row, csv_bytes, new_row, rows_of

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

#: Milliseconds that a thousand rows may take a busy machine.
LONG = 300_000
PRIVATE = {"help_code": rules.NO_HELP, "vendor_may_view": False}
#: Every kind of mistake that a cell can have, by its column.
MISTAKES = (
    {"Referral ID": "0192f0c4-6a3e-7c51-9d2b-1f3a5b7c9d0f"},
    {"Deal Name": ""},
    {"Estimated Deal Value": "many"},
    {"Estimated Deal Value": "0"},
    {"Currency": "XXY"},
    {"Estimated Close Date": "30.11.2026"},
    {"Customer Name": "Somebody else"},
    {"PartnerID (MPN ID)": "4302001"},
    {"Partner Referral Substatus": "Sold"},
    {"Partner Referral Status": "Closed", "Partner Referral Substatus": "Lost"},
    {"Partner Referral Status": "New", "Partner Referral Substatus": "Received"},
    {"Sales Stage": "37"},
    {"Microsoft help required?": "Perhaps"},
    {"Microsoft help required?": "Yes"},
    {"Marketplace Purchase Intent": "?"},
    {"Consent to share Customer/Partner contact": "No"},
    {"Customer Contact Email": "nobody"},
    {"Solution 1": "SOL-0"},
    {"Solution 1": ""},
    {"Team member 1": "only, two"},
    {"Team member 1": ""},
    {"CRM ID": "x" * 101},
)


def correct_rows(cast: Cast, held: list[Row]) -> list[Row]:
    """900 deals that are there, of which 40 get a CRM id, and 100 that are new."""
    for n, row in enumerate(held[:40]):
        row["CRM ID"] = f"CRM-{n}"
    return [*held, *(new_row(cast, name=f"New {n}") for n in range(100))]


def with_mistakes(rows: list[Row]) -> list[Row]:
    """Nine rows of ten have a mistake, another one each."""
    return [row | (MISTAKES[n % len(MISTAKES)] if n % 10 else {}) for n, row in enumerate(rows)]


def test_a_thousand_rows_are_looked_at_corrected_and_carried_out(cast: Cast, visit: Visit, tmp_path: Path) -> None:
    """F10.5: each mistake stands at its cell, nothing is written until it is confirmed, nothing is done twice."""
    deal = build.deal(cast, at=timezone.now(), close_date=timezone.now().date(), **PRIVATE)
    deal.team.all().delete()
    build.multiply(deal, 899)
    _with_people(cast)
    page = visit(build.CONTOSO)
    page.goto("/co-sell/")
    page.get_by_text("Export", exact=True).click()
    page.get_by_role("button", name="Deals (CSV)").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click(timeout=60_000)
    download.value.save_as(tmp_path / "deals.csv")
    held = rows_of((tmp_path / "deals.csv").read_bytes())
    assert len(held) == 900
    rows = correct_rows(cast, held)
    (tmp_path / "wrong.csv").write_bytes(csv_bytes(with_mistakes(rows)))
    (tmp_path / "right.csv").write_bytes(csv_bytes(rows))

    page.goto("/uploads/")
    page.locator("input[type=file]").set_input_files(tmp_path / "wrong.csv")
    page.get_by_role("button", name="Look at it").click()
    refused = page.get_by_role("link", name=re.compile(r"Refused 89\d"))
    expect(refused).to_be_visible(timeout=LONG)
    refused.click()
    expect(page.locator("#row-3")).to_contain_text("Deal Name")
    expect(page.locator("#row-4")).to_contain_text("“many” is not an amount")
    assert Referral.objects.count() == 900
    with page.expect_download() as download:
        page.get_by_role("link", name="Refused rows with their problems").click()
    download.value.save_as(tmp_path / "problems.csv")
    assert all(row["Problem 1"] for row in rows_of((tmp_path / "problems.csv").read_bytes()))
    codes = {p["code"] for row in Upload.objects.get().rows.exclude(problems=[]) for p in row.problems}
    assert len(codes) >= 15
    assert "row_failed" not in codes
    page.get_by_role("button", name="Discard").click()

    page.goto("/uploads/")
    page.locator("input[type=file]").set_input_files(tmp_path / "right.csv")
    page.get_by_role("button", name="Look at it").click()
    confirm = page.get_by_role("button", name="Carry out 140 rows")
    expect(confirm).to_be_visible(timeout=LONG)
    confirm.click()
    expect(page.get_by_role("link", name="Created 100")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("link", name="Changed 40")).to_be_visible()
    assert Referral.objects.count() == 1000
    assert Referral.objects.filter(crm_id__startswith="CRM-").count() == 40

    page.goto("/uploads/")
    page.locator("input[type=file]").set_input_files(tmp_path / "right.csv")
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("link", name="Unchanged 1,000")).to_be_visible(timeout=LONG)
    assert Referral.objects.count() == 1000


def _with_people(cast: Cast) -> None:
    """Each deal a team, and the solution that bulk copies are without."""
    person = {"first_name": "Ada", "last_name": "Uz", "phone": "1", "email": "ada@contoso.example"}
    deals = list(Referral.objects.all())
    TeamMember.objects.bulk_create([TeamMember(referral=deal, **person) for deal in deals])
    ReferralSolution.objects.all().delete()
    solution = cast.solutions["factory"]
    ReferralSolution.objects.bulk_create([ReferralSolution(referral=deal, solution=solution) for deal in deals])


def made_by_the_worker(cast: Cast) -> bytes:
    """The deals' file to change and upload again; asked for like any other, it is the running worker that makes it."""
    export = exports.request_export("", kind="csv", holds="deals", actor=cast.actor(OWNER), now=timezone.now())
    finished = Export.objects.filter(pk=export.pk, finished_at__isnull=False)
    return bytes(wait_for(finished.first, "the worker to make the file").content or b"")


def looked_at(cast: Cast, content: bytes) -> Upload:
    """An upload that was looked at: here, unless the running worker was first."""
    now = timezone.now()
    upload = uploads.receive("deals", name="deals.csv", content=content, actor=cast.actor(OWNER), now=now)
    uploads.work_on(upload.pk, now=now)
    return wait_for(Upload.objects.filter(pk=upload.pk, checked_at__isnull=False).first, "a look at the file")


def carried_out_by_anybody(upload: Upload) -> None:
    now = timezone.now()
    assert uploads.confirm(upload, together=False, now=now)
    uploads.work_on(upload.pk, now=now)
    wait_for(Upload.objects.filter(pk=upload.pk, finished_at__isnull=False).first, "the file to be carried out")


def test_uploads_have_no_barrier(cast: Cast, visit: Visit) -> None:
    """Sent, looked at and carried out, on a phone as well; and the same without JavaScript."""
    now = timezone.now()
    build.deal(cast, at=now, close_date=now.date(), **PRIVATE)
    (held,) = rows_of(made_by_the_worker(cast))
    rows = [held | {"CRM ID": "7", "Notes": "x" * 300}, new_row(cast), new_row(cast, name="Ç" * 150, value="many")]
    preview, done = (looked_at(cast, csv_bytes(rows)) for _n in range(2))
    carried_out_by_anybody(done)
    page, found = visit(build.CONTOSO), []
    for name, url in {
        "upload a file": reverse("uploads"),
        "preview": reverse("upload", args=[preview.public_id]),
        "result": reverse("upload", args=[done.public_id]),
    }.items():
        found += problems(page, name, url)
    assert not found, "\n".join(found)

    plain = visit(build.CONTOSO, java_script_enabled=False)
    plain.goto("/uploads/")
    content = {"name": "deals.csv", "mimeType": "text/csv", "buffer": csv_bytes(rows)}
    plain.locator("input[type=file]").set_input_files(content)
    plain.get_by_role("button", name="Look at it").click()
    wait_for(lambda: not Upload.objects.filter(checked_at=None).exists(), "the worker to look at it")
    plain.reload()
    expect(plain.get_by_role("link", name="Refused 1")).to_be_visible()


@pytest.mark.parametrize("kind", ["CSV", "Excel"])
def test_a_file_of_5000_deals_is_made_and_reopens(cast: Cast, visit: Visit, tmp_path: Path, kind: str) -> None:
    """F3.1: the first 5,000 of a longer list, read by an independent reader."""
    deal = build.deal(cast, at=timezone.now() - timedelta(days=1), close_date=timezone.now().date(), **PRIVATE)
    build.multiply(deal, 5_000)
    page = visit(build.CONTOSO, viewport={"width": 390, "height": 800})
    page.goto("/co-sell/")
    page.get_by_text("Export", exact=True).click()
    page.get_by_role("button", name=f"Deals ({kind})").click()
    with page.expect_download(timeout=LONG) as download:
        page.get_by_role("link", name="Download").click(timeout=LONG)
    download.value.save_as(tmp_path / "deals")
    content = (tmp_path / "deals").read_bytes()
    if kind == "CSV":
        ids = [row["Referral ID"] for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))]
    else:
        header, *lines = load_workbook(io.BytesIO(content), read_only=True).worksheets[0].iter_rows(values_only=True)
        ids = [str(line[header.index("Referral ID")]) for line in lines]
    assert len(ids) == len(set(ids)) == 5_000
