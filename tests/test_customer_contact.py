"""The customer's contact after creation (REF-5)."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from portal.demo.cast import Cast
from portal.workflow.blockers import RuleViolation
from referrals.models import Referral
from tests import build, do
from tests.factories import DealFactory

pytestmark = pytest.mark.django_db


def test_ref_5_who_started_the_deal_corrects_the_contact_until_help_is_asked_for(cast: Cast, client: Client) -> None:
    deal = DealFactory(cast=cast, help_code="Unknown", vendor_may_view=False)
    client.force_login(cast.users[build.CONTOSO])
    address = reverse("act", args=[deal.public_id, "edit-contact"])
    assert address in client.get(reverse("deal", args=[deal.public_id])).content.decode()
    given = {"contact_name": "Ece Ak", "contact_phone": "+90 1", "contact_email": "ece@ege.example"}
    assert client.post(address, given).status_code == 302
    assert Referral.objects.get(pk=deal.pk).engagement.contact_name == "Ece Ak"
    asked = DealFactory(cast=cast)
    with pytest.raises(RuleViolation) as refused:
        do.edit_contact(asked, name="Ece Ak", actor=cast.actor(build.CONTOSO), now=build.NOW)
    assert refused.value.codes == ["contact_fixed"]
    assert "edit-contact" not in client.get(reverse("deal", args=[asked.public_id])).content.decode()
