"""Requests that somebody sent to break the API: what each is answered, and that it does nothing else."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from portal.api import rules as scopes
from portal.demo import papers
from portal.demo.cast import Cast
from referrals.models import Referral
from tests import build
from tests.api import Api, make_client
from tests.factories import DealFactory, vendor_copy
from tests.test_api_referrals_create import body

pytestmark = pytest.mark.django_db

REFERRALS = "/v1.0/engagements/referrals"


@pytest.fixture
def deal(cast: Cast) -> Referral:
    return DealFactory(cast=cast)


def at(deal: Referral, rest: str = "") -> str:
    return f"{REFERRALS}/{deal.public_id}{rest}"


def now(deal: Referral) -> Referral:
    return Referral.objects.get(pk=deal.pk)


def replaced(path: str, value: Any) -> list[dict[str, Any]]:
    return [{"op": "replace", "path": path, "value": value}]


def test_head_needs_the_scope_of_get(cast: Cast, deal: Referral) -> None:
    client = make_client(cast.companies["contoso"])
    assert Api(client).call("HEAD", at(deal)).status_code == 200
    assert Api(client, scope=scopes.WEBHOOKS).call("HEAD", at(deal)).status_code == 403


@pytest.mark.parametrize("reason", ["00199", "0012", "999999999999", "0", "٣", "1.0", -1, 3.5, "x" * 3000])
def test_ref_17_whatever_the_reason_is_it_is_no_error_of_ours(contoso: Api, deal: Referral, reason: Any) -> None:
    ops = replaced("/status", "Closed") + replaced("/substatus", "Lost") + replaced("/statusReason", reason)
    assert contoso.patch(at(deal), ops).status_code in (204, 400, 422)


@pytest.mark.parametrize(
    "raw", ["1e999", "-1e400", "1e-999999999", "1e" + "9" * 30, "1e-" + "9" * 30, "0." + "1" * 500]
)
def test_a_number_beyond_all_numbers_is_kept_nowhere(contoso: Api, deal: Referral, raw: str) -> None:
    for path in ("/referralProgram", "/details/dealValue", "/salesStage", "/campaignId"):
        sent = b'[{"op": "replace", "path": "%s", "value": %s}]' % (path.encode(), raw.encode())
        assert contoso.patch(at(deal), sent).status_code in (204, 400, 422), path
    made = json.dumps(body(tags="?")).replace('"?"', f"[{raw}]").encode()
    assert contoso.post(REFERRALS, made).status_code in (200, 400, 422)
    tag = b'[{"op": "add", "path": "/details/requirements/solutions/-", "value": {"id": "SOL-10001-CTS", "price": %s}}]'
    assert contoso.patch(at(deal), tag % raw.encode()).status_code in (204, 400, 422)


BODIES = [
        b"", b"null", b"0", b'"x"', b"[]", b"{}", b"[[]]", b"[null]", b"[" * 3_000, b"[" * 60 + b"]" * 60, b"{" * 900,
        b'{"a":' * 60 + b"1" + b"}" * 60, b"NaN", b"-Infinity", b"\xff\xfe", "{}".encode("utf-16"), b"\xef\xbb\xbf{}",
        b'"\\ud800"', b'{"\\u0000": 1}', b'{"status": {"x": 1}}', b'{"team": {"a": 1}}', b'{"details": null}',
        b'{"": {"": 1}}', b'{"details/notes": "x"}', b'[{"op": "replace"}]', b'[{"op": 1, "path": 2, "value": 3}]',
        b'[{"op": "remove", "path": "/team/0"}]', b'[{"op": "test", "path": "/name", "value": 1}]',
        b'[{"op": "replace", "path": "/", "value": 1}]', b'[{"op": "replace", "path": "//", "value": 1}]',
        b'[{"op": "replace", "path": "/registrations", "value": []}]', b'{"registrations": []}',
        b'[{"op": "replace", "path": "/registrations/0", "value": {}}]', b'{"registrations": [null]}',
        b'[{"op": "add", "path": "/registrations/-", "value": null}]', b'{"registrations": [[1]]}',
        b'[{"op": "add", "path": "/registrations/-", "value": {"contract": [], "solutionDetails": {}}}]',
        b'[{"op": "replace", "path": "/team/-", "value": [1]}]', b'[{"op": "add", "path": "/team", "value": null}]',
        gzip.compress(b"{}"), b"9" * 5_000, b'{"details": {"dealValue": "NaN"}}', b'{"details": {"dealValue": "-0"}}',
        b'{"details": {"dealValue": "Infinity"}}', b'{"details": {"dealValue": -1}}',
        b'{"details": {"dealValue": true}}',
        b'{"details": {"closingDateTime": "0001-01-01T00:00:00+14:00"}}', b'{"details": {"closingDateTime": 5}}',
        b'{"details": {"closingDateTime": "9999-12-31T23:59:59-14:00"}}',
        b'{"details": {"closingDateTime": "2026-W01"}}',
        b'{"details": {"currency": "\xc4\xb1\xc5\x9f\xc4\xb1"}}', b'{"details": {"currency": "EURO"}}',
        b'{"consent": {"consentToShareReferralWithMicrosoftSellers": null}}', b'{"salesStage": "\xf0\x9f\x99\x82%"}',
        b'{"salesStage": 1e400}', b'{"salesStage": []}', b'{"lastRunId": "' + b"x" * 101 + b'"}',
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_no_body_is_an_error_of_ours(contoso: Api, deal: Referral, method: str) -> None:
    places = [REFERRALS, at(deal, "/actions"), at(deal, "/notes"), at(deal, "/registrations/check")]
    for sent in BODIES:
        for place in places if method == "POST" else [at(deal)]:
            answer = contoso.call(method, place, sent, If_Match="*")
            assert answer.status_code in (200, 201, 204, 400, 403, 409, 415, 422), (place, sent, answer.content)
            if answer.status_code >= 400:
                assert answer.json()["error"]["message"]


#: What If-Match says, `{v}` being the version, and whether that is taken. Of several tags none is: that is safe.
TAGS = {
    '"{v}"': True, 'W/"{v}"': True, "{v}": True, "*": True, "": True, '\\"{v}\\"': True, '"99"': False, '"0"': False,
    "x": False, '"-1"': False, '"²"': False, '"9' + "9" * 400 + '"': False, '""': False, "é": False, ",": False,
    '"98", "99"': False, '"98", "{v}"': False, '"{v}", x': False,
}  # fmt: skip


def test_if_match_in_every_form(contoso: Api, deal: Referral) -> None:
    for number, (tag, taken) in enumerate(TAGS.items()):
        before = now(deal)
        sent = tag.replace("{v}", str(before.version))
        answer = contoso.patch(at(deal), replaced("/campaignId", str(number)), If_Match=sent)
        assert answer.status_code == (204 if taken else 412), (tag, answer.content)
        assert now(deal).version == before.version + taken
        assert now(deal).campaign_id == (str(number) if taken else before.campaign_id)


def test_two_members_may_be_added_at_once_and_the_same_one_is_one(contoso: Api, deal: Referral) -> None:
    person = {"firstName": "A", "lastName": "B", "phoneNumber": "1", "email": "a@b.example"}
    add = {"op": "add", "path": "/team/-", "value": person}
    held = deal.team.count()
    answer = contoso.patch(at(deal), [add, {**add, "value": {**person, "email": "c@d.example"}}])
    assert (answer.status_code, deal.team.count()) == (204, held + 2)
    answer = contoso.patch(at(deal), [add, add])
    assert (answer.status_code, deal.team.count()) in {(422, held + 2), (204, held + 2)}


def test_later_operations_win_over_earlier_ones(contoso: Api, deal: Referral) -> None:
    answer = contoso.patch(at(deal), replaced("/campaignId", "a") + replaced("/campaignid", "b"))
    assert answer.status_code == 204
    assert now(deal).campaign_id == "b"


def test_ref_8_fifty_one_solutions_are_refused_whole(contoso: Api, deal: Referral) -> None:
    tags = [{"id": f"SOL-{number}"} for number in range(51)]
    assert contoso.patch(at(deal), replaced("/details/requirements/solutions", tags)).status_code == 422
    many = [{"id": "x", "type": "Category", "name": "y" * 300}] * 400
    answer = contoso.patch(at(deal), replaced("/details/requirements/solutions", many))
    assert answer.status_code in (204, 400, 422), answer.content


def test_a_large_document_with_a_key_is_taken_once(contoso: Api, cast: Cast) -> None:
    filed = build.submitted(cast, build.won(cast))
    place = f"/v1.0/registrations/{filed.public_id}/documents"
    file = papers.pdf("Signed") + b"\n%" + b"x" * 3_000_000
    sent = {"Content_Type": "application/octet-stream", "Content_Disposition": 'attachment; filename="a.pdf"'}
    answers = [contoso.post(place, file, Idempotency_Key="k", **sent) for _number in range(2)]
    assert [answer.status_code for answer in answers] in ([201, 201], [409, 409], [422, 422]), answers[0].content
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize("slashes", [0, 1, 2, 3])
def test_up_to_two_slashes_lead_to_the_same(contoso: Api, deal: Referral, slashes: int) -> None:
    assert contoso.get(at(deal, "/" * slashes)).status_code == (200 if slashes < 3 else 404)


def test_ids_in_any_spelling_are_found_or_404(contoso: Api, deal: Referral) -> None:
    plain = str(deal.public_id)
    spelt = [plain.upper(), f"%{ord(plain[0]):02x}{plain[1:]}", plain.replace("-", "")]
    for given in [*spelt, "%7B" + plain + "%7D", plain + "%2F", plain + "%20", "%00", "..", "%2e%2e", "ı" * 36, "%ff"]:
        assert contoso.get(f"{REFERRALS}/{given}").status_code in (200, 404), given


QUERIES = [
        "$select=*", "$select=" + ",".join(["name"] * 500), "$filter=customerProfile/team eq 'x'", "$orderby=name",
        "$filter=company_id eq 1", "$filter=wire_extras eq 'x'", "$filter=organizationName eq 'İzmir'", "$skip=-1",
        "$filter=contains(organizationName,'ı')", "$filter=startswith(organizationName,'%F0%9F%99%82')", "$top=-1",
        "$top=1e3", "$top=99999999999999999999", "$skip=100001", "$count=maybe", "$skiptoken=x", "$apply=x",
        "$filter=" + "(" * 300 + "true" + ")" * 300, "$filter=" + "not " * 500 + "favorite eq true",
        "$filter=createdDateTime gt 0001-01-01T00:00:00Z", "$filter=createdDateTime lt 9999-12-31T23:59:59.9999999Z",
        "$filter=createdDateTime gt 9999-12-31T23:59:59-14:00", "$filter=details/dealValue gt NaN",
        "$filter=details/dealValue gt 1e400", "$filter=details/dealValue gt -1", "$filter=name eq 'x", "$filter='",
        "$filter=id eq 00000000-0000-0000-0000-000000000000", "$filter=id in ()", "$filter=name in ('a','b')",
        "$filter=team/any(t: t/email eq 'a@b.example')", "$filter=team/any(t: t/id eq 1)", "$filter=%ED%A0%80",
        "search=%25&country=%F0", "before=99999999999999999999&group=x", "before=-1", "$filter=status eq null",
]  # fmt: skip


def test_no_question_is_an_error_of_ours(contoso: Api, deal: Referral) -> None:
    places = [REFERRALS, "/v1.0/registrations", "/v1.0/events", "/v1.0/customers", "/v1.0/partners", "/v1.0/solutions"]
    places += [at(deal, "/timeline"), at(deal, "/notes"), at(deal)]
    for query in QUERIES:
        for place in places:
            answer = contoso.get(f"{place}?{query}")
            assert answer.status_code in (200, 400), (place, query, answer.content)


def test_texts_of_any_length_are_refused_or_taken(contoso: Api, deal: Referral) -> None:
    for size in (101, 2_001, 50_000):
        for long in ("x" * size, "🙂" * size, "İ" * size):
            for path in ("/campaignId", "/details/notes", "/externalReferenceId", "/salesStage", "/details/currency"):
                answer = contoso.patch(at(deal), replaced(path, long))
                assert answer.status_code in (204, 400, 413, 422), (path, size)
            sent = body(Name=long, customerProfile__name=long, customerProfile__address__city=long)
            assert contoso.post(REFERRALS, sent).status_code in (400, 413, 422), size
            ids = body(customerProfile__ids={"Duns": long, "External": long}, details__currency=long)
            assert contoso.post(REFERRALS, ids).status_code in (400, 413, 422), size


def test_org_6_the_vendor_reads_no_private_deal_in_any_way(cast: Cast) -> None:
    private = DealFactory(cast=cast, help_code="Unknown", vendor_may_view=False, name="Private")
    vendor = Api(make_client(cast.companies["vendor"], role="programme_manager"))
    for rest in ("", "/timeline", "/notes", "/actions", "/eligibility", "/favorite"):
        assert vendor.get(at(private, rest)).status_code in (404, 405), rest
    for query in (
        "",
        f"?$filter=id eq {private.public_id}",
        f"?$filter=engagementId eq {private.engagement.public_id}",
    ):
        assert str(private.public_id) not in vendor.get(REFERRALS + query).content.decode()
    assert str(private.public_id) not in vendor.get("/v1.0/events?$top=500").content.decode()


def test_a_client_that_is_revoked_between_two_requests_writes_no_more(cast: Cast, deal: Referral) -> None:
    from portal.api.services import clients

    client = make_client(cast.companies["contoso"])
    api = Api(client)
    assert api.patch(at(deal), replaced("/campaignId", "a"), Idempotency_Key="k").status_code == 204
    clients.revoke(client, actor=cast.actor("admin@contoso.example"), now=build.NOW)
    answers = [
        api.get(at(deal)),
        api.patch(at(deal), replaced("/campaignId", "a"), Idempotency_Key="k"),
        api.post(REFERRALS, body()),
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert now(deal).campaign_id == "a"


def test_a_card_gives_no_more_by_select_or_filter(contoso: Api, cast: Cast) -> None:
    deal = DealFactory(cast=cast)
    card = vendor_copy(deal)
    Referral.objects.filter(pk=card.pk).update(name="Of the vendor", crm_id="V-1")
    pinned = f"engagementId eq {deal.engagement.public_id}"
    found = contoso.get(f"{REFERRALS}?$select=id,name,externalReferenceId,details&$filter={pinned}").json()["value"]
    assert {"id": str(card.public_id)} in found
    for more in ("name eq 'Of the vendor'", "externalReferenceId eq 'V-1'", "details/dealValue gt 0 and name ne 'x'"):
        answer = contoso.get(f"{REFERRALS}?$filter={pinned} and {more}")
        assert answer.status_code == 400 or str(card.public_id) not in answer.content.decode(), more
