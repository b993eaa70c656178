"""ISV Connect against its rules' edges: days, ids of deals that a reader may not see, and what stays as it was."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.urls import reverse

from dealreg.models import Registration
from dealreg.rules import RegistrationInput
from dealreg.services import drafts
from isvconnect import sweeps
from isvconnect.models import InvoiceRun, IsvDeal
from isvconnect.rules.values import IsvDealInput
from isvconnect.selectors import next_run
from isvconnect.selectors.prefill import prefill
from isvconnect.web.listing import ISV_DEALS
from portal.accounts import rules as roles
from portal.customers.models import Customer
from portal.demo.cast import ANKARA, Cast
from tests import build, do, isv
from tests.api import Api, make_client
from tests.edge import Live
from tests.isv import DAY, NOW, TODAY
from tests.test_isv_list import lines, made

DEALS = "/v1.0/isvconnect/deals"


def test_isv_6_a_rate_that_came_is_set_at_once_whenever_the_contract_starts(cast: Cast) -> None:
    """ISV-6: also where nothing is due yet, so that the deal doesn't say that it waits."""
    tomorrow, later = isv.deal(cast, start=TODAY + timedelta(days=1)), isv.deal(cast, start=TODAY + timedelta(days=30))
    assert sweeps.issue_due(now=NOW).pk is None
    isv.rates(cast)
    run = sweeps.issue_due(now=NOW)
    assert (run.rated, run.issued, run.waiting) == (2, 0, 0)
    assert [isv.again(deal).percent for deal in (tomorrow, later)] == [Decimal(20)] * 2
    assert isv.again(later).next_due_on == TODAY + timedelta(days=30)


def test_isv_6_what_is_due_today_waits_for_its_rate_today(cast: Cast) -> None:
    deal = isv.deal(cast, start=TODAY + timedelta(days=1))
    assert sweeps.issue_due(now=NOW + DAY).waiting == 1
    isv.rates(cast)
    assert sweeps.issue_due(now=NOW + DAY).issued == 1
    assert isv.numbers(deal) == ["ISV-000001"]


def test_isv_6_a_run_that_was_cut_off_set_no_fees_of_a_later_one(cast: Cast) -> None:
    deal, cut = isv.deal(cast), InvoiceRun.objects.create(started_at=NOW)
    isv.rates(cast)
    later = sweeps.issue_due(now=NOW + DAY)
    assert (next_run.rated_in(cut), next_run.rated_in(later)) == ([], [deal.pk])


# What the vendor may not know (REF-3, ORG-6)


def private(cast: Cast) -> IsvDeal:
    """Reported from a private deal, of which the vendor sees nothing."""
    given = {"help_code": "Unknown", "vendor_may_view": False, "name": "Between us"}
    referral = build.deal(cast, solutions=[isv.tagged(cast)], **given)
    return isv.deal(cast, referral=do.win(referral, actor=cast.actor(isv.CONTOSO), now=NOW))


def test_ref_3_isv_7_a_private_deal_is_in_no_list_or_file_of_the_vendors(cast: Cast) -> None:
    deal = private(cast)
    for person, sees in ((isv.CONTOSO, True), (isv.MANAGER, False)):
        (row,) = ISV_DEALS.rows(list(IsvDeal.objects.with_context()), cast.actor(person))
        assert (row.referral is not None) == sees
        (line,) = lines(made(cast, by=person))
        assert line["Deal id"] == (str(deal.referral.public_id) if sees and deal.referral else "")


def test_ref_3_isv_7_a_private_deal_has_no_id_in_the_vendors_api(cast: Cast) -> None:
    deal = private(cast)
    assert deal.referral
    own, secret = f"{DEALS}/{deal.public_id}", str(deal.referral.public_id)
    contoso = Api(make_client(cast.companies["contoso"]))
    vendor = Api(make_client(cast.companies["vendor"], role=roles.PROGRAMME_MANAGER, client_id="manages"))
    wanted = f"{DEALS}?$filter=referralId eq {secret}"
    assert contoso.get(own).json()["referralId"] == secret
    assert [found["referralId"] for found in contoso.get(wanted).json()["value"]] == [secret]
    assert vendor.get(own).json()["referralId"] is None
    assert [found["referralId"] for found in vendor.get(DEALS).json()["value"]] == [None]
    assert vendor.get(wanted).json()["value"] == []
    cancelled = vendor.post(f"{own}/actions", {"action": "cancel", "reason": "Rescinded."})
    assert (cancelled.status_code, cancelled.json()["referralId"]) == (200, None)


def test_ref_3_isv_5_the_administration_finds_no_deal_by_the_name_of_a_private_one(cast: Cast) -> None:
    private(cast)
    shared = isv.deal(cast, referral=isv.won(cast, name="Shared with all"))
    browser = Live(cast).browser(isv.MANAGER)
    address = reverse("admin:isvconnect_isvdeal_changelist")
    assert list(browser.get(address, {"q": "Between us"}).context["cl"].result_list) == []
    assert list(browser.get(address, {"q": "shared with"}).context["cl"].result_list) == [shared]


# What stays, and what is known


def test_isv_2_isv_3_the_customer_of_a_referral_is_known_whoever_named_them(cast: Cast) -> None:
    """ISV-3: as an inviting partner did, and nobody confirmed them yet."""
    referral = isv.won(cast)
    of_deal = Customer.objects.filter(pk=referral.engagement.customer_id)
    of_deal.update(added_by=cast.companies["fabrikam"], confirmed_at=None)
    assert isv.deal(cast, referral=referral).customer_id == referral.engagement.customer_id


def test_isv_5_isv_7_a_correction_leaves_the_location(cast: Cast) -> None:
    """ISV-7: it decides who sees the deal; the form says that it can't be changed, and the API keeps to that."""
    deal = isv.deal(cast)
    contoso = Api(make_client(cast.companies["contoso"]))
    answer = contoso.patch(f"{DEALS}/{deal.public_id}", {"mpnId": cast.locations[ANKARA].mpn_id})
    assert (answer.status_code, answer.json()["error"]["details"][0]["code"]) == (422, "location_stays")
    assert contoso.patch(f"{DEALS}/{deal.public_id}", {"mpnId": deal.location.mpn_id}).status_code == 200


def test_isv_3_a_refused_correction_adds_no_customer(cast: Cast) -> None:
    deal, before = isv.deal(cast), Customer.objects.count()
    contoso = Api(make_client(cast.companies["contoso"]))
    customer = {"name": "Yeni Müşteri", "address": {"country": "TR", "city": "Izmir", "addressLine1": "Liman 1"}}
    sent = {"action": "correct", "customerProfile": customer, "contract": {"value": 1}}
    assert contoso.post(f"{DEALS}/{deal.public_id}/actions", sent).status_code == 422
    assert Customer.objects.count() == before


# What is filled in


def drafted(cast: Cast, typed: dict[str, str]) -> IsvDealInput:
    referral = isv.won(cast, solutions=[isv.tagged(cast), isv.tagged(cast, "standard")])
    registration = Registration.objects.get(referral=referral)
    drafts.keep(registration, typed, RegistrationInput(), actor=cast.actor(isv.CONTOSO), now=NOW)
    type(referral).objects.filter(pk=referral.pk).update(signed_on=date(2026, 11, 10))
    return prefill(type(referral).objects.get(pk=referral.pk), now=NOW)


def test_isv_4_reg_19_the_solution_chosen_in_the_draft(cast: Cast) -> None:
    for solution in (isv.tagged(cast), isv.tagged(cast, "standard")):
        assert drafted(cast, {"solution": str(solution.public_id)}).solution == solution.pk
    for typed in ({"solution": "SOL-0"}, {}):
        assert drafted(cast, typed).solution == isv.tagged(cast).pk  # the registration's


def test_isv_4_the_start_is_never_before_the_signing_that_the_win_named(cast: Cast) -> None:
    found = drafted(cast, {"start": "2026-11-01"})
    assert (found.signed, found.start) == (date(2026, 11, 10), date(2026, 11, 10))


def test_isv_4_a_perpetual_contract_ends_with_the_calendar(cast: Cast) -> None:
    assert drafted(cast, {"start": "9999-06-01", "term": "perpetual"}).end == date.max
