"""Uploaded files of registrations (F3.2): filed, corrected, or given up, by the form's own rules."""

from __future__ import annotations

from datetime import timedelta

from dealreg.models import Registration, Status
from portal.demo.cast import Cast
from tests import build, do
from tests.build import NOW
from tests.uploading import (
    OWNER,
    Row,
    carried_out,
    csv_bytes,
    downloaded,
    only,
    outcomes,
    problems,
    results,
    rows_of,
    uploaded,
)

ANSWERS = {
    "Is Marketplace Transacted": "No",
    "Is Deployed on Azure": "Yes",
    "Contract Value": "120000",
    "Contract Currency": "EUR",
    "Contract Term": "Finite",
    "Contract Sign Date": f"{NOW - timedelta(days=3):%m/%d/%Y}",
    "Contract Start Date": f"{NOW:%m/%d/%Y}",
    "Contract End Date": f"{NOW + timedelta(days=364):%m/%d/%Y}",
    "Solution Value": "90000",
    "Solution Currency": "EUR",
    "Primary Deployment On": "Customer",
    "Pricing Model": "Other",
}


def one_row(cast: Cast, **changes: str) -> Row:
    (row,) = rows_of(downloaded(cast, holds="registrations"))
    return row | {name.replace("_", " "): value for name, value in changes.items()}


def look(cast: Cast, row: Row, **who: str) -> list[set[tuple[str, str]]]:
    return problems(uploaded(cast, csv_bytes([row]), kind="registrations", **who))


def sent_back(cast: Cast) -> Registration:
    registration = build.in_review(cast)
    from dealreg.services import registration as services

    services.decide(
        registration,
        "require_action",
        actor=cast.actor(build.REVIEWER),
        now=NOW,
        reason_code="value_does_not_match_contract",
        comment="Please check the value",
    )
    return Registration.objects.get(pk=registration.pk)


def test_a_row_files_the_registration(cast: Cast) -> None:
    """F3.2: every rule of the form at its cell (REG-14); then it is submitted, once."""
    build.won(cast)
    row = one_row(cast)
    assert (row["Registration Status"], row["Contract Value"]) == ("None", "")
    assert outcomes(uploaded(cast, csv_bytes([row]), kind="registrations")) == ["unchanged"]
    wrong = row | ANSWERS | {"Contract Sign Date": "01/02/2020", "Solution Value": "130000", "Contract Term": "Ever"}
    assert look(cast, wrong) == [
        {
            ("signed_too_old", "Contract Sign Date"),
            ("signed_before_referral", "Contract Sign Date"),
            ("solution_value_exceeds_tcv", "Solution Value"),
            ("choice_unknown", "Contract Term"),
        }
    ]
    upload = uploaded(cast, csv_bytes([row | ANSWERS]), kind="registrations")
    assert outcomes(upload) == ["update"], problems(upload)
    assert Registration.objects.get().submitted_at is None
    assert results(carried_out(upload)) == ["updated"]
    filed = Registration.objects.get()
    assert (filed.submitted_at, str(filed.tcv), filed.contract_names_confirmed) == (NOW, "120000.00", True)
    assert outcomes(uploaded(cast, csv_bytes([row | ANSWERS]), kind="registrations")) == ["unchanged"]


def test_a_correction_is_the_resubmission(cast: Cast) -> None:
    """F3.2: only while action is required; the currency and all that the file can't say stays."""
    registration = sent_back(cast)
    row = one_row(cast)
    assert row["Registration Status"] == "ActionRequired"
    assert outcomes(uploaded(cast, csv_bytes([row]), kind="registrations")) == ["unchanged"]
    upload = uploaded(cast, csv_bytes([row | {"Contract Value": "110000"}]), kind="registrations")
    assert outcomes(upload) == ["update"], problems(upload)
    carried_out(upload)
    again = Registration.objects.get(pk=registration.pk)
    assert (again.status, str(again.tcv), again.solution_id) == (
        Status.REVIEW_PENDING,
        "110000.00",
        registration.solution_id,
    )
    assert look(cast, row | {"Contract Value": "100000"}) == [{("wrong_state", "Referral ID")}]


def test_reg_2_no_under_azure_closes_without_registering(cast: Cast) -> None:
    """The preview says so, before it is registered and after it was sent back."""
    build.won(cast, name="Never filed")
    upload = uploaded(cast, csv_bytes([one_row(cast, Is_Deployed_on_Azure="No")]), kind="registrations")
    assert only(upload).steps == ["Close without registering"]
    carried_out(upload)
    assert Registration.objects.get().outcome == "not_registered"
    row = one_row(cast, Is_Deployed_on_Azure="No")
    assert outcomes(uploaded(cast, csv_bytes([row]), kind="registrations")) == ["unchanged"]


def test_what_can_not_be_registered_or_seen_is_refused(cast: Cast) -> None:
    """ORG-6, ELIG-9."""
    deal = build.deal(cast)
    row = {"Referral ID": str(deal.public_id), **ANSWERS}
    assert look(cast, row) == [{("not_registrable", "Referral ID")}]
    assert look(cast, row, by="referrals@fabrikam.example") == [{("not_found", "Referral ID")}]
    assert look(cast, row | {"Referral ID": ""}) == [{("cell_required", "Referral ID")}]


def test_all_states_come_back_unchanged(cast: Cast) -> None:
    """F3.2: the downloaded file can be uploaded again."""
    build.won(cast, name="Pending")
    build.submitted(cast, build.won(cast, name="Filed"))
    closed = Registration.objects.get(referral=build.won(cast, name="Given up"))
    do.close_unregistered(closed, actor=cast.actor(OWNER), now=NOW)
    sent_back(cast)
    for kind in ("csv", "xlsx"):
        content = downloaded(cast, holds="registrations", kind=kind)
        assert outcomes(uploaded(cast, content, kind="registrations")) == ["unchanged"] * 4
