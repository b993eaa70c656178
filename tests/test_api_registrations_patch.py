"""Filing and correcting a registration by PATCH of its deal (F1.7, wire.md)."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dealreg.models import Registration
from dealreg.rules import RegistrationInput
from portal.accounts import rules as roles
from portal.demo.cast import ANKARA, Cast
from referrals.models import Referral
from tests import build, do
from tests.api import Api, make_client
from tests.build import DAY, NOW
from tests.test_agreement import forms
from tests.test_api_registrations import at, partner_led, sent
from tests.test_dealreg import BIG, send_back

EXAMPLES = int(os.environ.get("AGREEMENT_EXAMPLES", "25"))
NEW = "/registrations/-"


@pytest.fixture(autouse=True)
def _at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are made at NOW: their registrations are judged by it."""
    monkeypatch.setattr("portal.api.http.endpoint.timezone.now", lambda: NOW)


def add(api: Api, deal: Referral, value: Any, **headers: str) -> Any:
    return api.patch(at(deal, "/"), [{"op": "add", "path": NEW, "value": value}], **headers)


def edit(api: Api, deal: Referral, **headers: Any) -> Any:
    values = {name.replace("__", "/"): headers.pop(name) for name in list(headers) if "__" in name or name.islower()}
    operations = [{"op": "replace", "path": f"/registrations/0/{path}", "value": v} for path, v in values.items()]
    return api.patch(at(deal, "//"), operations, **headers)


def problems(answer: Any) -> list[tuple[str, str]]:
    return [(detail["code"], detail["target"]) for detail in answer.json()["error"]["details"]]


@pytest.fixture
def returned(cast: Cast) -> Registration:
    """A registration that was sent back for correction."""
    return send_back(cast, build.in_review(cast))


# Filing ----------------------------------------------------------------------------------------------------------


def test_adding_a_registration_files_it(cast: Cast, contoso: Api) -> None:
    deal = build.won(cast)
    before = Referral.objects.get(pk=deal.pk).version
    answer = add(contoso, deal, sent(build.form()), If_Match=f'"{before}"')
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["ETag"] == f'"{before + 1}"'
    filed = Registration.objects.get(referral=deal)
    assert filed.claim == RegistrationInput(**{**vars(build.form()), "solution": cast.solutions["factory"].pk})
    assert (filed.submitted_at, filed.submitted_by) == (NOW, None)
    again = add(contoso, deal, sent(build.form()))
    assert (again.status_code, [code for code, _target in problems(again)]) == (409, ["wrong_state"])
    do.route(filed, now=NOW)
    shown = contoso.get(at(deal)).json()
    assert (shown["registrationStatus"], shown["registrations"][0]["status"]) == ("Approved", "Approved")
    assert add(contoso, deal, sent(build.form())).status_code == 409


def test_the_answer_can_be_the_deal_with_its_registration(cast: Cast, contoso: Api) -> None:
    answer = add(contoso, build.won(cast), sent(build.form()), Prefer="return=representation")
    assert answer.status_code == 200, answer.content
    assert len(answer.json()["registrations"]) == 1


def test_elig_9_a_deal_that_nothing_opened_is_opened_first(cast: Cast, contoso: Api) -> None:
    deal = build.won(cast)
    Registration.objects.filter(referral=deal).delete()
    assert add(contoso, deal, sent(build.form())).status_code == 204
    assert Registration.objects.get(referral=deal).criteria


def test_reg_14_what_is_not_eligible_says_so_first(cast: Cast, contoso: Api) -> None:
    deal = build.accepted(cast)
    answer = add(contoso, deal, sent(build.form(tenant=None)))
    assert answer.status_code == 422
    first, second = answer.json()["error"]["details"]
    assert (first["code"], [inner["code"] for inner in first["details"]]) == ("not_eligible", ["won"])
    assert second["target"] == "registrations/0/solutionDetails/0/primaryDeploymentOn"
    assert not Registration.objects.filter(referral=deal).exists()


def test_reg_17_only_an_explicit_no_is_refused(cast: Cast, contoso: Api) -> None:
    deal = build.won(cast)
    refused = add(contoso, deal, sent(build.form(), contractNamesConfirmed=False))
    assert problems(refused) == [("contract_names_missing", "registrations/0/contractNamesConfirmed")]
    value = sent(build.form())
    del value["contractNamesConfirmed"]
    assert add(contoso, deal, value).status_code == 204


def test_reg_2_what_is_not_on_azure_can_be_closed_without_registering(cast: Cast, contoso: Api) -> None:
    deal = build.won(cast)
    answer = add(contoso, deal, sent(build.form(deployment="other")))
    assert problems(answer) == [("not_deployed_on_azure", "registrations/0/solutionDetails/0/isDeployedOnAzure")]
    assert "without registering" in answer.json()["error"]["message"]


def test_adding_is_done_alone_and_by_add(cast: Cast, contoso: Api) -> None:
    deal, value = build.won(cast), sent(build.form())
    new = {"op": "add", "path": NEW, "value": value}
    term = {"op": "replace", "path": "/registrations/0/contract/term", "value": "Finite"}
    for operations in ([new, new], [new, term], [{**new, "op": "replace"}]):
        assert contoso.patch(at(deal), operations).status_code == 400
    broken = add(contoso, deal, sent(build.form(), type="Other"))
    assert (broken.status_code, broken.json()["error"]["target"]) == (400, "registrations/0/type")
    assert add(contoso, deal, None).status_code in (400, 422)
    assert add(contoso, deal, [1]).status_code == 400


def test_winning_and_filing_in_one_request(cast: Cast, contoso: Api) -> None:
    deal = build.accepted(cast)
    operations = [
        {"op": "replace", "path": "/status", "value": "Closed"},
        {"op": "replace", "path": "/substatus", "value": "Won"},
        {"op": "add", "path": NEW, "value": sent(build.form())},
    ]
    answer = contoso.patch(at(deal), operations)
    assert answer.status_code == 204, answer.content
    assert Registration.objects.get(referral=deal).submitted_at == NOW


# Correcting ------------------------------------------------------------------------------------------------------


def test_a_correction_is_the_resubmission(contoso: Api, returned: Registration) -> None:
    before = Referral.objects.get(pk=returned.referral_id).version
    answer = edit(
        contoso,
        returned.referral,
        contract__value="2500000.50",
        CONTRACT__STARTDATETIME="2026-11-16T00:00:00Z",
        solutiondetails__0__pricingmodel="other",
        If_Match=f'"{before}"',
    )
    assert answer.status_code == 204, answer.content
    kept = Registration.objects.get(pk=returned.pk)
    assert (kept.status, str(kept.tcv), str(kept.start)) == ("review_pending", "2500000.50", "2026-11-16")
    late = edit(contoso, returned.referral, contract__term="Finite")
    assert (late.status_code, problems(late)) == (409, [("wrong_state", "")])


def test_a_correction_is_judged_whole_and_all_or_nothing(contoso: Api, returned: Registration) -> None:
    answer = edit(contoso, returned.referral, contract__endDateTime="2026-11-01", contract__value="2500000")
    assert answer.status_code == 422
    assert problems(answer) == [("end_before_start", "registrations/0/contract/endDateTime")]
    kept = Registration.objects.get(pk=returned.pk)
    assert (kept.status, kept.tcv) == ("action_required", BIG.amount)


def test_reg_3_perpetual_drops_the_end_and_null_is_taken(contoso: Api, returned: Registration) -> None:
    assert problems(edit(contoso, returned.referral, contract__endDateTime=None)) == [
        ("end_date_required", "registrations/0/contract/endDateTime")
    ]
    assert edit(contoso, returned.referral, contract__term="Perpetual").status_code == 204
    kept = Registration.objects.get(pk=returned.pk)
    assert (kept.term, kept.end) == ("perpetual", None)


def test_an_object_corrects_as_well(contoso: Api, returned: Registration) -> None:
    given = {"registrations": [{"contract": {"value": 2_600_000}}]}
    assert contoso.patch(at(returned.referral), given).status_code == 204
    assert Registration.objects.get(pk=returned.pk).tcv == 2_600_000


@pytest.mark.parametrize(
    "path",
    [
        "/registrations",
        "/registrations/0",
        "/registrations/1/contract/value",
        "/registrations/0/contract",
        "/registrations/0/contract/currency",
        "/registrations/0/solutionDetails/0/id",
        "/registrations/0/solutionDetails/1/value",
        "/registrations/0/status",
        "/registrations/0/contract/value/x",
    ],
)
def test_other_paths_are_refused(contoso: Api, returned: Registration, path: str) -> None:
    answer = contoso.patch(at(returned.referral), [{"op": "replace", "path": path, "value": "USD"}])
    assert (answer.status_code, answer.json()["error"]["target"]) == (400, path)


def test_nothing_to_correct_is_409(cast: Cast, contoso: Api) -> None:
    waiting, filed, without = build.won(cast), build.won(cast), build.accepted(cast)
    build.submitted(cast, filed)
    for deal in (waiting, filed, without):
        assert edit(contoso, deal, contract__term="Finite").status_code == 409


def test_org_3_who_may_not_register_does_not(cast: Cast, contoso: Api) -> None:
    deal = partner_led(cast)
    ankara = make_client(
        cast.companies["contoso"], location=cast.locations[ANKARA], client_id="ankara", role=roles.REFERRALS_ADMIN
    )
    reader = make_client(cast.companies["contoso"], client_id="reader", role=roles.VIEWER)
    vendor = make_client(cast.companies["vendor"], client_id="vendor", role=roles.SELLER)
    fabrikam = make_client(cast.companies["fabrikam"])
    for client, status in ((ankara, 404), (reader, 403), (vendor, 403), (fabrikam, 404)):
        assert add(Api(client), deal, sent(build.form())).status_code == status
    assert Registration.objects.get(referral=deal).submitted_at is None


def test_registering_takes_its_own_scope(cast: Cast) -> None:
    deal = build.won(cast)
    writer = Api(make_client(cast.companies["contoso"]), scope="referrals.read referrals.write")
    assert add(writer, deal, sent(build.form())).status_code == 403
    assert writer.patch(at(deal), {"lastRunId": "1"}).status_code == 204
    assert Registration.objects.get(referral=deal).submitted_at is None


def test_an_old_version_is_412(cast: Cast, contoso: Api) -> None:
    deal = build.won(cast)
    seen = Referral.objects.get(pk=deal.pk).version
    Referral.objects.filter(pk=deal.pk).touch(NOW)
    assert add(contoso, deal, sent(build.form()), If_Match=f'"{seen}"').status_code == 412


def test_filing_takes_a_bounded_number_of_statements(cast: Cast, contoso: Api) -> None:
    first, second = build.won(cast), build.won(cast)
    add(contoso, first, sent(build.form()))
    with CaptureQueriesContext(connection) as asked:
        assert add(contoso, second, sent(build.form())).status_code == 204
    assert len(asked) <= 36, len(asked)


# The check and the submission --------------------------------------------------------------------------------------


class Undone(Exception):
    """Rolls the request back."""


def test_reg_15_check_and_patch_agree(cast: Cast, contoso: Api) -> None:
    """On generated forms: the same violations at the same paths, or a filed registration that goes where it says."""
    solutions = [cast.solutions[name] for name in ("factory", "retail")]
    earlier = do.route(build.submitted(cast, build.won(cast)), now=NOW - DAY)
    deals = [
        build.won(cast, solutions=solutions),
        build.accepted(cast, solutions=solutions),
        build.won(cast, solutions=solutions, customer=earlier.referral.engagement.customer),
    ]
    codes = {solution.pk: solution.code for solution in cast.solutions.values()}
    outcomes = set()

    def patched(deal: Referral, value: Any) -> Any:
        try:
            with transaction.atomic():
                answer = add(contoso, deal, value)
                if answer.status_code == 204:
                    state = do.route(Registration.objects.get(referral=deal), now=NOW).status
                    raise Undone(state)
                raise Undone(answer.json()["error"]["details"])
        except Undone as undone:
            return undone.args[0]

    @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(deal=st.sampled_from(deals), form=forms(cast, earlier))
    def agree(deal: Referral, form: RegistrationInput) -> None:
        value = sent(form, renews=form.renews and str(earlier.public_id), paygYearValue=form.payg_year_value)
        value["solutionDetails"][0]["id"] = codes.get(form.solution)
        checked = contoso.post(at(deal, "/registrations/check"), value).json()
        found = patched(deal, value)
        if checked["violations"]:
            assert found == checked["violations"]
        else:
            tokens = {"approved": "Approved", "review_pending": "ReviewPending"}
            assert tokens.get(found, "MarketplaceValidationPending") == checked["route"]["state"]
        outcomes.add(str(checked["route"]["state"]))

    agree()
    assert {"None", "Approved"} <= outcomes
