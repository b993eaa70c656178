"""What strangers send, and what happens at the same time, around consents and licences (LIC-1 to LIC-8)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from licensing.models import LicenceLink, Licences
from licensing.services import invitations, links, tokens
from portal.accounts.models import User
from portal.demo import do
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.workflow.blockers import RuleViolation
from tests import isv
from tests import licences as make
from tests.edge import parse
from tests.licences import ADMIN, CONTOSO, NOW
from tests.test_concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)
INVITATIONS = "SELECT 1 FROM licensing_invitation WHERE id = ANY(%s) FOR UPDATE"
LICENCES = "SELECT 1 FROM licensing_licences WHERE id = %s FOR UPDATE"


def entered(held: Licences) -> Client:
    client = Client()
    client.post(reverse("licence_page", args=[make.newest_link(held.relationship)]))
    return client


def people_of(held: Licences, plan: int) -> str:
    return reverse("customer_plan", args=[held.relationship.public_id, held.public_id, plan])


def test_lic_8_an_address_is_measured_as_it_is_kept(cast: Cast) -> None:
    """LIC-8: in lower case, in which it may be longer."""
    invitation = make.invited(cast, make.isv_deal(cast)).invitation
    with pytest.raises(RuleViolation) as refusal:
        make.code_sent(invitation, email="İ" * 200 + "@anadolu.example")
    assert refusal.value.codes == ["email_invalid"]


def test_lic_4_a_file_with_nul_characters_is_refused(cast: Cast) -> None:
    """LIC-4: as UTF-16 has them; and keys that no row can have are nobody's."""
    held = make.given(cast, now=timezone.now())
    client = entered(held)
    url = people_of(held, make.plan(held.deal).pk)
    file = SimpleUploadedFile("people.csv", b"email\na\x00b@anadolu.example\n")
    refused = client.post(url, {"go": "upload", "file": file})
    assert refused.status_code == 422
    assert "Line 2: This line is not UTF-8." in parse(refused).text


@pytest.mark.parametrize("key", [2**31, 2**63, 10**25])
def test_lic_4_keys_that_no_row_can_have_are_nobodys(cast: Cast, key: int) -> None:
    """LIC-4: on the customer's pages and the partner's."""
    held = make.given(cast, now=timezone.now())
    client, partner = entered(held), Client()
    partner.force_login(User.objects.get(email=CONTOSO))
    assert client.get(people_of(held, key)).status_code == 404
    assert client.get(f"{people_of(held, make.plan(held.deal).pk)}?after={key}").status_code == 200
    assert partner.get(reverse("isv_remove_plan", args=[held.deal.public_id, key])).status_code == 404
