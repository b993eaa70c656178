"""Requests that nobody types by hand: each is answered, and none of them with an error of ours (500)."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from portal.demo.cast import Cast
from portal.params import PlainJSONField, whole_number
from portal.policy.models import PolicyVersion
from referrals.models import Draft
from tests import build
from tests.edge import Live, parse

MANAGER = "manager@vendor.example"
DEEP = "[" * 5_000 + "]" * 5_000
MANY_DIGITS = "9" * 5_000


@pytest.fixture
def manager(live: Live) -> Client:
    return live.browser(MANAGER)


# Numbers


def test_a_number_of_a_request_is_one_that_a_row_can_have() -> None:
    assert [whole_number(text) for text in ("0", "7", "007", str(2**63 - 1))] == [0, 7, 7, 2**63 - 1]
    unread = ["", " 7", "-7", "+7", "7.0", "²", "٣", "1e3", "abc", str(2**63), MANY_DIGITS, None]
    assert {whole_number(text) for text in unread} == {None}


@pytest.mark.parametrize("number", ["²", "٣", MANY_DIGITS, "-1", "abc", "99999999999999999999"])
def test_numbers_that_name_nothing_are_ignored(live: Live, manager: Client, number: str) -> None:
    """REF-7: of the row to remove, of the page to go on from, of the notice last seen, of an entry in the admin."""
    owner, admin, draft = live.browser(build.CONTOSO), live.browser("admin@contoso.example"), live.draft()
    team = reverse("new_deal_step", args=[draft.public_id, "team"])
    deal = reverse("deal", args=[live.deal().public_id])
    answers = [
        owner.post(team, {"team-0-first_name": "Umut", "remove": number}),
        owner.get(reverse("notices"), {"after": number, "below": number, "before": number}),
        owner.post(reverse("read_notices"), {"newest": number}),
        owner.get(deal, {"before": number}),
        admin.get(reverse("people"), {"before": number}),
        manager.get(f"/admin/dealreg/registration/{number}/change/"),
        manager.get(f"/admin/accounts/user/{number}/change/"),
        owner.get(f"/settings/people/{number}/"),
    ]
    assert {answer.status_code for answer in answers} <= {200, 302, 403, 404}
    assert Draft.objects.get().data["team"][0]["first_name"] == "Umut"


# A draft


@pytest.mark.parametrize(
    ("name", "typed"), [("contact_name", "x" * 201), ("contact_phone", "5" * 51), ("contact_email", "e")]
)
def test_a_draft_with_something_that_is_wrong_stays_open(live: Live, name: str, typed: str) -> None:
    """REF-5: what was typed is kept, its field says what is wrong, and every page of the draft opens."""
    owner, draft = live.browser(build.CONTOSO), live.draft()
    url = {step: reverse("new_deal_step", args=[draft.public_id, step]) for step in ("customer", "help", "review")}
    owner.post(url["help"], {"help_code": build.HELP, "vendor_may_view": "yes", "go": "next"})
    sent = owner.post(url["customer"], {name: typed, "go": "next"})
    assert sent.status_code == 422
    for response in (sent, owner.get(url["customer"])):
        errors = {e.attrs["id"] for e in parse(response).all(class_="o-field__error") if e.text}
        assert {f"id_{name}_error", "id_contact_consent_error"} <= errors
    assert [owner.get(url[step]).status_code for step in url] == [200, 200, 200]
    assert owner.post(url["review"], {"go": "create"}).status_code == 422
    assert Draft.objects.get().data["customer"][name] == [typed]


# JSON


@pytest.mark.parametrize("bad", [DEEP, '{"a":' * 5_000, '"\\ud800"', '{"\\udfff": 1}', '"\\u0000"', MANY_DIGITS, "NaN"])
def test_json_that_no_table_can_hold_is_refused(bad: str) -> None:
    """At the field, which shows it again as it came."""
    field = PlainJSONField()
    with pytest.raises(ValidationError):
        field.clean(bad)
    assert field.prepare_value(field.bound_data(bad, None)) == bad
    assert field.has_changed({}, bad)


@pytest.mark.parametrize("version", [DEEP, '[{"email": "\\ud800"}]', MANY_DIGITS, "{", "[1, null, []]", '{"a": 1}'])
def test_what_an_edit_was_based_on_may_be_nonsense(live: Live, version: str) -> None:
    """REF-21: what is no version of the deal is refused, with what was typed."""
    owner, referral = live.browser(build.CONTOSO), live.accepted()
    url = reverse("edit_team", args=[referral.public_id])
    form = next(f for f in parse(owner.get(url)).one("main").all("form") if "version" in f.fields())
    for changes in ({"team-0-first_name": "Other"}, {"team-0-phone": ""}):
        answer = owner.post(url, {**form.fields(), **changes, "version": version})
        assert answer.status_code == 422
    assert [m.first_name for m in referral.team.all()] == ["Umut"]


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("answer_days", MANY_DIGITS),
        ("answer_days", "1e309"),
        ("minimum_acv_usd", "NaN"),
        ("blackouts", DEEP),
        ("reminder_days", "²"),
        ("pracr_since", "9999-99-99"),
        ("holiday_calendar", "XX"),
        ("draft", MANY_DIGITS),
    ],
)
def test_policy_values_that_are_none_are_refused_at_the_field(manager: Client, field: str, typed: str) -> None:
    """FLOW-7."""
    answer = manager.post(reverse("admin:policy_policyversion_add"), {field: typed})
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors.keys() == {field}
    assert not PolicyVersion.objects.exists()


# The administration


def test_ids_that_are_none_are_refused_in_the_admin(live: Live, manager: Client) -> None:
    """ORG-1: the form says so at its fields; what is ticked in a list has to be an id."""
    add = reverse("admin:accounts_membership_add")
    assert manager.get(add, {"user": "abc", "company": MANY_DIGITS}).status_code == 200
    rows = {
        "grants-TOTAL_FORMS": "1",
        "grants-INITIAL_FORMS": "0",
        "grants-0-location": "abc",
        "grants-0-role": "viewer",
    }
    for bad in ("abc", "²", MANY_DIGITS, "-1", "1.5"):
        answer = manager.post(add, {"user": bad, "company": bad, **rows})
        assert answer.status_code == 200
        assert answer.context["adminform"].form.errors.keys() == {"user", "company"}
    people = reverse("admin:accounts_user_changelist")
    for bad in ("abc", "²", MANY_DIGITS, "1.5"):
        chosen = {"action": "send_password_link", "_selected_action": bad}
        assert manager.post(people, chosen).status_code == 400
    membership = live.cast.users[build.CONTOSO].memberships.get()
    page = reverse("admin:accounts_membership_change", args=[membership.pk])
    more = {"grants-TOTAL_FORMS": "7", "grants-INITIAL_FORMS": "7", "grants-0-id": "abc"}
    assert manager.post(page, more).status_code == 200


@pytest.mark.parametrize("instant", ["9999-12-31", "9999-12-31T23:59:59", "2026-13-99", "x", "²", MANY_DIGITS])
def test_an_instant_that_is_none_filters_nothing_in_the_admin(manager: Client, instant: str) -> None:
    lists = {"referrals_referral": "created_at", "notify_notice": "created_at", "events_event": "at"}
    for name, column in lists.items():
        url = reverse(f"admin:{name}_changelist")
        assert manager.get(url, {f"{column}__gte": instant}).headers["Location"] == f"{url}?e=1"
        links = [
            a.attrs["href"] for a in parse(manager.get(url)).all("a") if f"{column}__gte" in a.attrs.get("href", "")
        ]
        assert len(links) > 3
        assert {manager.get(url + link).status_code for link in links} == {200}


@pytest.mark.parametrize("number", ["5" * 51, "²", "0", "-1", "10000", MANY_DIGITS])
def test_a_month_that_is_none_is_refused_in_the_admin(manager: Client, number: str) -> None:
    url = reverse("admin:money_monthlyrate_changelist")
    for asked in ({"year": number}, {"year": "2026", "month": number}, {"year": "2026", "month": "11", "day": number}):
        answer = manager.get(url, {f"month__{part}": value for part, value in asked.items()})
        assert answer.status_code == 400, asked


# Files


@pytest.mark.parametrize("where", [0, 1, 2])
def test_a_cell_longer_than_any_is_an_error_of_its_line(manager: Client, where: int) -> None:
    """FX-1: every error by line, and nothing is written."""
    rows = ["currency,month,usd_per_unit", "EUR,2026-11,1.1", "GBP,2026-11,1.2"]
    rows[where] += "," + "x" * 131_073
    file = io.BytesIO("\n".join(rows).encode())
    file.name = "rates.csv"
    answer = manager.post(reverse("admin:money_monthlyrate_upload"), {"file": file})
    assert answer.status_code == 200
    (error,) = answer.context["refused"]
    assert error.startswith(f"Line {where + 1}: ")


# The request itself


def status(method: str, url: str, content_type: str, body: bytes = b"") -> int:
    """What the server's own entrance answers, where Django's test client would fail by itself."""
    from portal.wsgi import application

    path, _mark, query = url.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "testserver",
        "SERVER_PORT": "80", "CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body), "wsgi.url_scheme": "http",
    }  # fmt: skip
    told: list[str] = []
    list(application(environ, lambda status, _headers: told.append(status)))
    return int(told[0].split()[0])


@pytest.mark.parametrize("charset", ["rot13", "hex", "zlib", "undefined", "idna", "utf-16", "punycode", "no-such", "*"])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain"])
def test_only_utf_8_is_read(cast: Cast, charset: str, kind: str) -> None:
    """Signed out, too: forms are sent as our pages are written."""
    body = b'--x\r\nContent-Disposition: form-data; name="login"\r\n\r\n\xff\r\n--x--\r\n'
    content_type = f"{kind}; charset={charset}" if charset != "*" else f"{kind}; charset*=bogus''x"
    for url in ("/accounts/login/", "/", "/admin/", "/nothing/", "/?q=%ff"):
        for method in ("GET", "POST", "HEAD", "PUT"):
            assert status(method, url, content_type, body) == 400, (url, method)


def test_utf_8_is_read_however_it_is_written(cast: Cast) -> None:
    for charset in ("utf-8", "UTF-8", "utf8", '"utf-8"'):
        assert status("GET", "/accounts/login/?next=%C3%BC", f"text/plain; charset={charset}") == 200
