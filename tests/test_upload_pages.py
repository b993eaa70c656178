"""The pages of uploads: sent, looked at, filtered, confirmed or discarded, and downloaded with what is wrong."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.demo.cast import Cast
from portal.pages import tasks
from portal.pages.models import Export, Upload
from portal.pages.services import uploads
from referrals.models import Referral
from tests import build
from tests.edge import Live, parse
from tests.uploading import OWNER, csv_bytes, new_row, outcomes, problems, rows_of, uploaded


@pytest.fixture
def client(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.users[OWNER])
    return client


def test_a_file_is_sent_looked_at_and_carried_out(cast: Cast, client: Client) -> None:
    """Without JavaScript: the waiting page says so, the preview what each row would do, the result what it did."""
    rows = [new_row(cast, name="Good"), new_row(cast, name="Bad", value="many")]
    sent = client.post(
        reverse("uploads"), {"kind": "deals", "file": SimpleUploadedFile("my deals.csv", csv_bytes(rows))}
    )
    upload = Upload.objects.get()
    page = reverse("upload", args=[upload.public_id])
    assert sent.headers["Location"] == page
    assert "Look again" in client.get(page).content.decode()
    assert client.get(page, headers={"HX-Request": "true"}).status_code == 200
    tasks.work_on_upload(upload_id=upload.pk)
    assert client.get(page, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    shown = client.get(page).content.decode()
    assert "Carry out 1 row" in shown
    assert "Estimated Deal Value:" in shown
    refused = parse(client.get(page + "?show=refused").content.decode())
    assert len(refused.all("tr")) == 2
    client.post(reverse("confirm_upload", args=[upload.public_id]), {"together": "no"})
    assert not Referral.objects.exists()
    assert tasks.work_on_waiting_uploads() == 1
    assert Referral.objects.get().name == "Good"
    done = client.get(page).content.decode()
    assert reverse("deal", args=[Referral.objects.get().public_id]) in done
    assert "Carried out" in done
    assert str(upload.file_name) in client.get(reverse("uploads")).content.decode()


def test_rows_come_with_a_column_for_each_problem(cast: Cast, client: Client) -> None:
    """F10.5: the refused ones alone, or all; corrected, the file is uploaded as it is, and knows its new deals."""
    rows = [new_row(cast, name="Good"), new_row(cast, name="=Bad", value="many", Currency="XXY")]
    upload = uploaded(cast, csv_bytes(rows), at=timezone.now())
    uploads.confirm(upload, together=False, now=timezone.now())
    tasks.work_on_upload(upload_id=upload.pk)
    address = reverse("download_upload", args=[upload.public_id])
    (bad,) = rows_of(client.get(address).content)
    assert (bad["Row"], bad["Result"], bad["Deal Name"]) == ("3", "Refused", "'=Bad")
    assert bad["Problem 1"].startswith("Estimated Deal Value: ")
    assert bad["Problem 2"].startswith("Currency: ")
    everything = rows_of(client.get(address + "?rows=all").content)
    assert everything[0]["Referral ID"] == str(Referral.objects.get().public_id)
    corrected = [everything[0], everything[1] | {"Estimated Deal Value": "10", "Currency": "EUR"}]
    again = uploaded(cast, csv_bytes(corrected), at=timezone.now())
    assert outcomes(again) == ["unchanged", "create"], problems(again)
    assert again.unknown == []


def test_long_files_are_paged_and_discarded(cast: Cast, client: Client) -> None:
    upload = uploaded(cast, csv_bytes([{"Referral ID": f"none {n}"} for n in range(120)]))
    page = reverse("upload", args=[upload.public_id])
    first = client.get(page).content.decode()
    assert 'id="row-51"' in first
    assert 'id="row-52"' not in first
    assert "after=51" in first
    assert 'id="row-52"' in client.get(page + "?show=refused&after=51").content.decode()
    assert "There is nothing to carry out" in first
    client.post(reverse("discard_upload", args=[upload.public_id]))
    discarded = Upload.objects.get()
    assert discarded.finished_at is not None
    assert discarded.confirmed_at is None
    assert not uploads.confirm(Upload.objects.get(), together=False, now=timezone.now())


def test_a_form_without_a_file_says_so(client: Client) -> None:
    answer = client.post(reverse("uploads"), {"kind": "deals"})
    assert answer.status_code == 422
    assert not Upload.objects.exists()


def test_what_broke_says_so(cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that breaks the portal itself ends; a row that does is refused alone."""
    upload = uploads.receive(
        "deals", name="x.csv", content=csv_bytes([new_row(cast)]), actor=cast.actor(OWNER), now=build.NOW
    )
    monkeypatch.setattr(uploads, "_check", lambda *_given, **_named: 1 / 0)
    assert tasks.work_on_upload(upload_id=upload.pk)
    assert "Something went wrong on our side" in client.get(reverse("upload", args=[upload.public_id])).content.decode()
    monkeypatch.undo()
    monkeypatch.setattr(uploads.row_plans, "tried", lambda _plan: 1 / 0)
    again = uploaded(cast, csv_bytes([new_row(cast)]))
    assert [problem["code"] for problem in again.rows.get().problems] == ["row_failed"]


def test_the_list_offers_files_to_edit(cast: Cast, client: Client) -> None:
    """With the tab and filters in force; viewers download only, and the vendor's people do neither (F3.1)."""
    live = Live(cast)
    live.accepted(days=1)
    menu = reverse("deals") + "?menu=export"
    assert reverse("uploads") in client.get(menu).content.decode()
    answer = client.post(
        reverse("export_list", args=["deals"]), {"edit": "deals.xlsx", "list": "tab=outbound&status=Won"}
    )
    export = Export.objects.get()
    assert answer.headers["Location"] == reverse("export", args=[export.public_id])
    assert (export.holds, export.format, "status=Won" in export.query["list"]) == ("deals", "xlsx", True)
    client.force_login(cast.users["viewer@contoso.example"])
    shown = client.get(menu).content.decode()
    assert "deals.xlsx" in shown
    assert reverse("uploads") not in shown
    client.force_login(cast.users[build.SELLER])
    assert "deals.xlsx" not in client.get(menu).content.decode()
    assert client.post(reverse("export_list", args=["deals"]), {"edit": "deals.csv"}).status_code == 404
    assert client.post(reverse("export_list", args=["deals"]), {"edit": "nothing.csv"}).status_code == 404
