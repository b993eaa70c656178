"""Referrals in the API: reading them, with the quirks of the wire (F1.1, F1.4..F1.6)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.demo.cast import Cast
from referrals import verbs
from referrals.models import Referral
from referrals.selectors import notes, participants
from tests import build, do
from tests.api import Api, make_client
from tests.factories import DealFactory, vendor_copy

pytestmark = pytest.mark.django_db

REFERRALS = "/v1.0/engagements/referrals"
#: F1.5
PROPERTIES = """
    id engagementId name organizationId organizationName externalReferenceId campaignId createdDateTime
    updatedDateTime expirationDateTime acceptedDateTime closedDateTime status substatus statusReason type
    qualification direction eTag favorite salesStage quality isSpam mpnId referralProgram dealSensitivity
    createdVia lastModifiedVia lastRunId tags callToAction referralSource target customerProfile consent details
    team inviteContext links trackingInfo exception partnerRole solutionArea solutionPlay
"""


@pytest.fixture
def deal(cast: Cast) -> Referral:
    return DealFactory(cast=cast)


def at(deal: Referral, rest: str = "") -> str:
    return f"{REFERRALS}/{deal.public_id}{rest}"


def test_a_referral_has_every_property_of_f1_5_and_f1_6(contoso: Api, deal: Referral) -> None:
    response = contoso.get(at(deal))
    assert response.status_code == 200, response.content
    body = response.json()
    names = PROPERTIES.split()
    assert set(names) - set(body) == set()
    assert body["@odata.context"].endswith("#Referrals/$entity")
    assert body["eTag"] == response.headers["ETag"] == f'"{deal.version}"'
    assert (body["status"], body["substatus"], body["direction"], body["type"]) == (
        "Active", "Accepted", "Outgoing", "Shared",
    )  # fmt: skip
    assert body["acceptedDateTime"] == body["createdDateTime"] == "2026-11-08T12:00:00.0000000Z"
    assert body["details"]["dealValue"] == 40_000
    assert body["details"]["closingDateTime"].endswith("T00:00:00.0000000Z")
    assert body["details"]["requirements"]["solutions"][0]["id"] == "SOL-10001-CTS"
    assert body["details"]["requirements"]["additionalRequirements"]["attributes"] == [
        {"type": "CustomerMarketplaceIntent", "id": "HaveNotDecided"}
    ]
    assert body["consent"]["consentToToShareInfoWithOthers"] is True
    assert body["consent"]["consentToShareReferralWithMicrosoftSellers"] is True
    assert {"profileType": "Duns", "id": "510000011"} in body["customerProfile"]["ids"]
    assert body["customerProfile"]["isMatchingComplete"] is True
    assert body["customerProfile"]["team"][0]["firstName"] == "Deniz"
    assert body["team"][0]["email"] == "user@contoso.example"
    assert body["inviteContext"]["assistanceRequestCode"] == "ProofOfConceptOrDemo"
    assert body["inviteContext"]["invitedBy"]["organizationName"] == body["organizationName"]
    assert body["lastModifiedVia"] == "Portal"


@pytest.mark.parametrize("slashes", ["", "/", "//"])
@pytest.mark.parametrize("address", [REFERRALS, "/engagements/v1/referrals"])
def test_up_to_two_slashes_and_the_webhooks_address_are_the_same_resource(
    contoso: Api, deal: Referral, address: str, slashes: str
) -> None:
    assert contoso.get(f"{address}/{deal.public_id}{slashes}").json()["id"] == str(deal.public_id)
    assert contoso.get(f"{REFERRALS}{slashes}").json()["value"][0]["id"] == str(deal.public_id)


def test_related_referrals_are_linked(contoso: Api, deal: Referral) -> None:
    links = contoso.get(at(deal)).json()["links"]
    assert links["self"]["uri"].endswith(at(deal))
    assert links["relatedReferrals"]["uri"].endswith(f"$filter=engagementId%20eq%20{deal.engagement.public_id}")


@pytest.mark.parametrize("other", ["0197a3a0-0000-7000-8000-00000000beef", "none", "%F0%9F%98%80"])
def test_org_6_a_foreign_an_unknown_and_an_impossible_id_are_404(fabrikam: Api, deal: Referral, other: str) -> None:
    foreign, unknown = fabrikam.get(at(deal)), fabrikam.get(f"{REFERRALS}/{other}")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json() == unknown.json()
    assert foreign.json()["error"]["code"] == "itemNotFound"


def test_the_vendors_copy_is_a_card_to_the_partner(cast: Cast, contoso: Api, deal: Referral) -> None:
    copy = vendor_copy(deal)
    card = contoso.get(at(copy)).json()
    assert (card["organizationId"], card["substatus"], card["team"]) == ("msft", "Received", [])
    assert not {"details", "customerProfile", "name"} & set(card)
    build.accept(cast, copy, at=build.NOW)
    assert [member["email"] for member in contoso.get(at(copy)).json()["team"]] == ["seller@vendor.example"]


def test_the_vendor_sees_what_is_shared_with_it_without_the_companys_own_references(cast: Cast) -> None:
    deal = DealFactory(cast=cast, crm_id="006-17", campaign_id="spring")
    Referral.objects.filter(pk=deal.pk).update(wire_extras={"tags": ["own"]})
    vendor = Api(make_client(cast.companies["vendor"], role="seller"))
    body = vendor.get(at(deal)).json()
    assert body["name"] == deal.name
    assert (body["externalReferenceId"], body["campaignId"], body["tags"]) == (None, None, [])
    assert body["lastModifiedVia"] is None
    private = DealFactory(cast=cast, help_code="Unknown", vendor_may_view=False)
    assert vendor.get(at(private)).status_code == 404


def _invite_fabrikam(cast: Cast, deal: Referral) -> Referral:
    invitation = verbs.Invitation(
        partner=cast.companies["fabrikam"],
        close_date=deal.close_date,
        value=deal.money,
        help_code=build.HELP,
        team=[build.member()],
        solutions=[cast.solutions["twin"]],
    )
    return do.invite_partner(deal, invitation, actor=cast.actor(build.CONTOSO), now=build.NOW)


def test_ref_23_the_wires_note_is_the_newest_that_the_deals_page_shows(cast: Cast, deal: Referral) -> None:
    """Whoever wrote it, and whoever reads it; also on a copy that was closed before."""
    copies = [deal, vendor_copy(deal), _invite_fabrikam(cast, deal)]
    people = [build.CONTOSO, build.SELLER, "referrals@fabrikam.example"]
    do.decline(copies[2], reason_code="budget", actor=cast.actor(people[2]), now=build.NOW)
    for number, (copy, email) in enumerate(zip(copies[:2], people[:2], strict=True), 1):
        do.add_note(copy, text=f"From {email}", actor=cast.actor(email), now=build.NOW + number * build.DAY)
        for reader in people:
            actor = cast.actor(reader)
            for seen in Referral.objects.visible_to(actor).with_context():
                others = participants.others(seen, actor)
                newest = notes.readable(seen, actor, others).filter(shared=True).first()
                (found,) = Referral.objects.filter(pk=seen.pk).values_list(notes.newest_shared(actor), flat=True)
                assert found == (newest.text if newest else None), (reader, seen.company.name)


def test_org_6_cards_are_what_the_deals_page_shows(cast: Cast, deal: Referral) -> None:
    _invite_fabrikam(cast, deal)
    DealFactory(cast=cast, help_code="Unknown", vendor_may_view=False)
    for email in (build.CONTOSO, "referrals@fabrikam.example", "referrals@northwind.example", build.SELLER):
        actor = cast.actor(email)
        shown: set[int] = set()
        for own in Referral.objects.visible_to(actor).with_context():
            shown |= {copy.pk for copy in participants.others(own, actor)}
        whole = set(Referral.objects.visible_to(actor).values_list("pk", flat=True))
        assert set(participants.cards(actor).values_list("pk", flat=True)) == shown - whole


def _many(cast: Cast, count: int) -> None:
    for number in range(count):
        DealFactory(cast=cast, name=f"Deal {number}", notes="Known to all")


def test_a_list_asks_as_much_for_fifty_as_for_one(cast: Cast, contoso: Api) -> None:
    _many(cast, 3)
    contoso.get(REFERRALS)
    with CaptureQueriesContext(connection) as queries:
        body: dict[str, Any] = contoso.get(REFERRALS).json()
    assert len(body["value"]) == 3
    assert body["value"][0]["details"]["notes"] == "Known to all"
    assert len(queries) <= 6, [query["sql"][:200] for query in queries]
