"""Uploaded files of deals (F3.1): what a preview says, that it is what happens, and that nothing happens twice."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.customers.models import Customer
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.notify.models import Notice
from portal.pages.models import Upload
from portal.pages.services import uploads
from portal.workflow.blockers import Money
from referrals import rules
from referrals.models import Note, Referral
from referrals.services import creation
from referrals.verbs import SentDeal
from tests import build, do
from tests.build import NOW
from tests.uploading import (
    DUE,
    OWNER,
    carried_out,
    csv_bytes,
    downloaded,
    new_row,
    only,
    outcomes,
    problems,
    results,
    rows_of,
    uploaded,
    xlsx_bytes,
)

PRIVATE = {"help_code": rules.NO_HELP, "vendor_may_view": False}
FABRIKAM = "referrals@fabrikam.example"


def row_of(cast: Cast, deal: Referral, **changes: str) -> dict[str, str]:
    """The deal's row as it is downloaded, with some cells changed."""
    row = next(row for row in rows_of(downloaded(cast)) if row["Referral ID"] == str(deal.public_id))
    return row | changes


# Creating


def test_a_row_without_an_id_creates_a_deal(cast: Cast) -> None:
    """F3.1, REF-10: nothing is written before it is confirmed; then what the row says."""
    row = new_row(cast, help="Yes", code="3", CRM_ID="C-1", Notes="=1+1", Notes_to_Microsoft="Please look", stage="40")
    upload = uploaded(cast, csv_bytes([row]))
    assert outcomes(upload) == ["create"], problems(upload)
    assert not Referral.objects.exists()
    done = carried_out(upload)
    deal = Referral.objects.get(company=cast.companies["contoso"])
    assert results(done) == ["created"]
    assert only(done).deal == deal.public_id
    assert (deal.name, deal.value, deal.currency, deal.stage) == ("Plant line 7", Decimal("40000.50"), "EUR", 40)
    assert (deal.crm_id, deal.help_code, deal.location) == ("C-1", "ProofOfConceptOrDemo", cast.locations["Istanbul"])
    assert deal.engagement.contact_name == "Ece Su Kaya"
    assert [m.email for m in deal.team.all()] == ["deniz@contoso.example"]
    assert [note.text for note in Note.objects.all()] == ["=1+1"]
    copy = Referral.objects.get(company=cast.companies["vendor"])
    assert copy.invite_notes == "Please look"


def test_the_same_file_again_creates_nothing(cast: Cast) -> None:
    """F10.5: rows that succeeded need not be deleted, whatever way they are written now."""
    rows = [new_row(cast), new_row(cast, name="Other", consent="No")]
    carried_out(uploaded(cast, csv_bytes(rows)))
    assert Referral.objects.count() == 1
    rows[1]["Consent to share Customer/Partner contact"] = "Yes"
    again = uploaded(cast, xlsx_bytes([row | {"Estimated Close Date": DUE} for row in rows]))
    assert outcomes(again) == ["unchanged", "create"]
    assert again.rows.get(line=2).deal == Referral.objects.get().public_id
    carried_out(again)
    assert outcomes(uploaded(cast, csv_bytes(rows, delimiter=";", encoding="utf-16"))) == ["unchanged", "unchanged"]
    assert Referral.objects.count() == 2


def test_two_files_with_the_same_row_create_one_deal(cast: Cast) -> None:
    """Both were looked at before either was confirmed."""
    one, two = (uploaded(cast, csv_bytes([new_row(cast)])) for _n in range(2))
    carried_out(one)
    assert results(carried_out(two)) == ["unchanged"]
    assert Referral.objects.count() == 1


def test_every_mistake_stands_at_its_cell(cast: Cast) -> None:
    """F10.5: all of them at once, those of reading and those of the rules."""
    row = new_row(
        cast,
        name="",
        value="much",
        Currency="XXY",
        closing="11.30.2026",
        consent="No",
        help="Yes",
        Customer_Contact_Email="nobody",
        status="Closed",
        intent="perhaps",
        stage="37",
        place="999",
        Solution_1="SOL-0",
        Team_member_1="only, two",
    )
    assert problems(uploaded(cast, csv_bytes([row]))) == [
        {
            ("cell_required", "Deal Name"),
            ("amount_not_read", "Estimated Deal Value"),
            ("choice_unknown", "Currency"),
            ("day_unreadable", "Estimated Close Date"),
            ("consent_not_given", "Consent to share Customer/Partner contact"),
            ("cell_required", "What specific help from Microsoft?"),
            ("email_invalid", "Customer Contact Email"),
            ("new_deal_status", "Partner Referral Status"),
            ("choice_unknown", "Marketplace Purchase Intent"),
            ("unknown_stage", "Sales Stage"),
            ("foreign_location", "PartnerID (MPN ID)"),
            ("solution_unknown", "Solution 1"),
            ("member_unreadable", "Team member 1"),
        }
    ]


def test_customers_are_found_by_number_or_by_name_and_place(cast: Cast) -> None:
    """REF-5: by D-U-N-S; else by name, country, city and address; else a new entry is made, and the preview says so."""
    rows = [
        new_row(cast, name="By number", Customer_Name="Whatever", Customer_City=""),
        new_row(cast, name="By city", duns="", Customer_Name="anadolu cam SANAYİ", Customer_City="mersin"),
        new_row(cast, name="Nobody", duns="", Customer_Name="Nobody at all"),
        new_row(cast, name="No such country", Customer_Country="XX", duns="12"),
    ]
    upload = uploaded(cast, csv_bytes(rows))
    assert outcomes(upload) == ["create", "create", "create", "refused"]
    assert [len(row.warnings) for row in upload.rows.order_by("line")] == [0, 0, 1, 0]
    assert problems(upload)[3] == {("country_unknown", "Customer Country"), ("duns_invalid", "Customer D-U-N-S ID")}
    assert not Customer.objects.filter(name="Nobody at all").exists()
    carried_out(upload)
    found = dict(Referral.objects.values_list("name", "engagement__customer__duns"))
    assert found == {"By number": "510000021", "By city": "510000012", "Nobody": ""}
    added = Customer.objects.get(name="Nobody at all")
    assert (added.managed, added.added_by) == (False, cast.companies["contoso"])


# Changing


def test_what_is_downloaded_and_uploaded_unchanged_changes_nothing(cast: Cast) -> None:
    """F3.2, round trip: deals in every state, private and shared, with names that look like formulas."""
    build.deal(cast, name="'=cmd", crm_id="=1+1", notes="first\r\nsecond; -x")
    build.deal(cast, name="+49 30 123", team=[rules.Member("A, B", 'C "D"', "-5", "x@contoso.example")], **PRIVATE)
    build.won(cast)
    do.lose(build.deal(cast), reason_code="other", comment="=why", actor=cast.actor(OWNER), now=NOW)
    do.close_as_error(build.deal(cast), reason_code="test", actor=cast.actor(OWNER), now=NOW)
    for kind in ("csv", "xlsx"):
        upload = uploaded(cast, downloaded(cast, kind=kind))
        assert outcomes(upload) == ["unchanged"] * 5, (kind, problems(upload), [r.changes for r in upload.rows.all()])
        assert upload.unknown == []


def test_each_changed_cell_runs_its_verb(cast: Cast) -> None:
    """The verbs of the page: details, team, solutions, note, stage, visibility; the rest stays."""
    deal = build.deal(cast, **PRIVATE)
    row = row_of(
        cast,
        deal,
        **{
            "Deal Name": "New name",
            "Estimated Deal Value": "50,000.25",
            "Sales Stage": "Develop",
            "Notes": "Said",
            "Share with Microsoft sales team": "Yes",
            "Solution 1": "sol-10002-cts, USD, 10, 2",
            "Team member 1": "Ada, Uz, 1, ada@contoso.example",
        },
    )
    upload = uploaded(cast, csv_bytes([row]))
    assert outcomes(upload) == ["update"], problems(upload)
    deal = Referral.objects.get(pk=deal.pk)
    assert (deal.name, deal.stage, Note.objects.count()) == ("Plant monitoring", 10, 0)
    assert results(carried_out(upload)) == ["updated"]
    deal = Referral.objects.get(pk=deal.pk)
    assert (deal.name, deal.value, deal.stage, deal.vendor_may_view) == ("New name", Decimal("50000.25"), 40, True)
    assert [line.solution.code for line in deal.solutions.all()] == ["SOL-10002-CTS"]
    assert deal.team_emails == ["ada@contoso.example"]
    assert outcomes(uploaded(cast, csv_bytes([row]))) == ["unchanged"]


def test_a_deal_is_won_lost_or_closed_by_its_substatus(cast: Cast) -> None:
    """REF-17, F3.1: reasons by number; a deal that is closed changes no more (REF-11)."""
    won, lost, wrong, without = (build.deal(cast, name=name) for name in ("Won", "Lost", "Wrong", "Without"))
    rows = [
        row_of(cast, won, **{"Partner Referral Status": "Closed", "Partner Referral Substatus": "Won"}),
        row_of(cast, lost, **{"Partner Referral Status": "Closed", "Partner Referral Substatus": "Lost"})
        | {"Declined/Lost/Error reason": "3"},
        row_of(cast, wrong, **{"Partner Referral Status": "Closed", "Partner Referral Substatus": "Error"})
        | {"Declined/Lost/Error reason": "9: a slip"},
        row_of(cast, without, **{"Partner Referral Substatus": "Lost"}),
    ]
    upload = uploaded(cast, csv_bytes(rows))
    assert problems(upload) == [
        set(),
        set(),
        set(),
        {("reason_required", "Declined/Lost/Error reason")},  # the status itself follows
    ]
    carried_out(upload)
    assert outcomes(uploaded(cast, csv_bytes(rows[:3]))) == ["unchanged"] * 3
    found = {d.name: (d.substatus, d.reason_code, d.reason_note) for d in Referral.objects.filter(invited_by=None)}
    assert found["Won"] == ("Won", "", "")
    assert found["Lost"] == ("Lost", "other_vendor", "")
    assert found["Wrong"] == ("Error", "other", "a slip")
    active = row_of(cast, build.deal(cast, name="Active"), **{"Partner Referral Status": "Closed"})
    assert problems(uploaded(cast, csv_bytes([active]))) == [{("status_mismatch", "Partner Referral Status")}]
    rows[0]["Deal Name"] = "Renamed"
    assert problems(uploaded(cast, csv_bytes(rows[:1]))) == [{("deal_closed", "Deal Name")}]


def test_every_mistake_in_a_change_stands_at_its_cell(cast: Cast) -> None:
    """What can't be read is as before for the rules, which judge the rest."""
    deal = build.deal(cast, **PRIVATE)
    wrong = {
        "CRM ID": ("x" * 101, "cell_too_long"),
        "Deal Name": ("", "name_required"),
        "Currency": ("XXY", "choice_unknown"),
        "Estimated Close Date": ("", "cell_required"),
        "Solution 1": ("SOL-0", "solution_unknown"),
        "Team member 1": ("a, b, c, d", "email_invalid"),
        "Sales Stage": ("37", "unknown_stage"),
        "What specific help from Microsoft?": ("", "cell_required"),
    }
    row = row_of(cast, deal, **{"Microsoft help required?": "Yes"}, **{name: cell for name, (cell, _) in wrong.items()})
    found = problems(uploaded(cast, csv_bytes([row])))
    assert found == [{(code, name) for name, (_cell, code) in wrong.items()}]


def test_ref_18_an_early_win_is_warned_of(cast: Cast) -> None:
    deal = build.deal(cast, at=NOW - timedelta(hours=2))
    row = row_of(cast, deal, **{"Partner Referral Status": "Closed", "Partner Referral Substatus": "Won"})
    upload = uploaded(cast, csv_bytes([row]))
    assert outcomes(upload) == ["update"]
    assert only(upload).warnings[0]["rule"] == "REF-18"


def test_a_received_deal_is_accepted_or_declined(cast: Cast) -> None:
    """REF-12: with the team that the row names."""
    admin, seller = cast.actor(OWNER), cast.actor(build.SELLER)
    for name in ("To accept", "To decline"):
        creation.send_deal(
            SentDeal(
                customer=cast.customers["ege"],
                partner=cast.companies["contoso"],
                name=name,
                value=Money(Decimal(30_000), "EUR"),
                close_date=(NOW + 20 * build.DAY).date(),
                solutions=[cast.solutions["factory"]],
                help_code="GeneralOrOther",
            ),
            actor=seller,
            now=NOW,
        )
    inbound = {d.name: d for d in Referral.objects.filter(company_id=admin.company_id, invited_by__isnull=False)}
    rows = {row["Deal Name"]: row for row in rows_of(downloaded(cast, address="tab=inbound"))}
    accepting, declining = rows["To accept"], rows["To decline"]
    accepting |= {"Partner Referral Status": "Active", "Partner Referral Substatus": "Accepted"}
    accepting |= {"Team member 1": "Ada, Uz, 1, ada@contoso.example", "CRM ID": "C-9", "Sales Stage": "20"}
    declining |= {"Partner Referral Status": "Closed", "Partner Referral Substatus": "Declined"}
    declining |= {"Declined/Lost/Error reason": "1"}
    upload = uploaded(cast, csv_bytes([accepting, declining]))
    assert outcomes(upload) == ["update", "update"], problems(upload)
    carried_out(upload)
    inbound = {name: Referral.objects.get(pk=one.pk) for name, one in inbound.items()}
    assert (inbound["To accept"].substatus, inbound["To accept"].crm_id) == ("Accepted", "C-9")
    assert inbound["To accept"].stage == 20
    assert (inbound["To decline"].substatus, inbound["To decline"].reason_code) == ("Declined", "budget")


def test_help_is_asked_for_once_and_never_taken_back(cast: Cast) -> None:
    """REF-3, REF-5, F3.1: read-only after creation, and after the first share."""
    deal, asked = build.deal(cast, name="Private", **PRIVATE), build.deal(cast, name="Asked")
    asking = row_of(cast, deal, **{"Microsoft help required?": "Yes", "What specific help from Microsoft?": "2"})
    asking |= {"Consent to share Customer/Partner contact": "Yes", "Notes to Microsoft": "Hello"}
    fixed = row_of(cast, asked)
    changes = {
        "Customer Name": "Other",
        "PartnerID (MPN ID)": "4301002",
        "Microsoft help required?": "No",
        "Share with Microsoft sales team": "No",
        "What specific help from Microsoft?": "1",
        "Customer Contact Phone": "1",
        "Notes to Microsoft": "More",
        "Consent to share Customer/Partner contact": "No",
    }
    upload = uploaded(cast, csv_bytes([asking, fixed | changes]))
    assert outcomes(upload) == ["update", "refused"], problems(upload)
    assert problems(upload)[1] == {("column_fixed", column) for column in changes}
    carried_out(upload)
    assert build.vendor_copy(deal).invite_notes == "Hello"
    assert outcomes(uploaded(cast, csv_bytes([asking]))) == ["unchanged"]


def test_foreign_and_unknown_ids_are_not_found(cast: Cast) -> None:
    """ORG-6: another company's deal, one outside one's location, no id at all: all the same."""
    deal = build.deal(cast)
    row = row_of(cast, deal)
    theirs = uploaded(cast, csv_bytes([row]), by=FABRIKAM)
    assert problems(theirs) == [{("not_found", "Referral ID")}]
    rows = [row, row | {"Referral ID": "0192f0c4-6a3e-7c51-9d2b-1f3a5b7c9d0f"}, row | {"Referral ID": "nonsense"}]
    assert (
        problems(uploaded(cast, csv_bytes(rows), by="ankara@contoso.example")) == [{("not_found", "Referral ID")}] * 3
    )


def test_who_may_upload(cast: Cast) -> None:
    """ORG-2, F3.1: referrals admins and users; viewers only download."""
    for email in ("viewer@contoso.example", "admin@contoso.example", build.SELLER, build.REVIEWER):
        with pytest.raises(PermissionDenied):
            uploads.receive("deals", name="x", content=b"x", actor=cast.actor(email), now=NOW)
    deal = build.deal(cast, team=[build.member(email="other@contoso.example")])
    row = row_of(cast, deal, **{"CRM ID": "7"})
    assert problems(uploaded(cast, csv_bytes([row]), by="user@contoso.example")) == [{("not_found", "Referral ID")}]
    assert len(rows_of(downloaded(cast, by="viewer@contoso.example"))) == 1


# Meanwhile


def test_what_changed_meanwhile_is_refused_with_the_difference(cast: Cast) -> None:
    """REF-21: nothing of the row is done; a change of something else in the deal counts as well."""
    one, two, three = (build.deal(cast, name=f"Deal {n}") for n in range(3))
    rows = [row_of(cast, deal, **{"CRM ID": "Mine"}) for deal in (one, two, three)]
    upload = uploaded(cast, csv_bytes(rows))
    do.edit_details(one, crm_id="Theirs", actor=cast.actor(OWNER), now=NOW)
    do.add_note(two, text="Only a note", actor=cast.actor(OWNER), now=NOW)
    done = carried_out(upload)
    assert results(done)[0] == "stale"
    first = done.rows.get(line=2)
    assert first.problems[0]["params"] == {"was": "–", "now": "Theirs"}
    assert Referral.objects.get(pk=one.pk).crm_id == "Theirs"
    assert results(done)[2] == "updated"


def test_all_or_none(cast: Cast) -> None:
    """One row that changed meanwhile, and nothing is done; the same file works once it is looked at anew."""
    deal = build.deal(cast)
    rows = [row_of(cast, deal, **{"CRM ID": "Mine"}), new_row(cast)]
    upload = uploaded(cast, csv_bytes(rows))
    do.edit_details(deal, crm_id="Theirs", actor=cast.actor(OWNER), now=NOW)
    events = Event.objects.exclude(verb__startswith="upload.").count()
    done = carried_out(upload, together=True)
    assert results(done) == ["stale", "undone"]
    assert Referral.objects.filter(company=deal.company).count() == 1
    assert Event.objects.exclude(verb__startswith="upload.").count() == events
    assert results(carried_out(uploaded(cast, csv_bytes(rows)), together=True)) == ["updated", "created"]


def test_a_killed_worker_loses_and_repeats_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row is done with what became of it; the sweep goes on where the dead worker stopped."""
    upload = uploaded(cast, csv_bytes([new_row(cast, name=f"Deal {n}") for n in range(3)]))
    uploads.confirm(upload, together=False, now=NOW)
    do_one, done = uploads._one, []

    def dies(row: Any, plan: Any) -> None:
        if len(done) == 2:
            raise SystemExit
        do_one(row, plan)
        done.append(row)

    monkeypatch.setattr(uploads, "_one", dies)
    with pytest.raises(SystemExit):
        uploads.work_on(upload.pk, now=NOW)
    monkeypatch.undo()
    assert Referral.objects.count() == 2
    assert not uploads.work_on(upload.pk, now=NOW - timedelta(days=3000))  # somebody has it
    Upload.objects.filter(pk=upload.pk).update(beat_at=NOW - timedelta(hours=1))
    assert list(uploads.waiting(NOW)) == [upload]
    assert uploads.work_on(upload.pk, now=NOW)
    assert results(upload) == ["created"] * 3
    assert Referral.objects.count() == 3
    assert not uploads.work_on(upload.pk, now=NOW)


def test_who_lost_access_meanwhile_changes_nothing(cast: Cast) -> None:
    """ORG-2: what the person may do when it is carried out counts."""
    upload = uploaded(cast, csv_bytes([new_row(cast)]))
    uploads.confirm(upload, together=False, now=NOW)
    cast.users[OWNER].memberships.update(is_active=False)
    assert uploads.work_on(upload.pk, now=NOW)
    assert not Referral.objects.exists()
    assert Upload.objects.get(pk=upload.pk).errors[0]["code"] == "upload_no_access"


def test_the_person_is_told_and_files_go(cast: Cast) -> None:
    upload = carried_out(uploaded(cast, csv_bytes([new_row(cast)])))
    assert Notice.objects.filter(category="upload").count() == 2
    assert uploads.purge(now=NOW + timedelta(days=8)) == 1
    upload.refresh_from_db()
    assert (upload.content, upload.rows.count()) == (None, 0)


# Files as a whole


def test_rows_that_are_there_twice_are_refused(cast: Cast) -> None:
    deal = row_of(cast, build.deal(cast))
    upload = uploaded(cast, csv_bytes([new_row(cast), new_row(cast), deal, deal]))
    assert outcomes(upload) == ["create", "refused", "unchanged", "refused"]
    assert problems(upload)[1::2] == [{("row_twice", "Deal Name")}, {("row_twice", "Referral ID")}]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"Referral ID\n", "file_empty"),
        (b"what,ever\n1,2\n", "no_known_column"),
        (b"Referral ID,referral id\n1,2\n", "column_twice"),
        (b'Referral ID\n"open', "unreadable"),
        (b"PK\x03\x04 no archive", "unreadable_xlsx"),
        (b"Referral ID\n" + b"1\n" * 1001, "too_many_rows"),
        (b"Referral ID\n\x81", "encoding"),
        (b"Referral ID," + b"," * 300 + b"x\n1\n", "too_many_columns"),
        (b"Referral ID\n" + b"x" * 40_000, "cell_too_long"),
        ("Referral ID\n1\0".encode("utf-16"), "control_character"),
    ],
)
def test_a_file_that_is_none_is_refused_whole(cast: Cast, content: bytes, code: str) -> None:
    upload = uploaded(cast, content)
    assert [error["code"] for error in upload.errors] == [code]
    assert upload.state == "refused"
    assert not upload.rows.exists()


def test_encodings_and_separators(cast: Cast) -> None:
    """UTF-8 with and without its mark, UTF-16, Windows-1254; commas, semicolons with decimal commas, tabs."""
    row = new_row(cast, name="İğne Şöför")
    for encoding, delimiter, value in (
        ("utf-8", ",", "40,000.50"),
        ("utf-8-sig", ";", "40.000,50"),
        ("utf-16", "\t", "40000.5"),
        ("cp1254", ";", "40000,50"),
    ):
        content = csv_bytes([row | {"Estimated Deal Value": value}], encoding=encoding, delimiter=delimiter)
        upload = uploaded(cast, content)
        assert outcomes(upload) == ["create"], (encoding, problems(upload), upload.errors)
        assert only(upload).title == "İğne Şöför"


def test_days_do_not_shift(cast: Cast) -> None:
    """F10.5: a real date of a spreadsheet and the text MM/DD/YYYY are the same calendar day."""
    for n, value in enumerate([date(2027, 3, 1), datetime(2027, 3, 1), "03/01/2027", "3/1/2027", "2027-03-01"]):  # noqa: DTZ001
        row: dict[str, Any] = {**new_row(cast, name=f"Deal {n}"), "Estimated Close Date": value}
        carried_out(uploaded(cast, xlsx_bytes([row])))
    assert {f"{day:%Y-%m-%d}" for day in Referral.objects.values_list("close_date", flat=True)} == {"2027-03-01"}


def test_the_statements_for_each_row_are_bounded(cast: Cast) -> None:
    """A row that changes nothing costs nothing, a new one a few statements, a changed one what its verb takes."""

    def statements(rows: list[dict[str, str]]) -> int:
        upload = uploads.receive("deals", name="x", content=csv_bytes(rows), actor=cast.actor(OWNER), now=NOW)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            uploads.work_on(upload.pk, now=NOW)
        assert Upload.objects.get(pk=upload.pk).checked_at
        return len(queries)

    build.multiply(build.deal(cast, **PRIVATE), 20)
    held = rows_of(downloaded(cast))
    assert len(held) == 21
    assert statements(held)  # what is kept for a while is kept now
    assert statements(held) - statements(held[-1:]) <= 1
    fresh = [new_row(cast, name=f"Deal {n}") for n in range(21)]
    assert statements(fresh) - statements(fresh[:1]) <= 20 * 5
    changed = [row | {"CRM ID": "x"} for row in held]
    assert statements(changed) - statements(changed[-1:]) <= 20 * 25
