"""Registrations in the API: what a deal says of them, eligibility, and the check (F1.7, wire.md)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dealreg.api import representation
from dealreg.api.inputs import TARGETS
from dealreg.api.schema import RegistrationShape
from dealreg.models import OUTCOMES, Registration, Status
from dealreg.rules import RegistrationInput, states
from portal.accounts import rules as roles
from portal.demo.cast import Cast
from referrals import rules
from referrals.models import Referral
from tests import build, do
from tests.api import Api, make_client
from tests.build import CONTOSO, DAY, NOW
from tests.test_dealreg import BIG, decide, send_back

REFERRALS = "/v1.0/engagements/referrals"
LATER = NOW + timedelta(hours=1)
MIDNIGHT = "T00:00:00.0000000Z"


def at(deal: Referral, rest: str = "") -> str:
    return f"{REFERRALS}/{deal.public_id}{rest}"


def partner_led(cast: Cast) -> Referral:
    return do.win(build.deal(cast, help_code=rules.NO_HELP), actor=cast.actor(CONTOSO), now=NOW - DAY)


def shown(api: Api, deal: Referral) -> dict[str, Any]:
    answer = api.get(at(deal))
    assert answer.status_code == 200, answer.content
    return answer.json()


def sent(form: RegistrationInput, **more: Any) -> dict[str, Any]:
    """The form as a client sends it."""
    solution = {
        "value": form.solution_value and str(form.solution_value.amount),
        "currency": form.solution_value and form.solution_value.currency,
        "isDeployedOnAzure": None if form.deployment is None else form.deployment == "azure",
        "primaryDeploymentOn": {None: None, "customer": "Customer", "partner": "Partner"}[form.tenant],
        "pricingModel": {None: None, "payg": "PayAsYouGo", "other": "Other"}[form.pricing],
        "marketplaceTransactionDetails": {
            "isMarketplaceTransacted": form.marketplace,
            "marketplaceTransactionDateTime": form.marketplace_date and f"{form.marketplace_date}T12:30:00Z",
        },
    }
    return {
        "type": "AzureIPCoSell",
        "contract": {
            "value": form.tcv and str(form.tcv.amount),
            "currency": form.tcv and form.tcv.currency,
            "term": {None: None, "finite": "Finite", "perpetual": "Perpetual"}[form.term],
            "signDateTime": form.signed and f"{form.signed}{MIDNIGHT}",
            "startDateTime": form.start and f"{form.start}{MIDNIGHT}",
            "endDateTime": form.end and f"{form.end}{MIDNIGHT}",
        },
        "solutionDetails": [solution],
        "contractNamesConfirmed": form.contract_names_confirmed,
        **more,
    }


# What a deal says ------------------------------------------------------------------------------------------------


def test_nothing_is_registered_until_the_first_submission(cast: Cast, contoso: Api) -> None:
    deal = build.won(cast)
    body = shown(contoso, deal)
    assert (body["registrations"], body["registrationStatus"]) == ([], "None")
    build.submitted(cast, deal)
    body = shown(contoso, deal)
    assert body["registrationStatus"] == "None"  # while it is checked
    assert [filed["status"] for filed in body["registrations"]] == ["None"]


def test_a_registration_has_every_property_of_f1_7(cast: Cast, contoso: Api) -> None:
    deal = build.won(cast)
    filed = build.submitted(cast, deal, routed=True)
    body = shown(contoso, deal)
    assert body["registrationStatus"] == "Approved"
    (found,) = body["registrations"]
    assert set(found) == set(RegistrationShape().fields)
    assert found["id"] == str(filed.public_id)
    assert found["contract"] == {
        "value": 40_000,
        "currency": "EUR",
        "term": "Finite",
        "signDateTime": f"2026-11-17{MIDNIGHT}",
        "startDateTime": f"2026-11-17{MIDNIGHT}",
        "endDateTime": f"2027-11-16{MIDNIGHT}",
    }
    assert found["solutionDetails"] == [
        {
            "id": cast.solutions["factory"].code,
            "name": cast.solutions["factory"].name,
            "value": 30_000,
            "currency": "EUR",
            "isDeployedOnAzure": True,
            "primaryDeploymentOn": "Customer",
            "pricingModel": "Other",
            "marketplaceTransactionDetails": {
                "isMarketplaceTransacted": False,
                "marketplaceTransactionDateTime": None,
            },
        }
    ]
    assert found["annualContractValue"] == {
        "value": 40_000,
        "currency": "EUR",
        "valueUsd": 44_000,
        "rateMonth": "2026-11",
    }
    assert found["registrationDateTime"] == "2026-11-18T12:00:00.0000000Z"
    assert (found["outcome"], found["renews"], found["paygYearValue"]) == (None, None, None)
    assert found["contractNamesConfirmed"] is True
    history = found["statusHistory"]
    assert history["approvedDateTime"] == "2026-11-18T12:00:00.0000000Z"
    assert {name for name, value in history.items() if value} == {"approvedDateTime"}


def test_every_state_has_its_token_reason_and_date(cast: Cast, contoso: Api) -> None:
    filed = build.in_review(cast)
    deal = filed.referral

    def now() -> dict[str, Any]:
        (found,) = shown(contoso, deal)["registrations"]
        return found

    assert now()["status"] == "ReviewPending"
    assert "annual contract value" in now()["statusReason"]
    send_back(cast, filed, LATER)
    assert now()["status"] == "ActionRequired"
    assert now()["statusReason"] == "The dates don't match the signed contract. The start differs."
    assert now()["statusHistory"]["actionRequiredDateTime"] == "2026-11-18T13:00:00.0000000Z"
    do.resubmit(filed, build.form(tcv=BIG), actor=cast.actor(CONTOSO), now=LATER)
    reason = {"reason_code": "other", "comment": "No."}
    decide(cast, filed, "fail_review", LATER, **reason)
    assert (now()["status"], now()["outcome"]) == ("Failed", None)
    do.close(filed, now=LATER + 5 * DAY)
    assert (now()["status"], now()["outcome"]) == ("Closed", "Failed")
    assert now()["statusHistory"]["failedDateTime"] == "2026-11-18T13:00:00.0000000Z"
    assert now()["statusHistory"]["passedDateTime"] is None
    assert shown(contoso, deal)["registrationStatus"] == "Closed"


def test_every_state_and_outcome_has_a_token() -> None:
    assert set(states.WIRE_TOKENS) == set(Status)
    assert set(states.WIRE_OUTCOMES) == set(OUTCOMES)


def test_org_6_another_company_sees_no_registration(cast: Cast) -> None:
    """As on the deal's page: the vendor sees the deal, and nothing of its registration there."""
    deal = partner_led(cast)
    build.submitted(cast, deal, routed=True)
    vendor = Api(make_client(cast.companies["vendor"], role=roles.SELLER))
    body = shown(vendor, deal)
    assert (body["registrations"], body["registrationStatus"]) == ([], "None")


def test_the_registrations_of_many_deals_are_one_query(cast: Cast) -> None:
    for _number in range(3):
        build.submitted(cast, build.won(cast), routed=True)
    keys = list(Referral.objects.values_list("pk", flat=True))
    admin = cast.actor(CONTOSO)
    with CaptureQueriesContext(connection) as asked:
        found = representation.of_referrals(keys, admin)
    assert (len(found), len(asked)) == (3, 1)


# Eligibility -----------------------------------------------------------------------------------------------------


def test_eligibility_is_that_of_the_page(cast: Cast, contoso: Api) -> None:
    deal = build.deal(cast)
    body = contoso.get(at(deal, "/eligibility")).json()
    assert body["eligible"] is False
    assert [one["rule"] for one in body["criteria"]] == [f"ELIG-{n}" for n in range(1, 8)]
    by_code = {one["code"]: one for one in body["criteria"]}
    assert by_code["won"]["state"] == "notYet"
    waiting = by_code["vendor_accepted"]
    assert (waiting["state"], waiting["settledBy"]) == ("notYet", "vendor")
    assert waiting["settledAt"].endswith("Z")
    assert by_code["minimum_value"] == {
        "code": "minimum_value",
        "rule": "ELIG-3",
        "state": "met",
        "needed": "At least 25,000 USD",
        "actual": "40,000 EUR, worth 44,000 USD at the monthly rate of 2026-11",
        "settledBy": None,
        "settledAt": None,
        "message": "The estimated value reaches the minimum of 25,000 USD.",
    }
    won = build.won(cast)
    assert contoso.get(at(won, "/eligibility")).json()["eligible"] is True


# The check -------------------------------------------------------------------------------------------------------


def test_reg_15_the_check_says_what_filing_would_come_to(cast: Cast, contoso: Api) -> None:
    deal = build.won(cast)
    answer = contoso.post(at(deal, "/registrations/check"), sent(build.form()))
    assert answer.status_code == 200, answer.content
    assert answer.json() == {
        "violations": [],
        "annualContractValue": {"value": 40_000, "currency": "EUR", "valueUsd": 44_000, "rateMonth": "2026-11"},
        "route": {"state": "Approved", "reasons": []},
    }
    review = contoso.post(at(deal, "/registrations/check"), sent(build.form(tcv=BIG))).json()
    assert review["route"]["state"] == "ReviewPending"
    assert [reason["code"] for reason in review["route"]["reasons"]] == ["acv_above_review_limit"]
    assert Registration.objects.get(referral=deal).first_submitted_at is None


def test_reg_15_before_the_win_eligibility_comes_first(cast: Cast, contoso: Api) -> None:
    deal = build.accepted(cast)
    wrong = sent(build.form(term=None))
    body = contoso.post(at(deal, "/registrations/check"), wrong).json()
    first, *others = body["violations"]
    assert (first["code"], first["rule"], first["target"]) == ("not_eligible", "REG-14", "")
    assert [inner["code"] for inner in first["details"]] == ["won"]
    assert [one["target"] for one in others] == ["registrations/0/contract/term"]
    assert body["route"] == {"state": None, "reasons": []}


def test_reg_15_nothing_at_all_is_every_question(cast: Cast, contoso: Api) -> None:
    deal = build.won(cast)
    body = contoso.post(at(deal, "/registrations/check"), {}).json()
    assert "violations" in body, body
    assert {one["target"] for one in body["violations"]} <= set(TARGETS.values())
    assert len(body["violations"]) == 9
    assert body["annualContractValue"] is None


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("contract/value", "NaN"),
        ("contract/value", "1e400"),
        ("contract/value", 10**17),
        ("contract/value", True),
        ("contract/value", [1]),
        ("contract/currency", "EURO"),
        ("contract/currency", "ÄÖÜ"),
        ("contract/currency", 5),
        ("contract/term", "Forever"),
        ("contract/term", 5),
        ("contract/signDateTime", "0000-01-01"),
        ("contract/signDateTime", "0001-01-01T00:00:00+14:00"),
        ("contract/signDateTime", "9999-12-31T23:59:59-12:00"),
        ("contract/signDateTime", "2026-02-30"),
        ("contract/signDateTime", "yesterday"),
        ("contract/signDateTime", 20261118),
        ("contract", []),
        ("type", "Other"),
        ("solutionDetails", {}),
        ("solutionDetails/0", 7),
        ("solutionDetails/0/isDeployedOnAzure", "perhaps"),
        ("solutionDetails/0/marketplaceTransactionDetails", "yes"),
        ("paygYearValue", "Infinity"),
        ("renews", {}),
    ],
)
def test_what_cannot_be_read_is_400_with_its_target(cast: Cast, contoso: Api, path: str, given: Any) -> None:
    deal = build.won(cast)
    value: Any = sent(build.form())
    *above, last = path.split("/")
    place = value
    for key in above:
        place = place[int(key) if key.isdigit() else key]
    place[int(last) if last.isdigit() else last] = given
    answer = contoso.post(at(deal, "/registrations/check"), value)
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["target"].startswith(f"registrations/0/{path}")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("name", ["signDateTime", "startDateTime", "endDateTime"])
def test_the_ends_of_the_calendar_are_judged(cast: Cast, contoso: Api, day: str, name: str) -> None:
    deal = build.won(cast)
    value = sent(build.form())
    value["contract"][name] = day
    value["solutionDetails"][0]["marketplaceTransactionDetails"] = {
        "isMarketplaceTransacted": True,
        "marketplaceTransactionDateTime": day,
    }
    for pricing in ("PayAsYouGo", "Other"):
        value["solutionDetails"][0]["pricingModel"] = pricing
        answer = contoso.post(at(deal, "/registrations/check"), value)
        assert answer.status_code == 200, answer.content
        assert answer.json()["violations"]


def test_a_currency_without_a_rate_is_a_rule(cast: Cast, contoso: Api) -> None:
    deal = build.won(cast)
    value = sent(build.form())
    value["contract"]["currency"] = value["solutionDetails"][0]["currency"] = "xyz"
    (found,) = contoso.post(at(deal, "/registrations/check"), value).json()["violations"]
    assert (found["code"], found["target"]) == ("fx_rate_missing", "registrations/0/contract/value")


def test_keys_and_tokens_come_in_any_case_and_zeros_do_not_count(cast: Cast, contoso: Api) -> None:
    def shouted(value: Any) -> Any:
        match value:
            case dict():
                return {key.upper(): shouted(item) for key, item in value.items()}
            case list():
                return [shouted(item) for item in value]
            case str() if not value[:1].isdigit():
                return value.upper()
            case str() if "T" not in value:
                return f"{value}.0000"
        return value

    deal = build.won(cast)
    body = contoso.post(at(deal, "/registrations/check"), shouted(sent(build.form()))).json()
    assert body["route"]["state"] == "Approved"


def test_the_check_of_a_deal_is_its_own_companys(cast: Cast, contoso: Api) -> None:
    deal = partner_led(cast)
    other, vendor = cast.companies["fabrikam"], cast.companies["vendor"]
    for api, status in ((Api(make_client(other)), 404), (Api(make_client(vendor, role=roles.REVIEWER)), 403)):
        assert api.get(at(deal, "/eligibility")).status_code == status
        assert api.post(at(deal, "/registrations/check"), {}).status_code == status
    assert contoso.get(f"{REFERRALS}/nonsense/eligibility").status_code == 404


def test_a_check_asks_the_database_few_times(cast: Cast, contoso: Api) -> None:
    deal = build.won(cast)
    contoso.post(at(deal, "/registrations/check"), sent(build.form()))
    with CaptureQueriesContext(connection) as asked:
        contoso.post(at(deal, "/registrations/check"), sent(build.form()))
    assert len(asked) <= 16
    with CaptureQueriesContext(connection) as asked:
        contoso.get(at(deal, "/eligibility"))
    assert len(asked) <= 8
