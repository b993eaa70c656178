"""Two at once around one deal's licences, on real connections: never over-assigned, answered once (LIC-1 to LIC-8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from licensing.models import Assignment, EmailCode, Invitation, Licences, Relationship
from licensing.services import codes, invitations, licences, links, tokens
from licensing.verbs import WITHDRAW_INVITATION, Update
from portal.accounts.models import User
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.workflow.services import run
from tests import isv
from tests import licences as make
from tests.factories import add_member
from tests.licences import CONTOSO, NOW, OTHER_TENANT
from tests.test_concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)

DEAL = "SELECT 1 FROM isvconnect_isvdeal WHERE id = %s FOR UPDATE"
INVITATION = "SELECT 1 FROM licensing_invitation WHERE id = %s FOR UPDATE"
RELATIONSHIP = "SELECT 1 FROM licensing_relationship WHERE id = %s FOR UPDATE"
LICENCES = "SELECT 1 FROM licensing_licences WHERE id = %s FOR UPDATE"

Call = Callable[[], Any]


def assigning(given: Licences, *emails: str) -> Call:
    return lambda: (make.assigned(given, *emails), "assigned")[1]


def counting(cast: Cast, given: Licences, by: str = CONTOSO, **counts: int) -> Call:
    form, actor = make.form(given.deal, **counts), cast.actor(by)
    return lambda: (licences.update(given.deal, form, actor=actor, now=NOW), "updated")[1]


def test_lic_4_two_assign_the_last_licence(cast: Cast) -> None:
    """LIC-4: one gets it, the other is told that there is none."""
    given = make.assigned(make.given(cast, basic=2), "first@anadolu.example")
    calls = assigning(given, "a@anadolu.example"), assigning(given, "b@anadolu.example")
    assert at_once(LICENCES, [given.pk], *calls, in_turn=True) == ["assigned", ["licences_spent"]]
    assert make.counts(given) == {"basic": (2, 2)}
    assert Assignment.objects.count() == 2


def test_lic_4_the_same_person_is_assigned_twice_at_once(cast: Cast) -> None:
    """LIC-4: they have one licence, and one is taken."""
    given = make.given(cast, basic=2)
    calls = assigning(given, "a@anadolu.example"), assigning(given, "A@anadolu.example")
    assert at_once(LICENCES, [given.pk], *calls, in_turn=True) == ["assigned", ["assigned_already"]]
    assert make.counts(given) == {"basic": (2, 1)}


@pytest.mark.parametrize("first", ["assign", "shrink"])
def test_lic_4_the_customer_assigns_while_the_count_shrinks(cast: Cast, first: str) -> None:
    """LIC-4: whichever comes first counts; the other is refused with the number as it is then."""
    given = make.assigned(make.given(cast, basic=5), *make.people(2))
    calls = [assigning(given, *make.people(2, 2)), counting(cast, given, basic=3)]
    found = at_once(LICENCES, [given.pk], *(calls if first == "assign" else calls[::-1]), in_turn=True)
    assert found == (["assigned", ["count_below_assigned"]] if first == "assign" else ["updated", ["licences_spent"]])
    assert make.counts(given) == ({"basic": (5, 4)} if first == "assign" else {"basic": (3, 2)})


@pytest.mark.parametrize("first", ["assign", "bin"])
def test_lic_3_the_customer_assigns_while_the_plan_is_removed(cast: Cast, first: str) -> None:
    """LIC-3: the confirmation named two; with three it is asked anew, and after the bin there is nothing to assign."""
    given = make.assigned(make.given(cast, basic=5), *make.people(2))
    calls = [assigning(given, "x@anadolu.example"), lambda: (make.removed(cast, given, confirmed=2), "removed")[1]]
    found = at_once(LICENCES, [given.pk], *(calls if first == "assign" else calls[::-1]), in_turn=True)
    assert found == (["assigned", ["confirm_removal"]] if first == "assign" else ["removed", ["plan_not_held"]])
    assert make.counts(given) == ({"basic": (5, 3)} if first == "assign" else {})


def test_lic_3_two_of_the_partners_people_change_counts_at_once(cast: Cast) -> None:
    """LIC-3, LIC-5: counts are absolute: the last one stands, and each event begins where the one before ended."""
    colleague = User.objects.create(email="second@contoso.example", first_name="Second", last_name="Admin")
    add_member(user=colleague, company=cast.companies["contoso"], roles=["referrals_admin"])
    cast.users[colleague.email] = colleague
    given = make.given(cast, basic=30)
    calls = counting(cast, given, basic=40), counting(cast, given, by=colleague.email, basic=35)
    assert at_once(DEAL, [given.deal_id], *calls, in_turn=True) == ["updated", "updated"]
    assert make.counts(given) == {"basic": (35, 0)}
    told = Event.objects.of_subject(given).filter(verb="licences.updated").order_by("pk")
    assert [(e.before["counts"]["basic"], e.after["counts"]["basic"]) for e in told] == [(30, 40), (40, 35)]


def test_lic_2_two_first_updates(cast: Cast) -> None:
    """LIC-2: one gives the licences and fixes the customer, the other is told."""
    deal = make.isv_deal(cast)
    one, two = make.consented(cast, deal), make.consented(cast, deal, tenant_guid=OTHER_TENANT)
    actor = cast.actor(CONTOSO)

    def giving(form: Update) -> Call:
        return lambda: (licences.update(deal, form, actor=actor, now=NOW), "given")[1]

    forms = make.form(deal, one, basic=5), make.form(deal, two, basic=6, confirmed=True)
    assert at_once(DEAL, [deal.pk], *map(giving, forms), in_turn=True) == ["given", ["licences_given"]]
    assert Licences.objects.get().relationship == one


def test_lic_1_lic_8_accepted_twice_at_once(cast: Cast) -> None:
    """LIC-1, LIC-8: one relationship, one event; the second click is told."""
    invitation = make.invited(cast, make.isv_deal(cast)).invitation
    typed = tokens.code(make.code_sent(invitation))

    def accept() -> str:
        return invitations.accept(invitation, typed=typed, now=NOW).state

    assert at_once(INVITATION, [invitation.pk], accept, accept, in_turn=True) == ["accepted", ["wrong_state"]]
    assert Relationship.objects.count() == 1
    assert Event.objects.filter(verb="consent.accepted").count() == 1


@pytest.mark.parametrize("first", ["accept", "withdraw", "invite"])
def test_lic_1_accept_against_withdraw(cast: Cast, first: str) -> None:
    """LIC-1: whichever comes first counts; a new link withdraws the old one, and leaves an answered one alone."""
    deal = make.isv_deal(cast)
    invitation, partner = make.invited(cast, deal).invitation, cast.actor(CONTOSO)
    typed = tokens.code(make.code_sent(invitation))

    def accept() -> str:
        return invitations.accept(invitation, typed=typed, now=NOW).state

    def withdraw() -> str:
        if first == "invite":
            return invitations.invite(deal, actor=partner, now=NOW).invitation.state
        return run(invitation, WITHDRAW_INVITATION, actor=partner, now=NOW).state

    calls = [accept, withdraw] if first == "accept" else [withdraw, accept]
    found = at_once(INVITATION, [invitation.pk], *calls, in_turn=True)
    expected = {"accept": ["accepted", ["wrong_state"]], "withdraw": ["withdrawn", ["wrong_state"]]}
    assert found == expected.get(first, ["sent", ["wrong_state"]])
    assert Relationship.objects.count() == (first == "accept")


def test_lic_1_accept_while_a_new_link_is_made(cast: Cast) -> None:
    """LIC-1: the answer came first, so it stands, and the new link waits for another one."""
    deal = make.isv_deal(cast)
    invitation, partner = make.invited(cast, deal).invitation, cast.actor(CONTOSO)
    typed = tokens.code(make.code_sent(invitation))

    def accept() -> str:
        return invitations.accept(invitation, typed=typed, now=NOW).state

    def invite() -> str:
        return invitations.invite(deal, actor=partner, now=NOW).invitation.state

    assert at_once(INVITATION, [invitation.pk], accept, invite, in_turn=True) == ["accepted", "sent"]
    assert sorted(Invitation.objects.values_list("state", flat=True)) == ["accepted", "sent"]


def test_lic_1_two_invite_at_once(cast: Cast) -> None:
    """LIC-1: one link waits, the one before it is withdrawn."""
    deal, partner = make.isv_deal(cast), cast.actor(CONTOSO)

    def invite() -> str:
        return invitations.invite(deal, actor=partner, now=NOW).invitation.state

    assert at_once(DEAL, [deal.pk], invite, invite) == ["sent", "sent"]
    assert sorted(Invitation.objects.values_list("state", flat=True)) == ["sent", "withdrawn"]


@pytest.mark.parametrize("first", ["revoke", "update"])
def test_lic_7_revoke_against_update(cast: Cast, first: str) -> None:
    """LIC-7: after the consent was taken back nothing is raised; what was raised before it stays."""
    given = make.given(cast, basic=5)
    calls = [lambda: make.revoked(given.relationship).state, counting(cast, given, basic=9)]
    found = at_once(RELATIONSHIP, [given.relationship_id], *(calls if first == "revoke" else calls[::-1]), in_turn=True)
    assert found == (["revoked", ["counts_frozen"]] if first == "revoke" else ["updated", "revoked"])
    assert make.counts(given) == {"basic": (5 if first == "revoke" else 9, 0)}
    assert make.reload(given).is_frozen


@pytest.mark.parametrize("first", ["cancel", "update"])
def test_lic_7_cancel_against_update(cast: Cast, first: str) -> None:
    """LIC-7: after the deal was cancelled nothing is raised."""
    given = make.given(cast, basic=5)
    calls = [lambda: isv.cancelled(cast, of=given.deal).status, counting(cast, given, basic=9)]
    found = at_once(DEAL, [given.deal_id], *(calls if first == "cancel" else calls[::-1]), in_turn=True)
    assert found == (["cancelled", ["counts_frozen"]] if first == "cancel" else ["updated", "cancelled"])
    assert make.counts(given) == {"basic": (5 if first == "cancel" else 9, 0)}


def test_lic_4_a_link_is_exchanged_twice_at_once(cast: Cast) -> None:
    """LIC-4: one visit."""
    given = make.given(cast)
    token = make.newest_link(given.relationship)
    link = links.of_token(token)
    assert link is not None

    def exchange() -> str:
        return links.exchange(token, now=NOW).actor.email

    statement = "SELECT 1 FROM licensing_licencelink WHERE id = %s FOR UPDATE"
    assert at_once(statement, [link.pk], exchange, exchange, in_turn=True) == [make.ADMIN, ["link_used"]]


def test_lic_8_guesses_at_once_are_all_counted(cast: Cast) -> None:
    """LIC-8: whoever guesses on many connections has no more attempts."""
    invitation = make.invited(cast, make.isv_deal(cast)).invitation
    code = make.code_sent(invitation)

    def guess() -> Any:
        return codes.confirm(invitation, make.wrong(code), now=NOW)

    statement = "SELECT 1 FROM licensing_emailcode WHERE id = %s FOR UPDATE"
    found = at_once(statement, [code.pk], *[guess] * 7)
    assert sorted(found) == [["code_spent"]] * 2 + [["code_wrong"]] * 5
    assert EmailCode.objects.get().attempts == 5


def test_lic_8_codes_asked_for_at_once_are_all_counted(cast: Cast) -> None:
    """LIC-8: five an invitation, however many ask at once."""
    invitation = make.invited(cast, make.isv_deal(cast)).invitation

    def send() -> str:
        return make.code_sent(invitation).email

    found = at_once(INVITATION, [invitation.pk], *[send] * 7, in_turn=True)
    assert found == [make.ADMIN] * 5 + [["mails_spent"]] * 2
    assert EmailCode.objects.count() == 5
