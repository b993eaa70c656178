"""What strangers send, and what happens at the same time, around consents and licences (LIC-1 to LIC-8)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from licensing.models import LicenceLink, Licences, Relationship
from licensing.services import invitations, links, tokens
from portal.accounts.models import User
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.notify.services import deliver_due
from portal.workflow.blockers import RuleViolation
from tests import do, isv
from tests import licences as make
from tests.edge import parse
from tests.licences import ADMIN, CONTOSO, NOW, OTHER_TENANT
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


def test_lic_6_two_agree_for_one_tenant_at_once(cast: Cast) -> None:
    """LIC-6: each by the link of another deal; the second is told."""
    one, two = (make.invited(cast, make.isv_deal(cast)).invitation for _n in range(2))
    first = tokens.code(make.code_sent(one))
    second = tokens.code(make.code_sent(two, email="new@anadolu.example"))
    calls = [
        lambda: invitations.accept(one, typed=first, now=NOW).state,
        lambda: invitations.accept(two, typed=second, now=NOW).state,
    ]
    found = at_once(INVITATIONS, [[one.pk, two.pk]], *calls)
    assert sorted(found, key=str) == [["tenant_agreed"], "accepted"]


def test_lic_7_counts_are_changed_while_the_customer_agrees_anew(cast: Cast) -> None:
    """LIC-7: the licences stand on another consent by the time the partner gets at them."""
    given = make.given(cast, basic=5)
    make.revoked(given.relationship)
    invitation = make.invited(cast, given.deal).invitation
    typed = tokens.code(make.code_sent(invitation))
    calls = [
        lambda: invitations.accept(invitation, typed=typed, now=NOW).state,
        lambda: (make.updated(cast, given.deal, basic=4), "updated")[1],
    ]
    assert at_once(LICENCES, [given.pk], *calls, in_turn=True) == ["accepted", "updated"]


def test_lic_1_an_invitation_names_the_customer_that_the_deal_has_by_then(cast: Cast) -> None:
    """LIC-1: it was corrected after the caller read it."""
    deal, admin = make.isv_deal(cast), cast.actor(CONTOSO)
    stale = type(deal).objects.with_context().get(pk=deal.pk)
    do.correct_isv_deal(deal, replace(isv.again(deal).claim, customer=cast.customers["ege"].pk), actor=admin, now=NOW)
    assert make.invited(cast, stale).invitation.customer == cast.customers["ege"]


def test_lic_7_who_agrees_anew_does_not_resume_a_cancelled_deal(cast: Cast) -> None:
    """LIC-7: its counts stay frozen, and nobody is told otherwise."""
    given = make.given(cast, basic=5)
    isv.cancelled(cast, of=given.deal)
    make.revoked(given.relationship)
    make.consented(cast, make.isv_deal(cast))
    assert make.reload(given).is_frozen
    assert not Event.objects.filter(verb="licences.resumed").exists()


def test_lic_8_asking_for_links_keeps_no_news_from_the_customer(cast: Cast) -> None:
    """LIC-3, LIC-7, LIC-8: anybody who knows the address can ask; what has to be told is counted by itself."""
    given = make.given(cast, basic=5)
    for _n in range(15):
        links.send(ADMIN, now=NOW)
    make.removed(cast, given)
    make.revoked(given.relationship)
    assert [one.reason for one in LicenceLink.objects.order_by("-pk")[:2]] == ["frozen", "plan_removed"]


def test_lic_6_the_mail_with_the_code_says_what_it_agrees_to(cast: Cast) -> None:
    """LIC-6, LIC-8: only the newest code counts, and whoever has the link may have asked for it."""
    make.code_sent(make.invited(cast, make.isv_deal(cast)).invitation, tenant_guid=OTHER_TENANT)
    deliver_due(now=NOW)
    assert f"{OTHER_TENANT} kiracısı" in str(mail.outbox[-1].body)


def test_org_2_who_has_no_role_reads_no_consents(cast: Cast) -> None:
    """ORG-2, LIC-1: belonging to the company is not enough."""
    make.consented(cast, make.isv_deal(cast))
    admin = cast.actor(CONTOSO)
    assert Relationship.objects.visible_to(admin).exists()
    assert not Relationship.objects.visible_to(replace(admin, grants=frozenset())).exists()
