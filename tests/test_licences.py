"""Consents, counts and assignments through their services, on the real database (LIC-1 to LIC-8)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from licensing import sweeps
from licensing.models import (
    Assignment,
    EmailCode,
    Invitation,
    LicenceLink,
    Licences,
    PlanCount,
    Relationship,
)
from licensing.selectors import relationships as selectors
from licensing.services import codes, invitations, licences, links, tokens
from licensing.verbs import (
    ACCEPT,
    ASSIGN,
    INVITE,
    REMOVE_PLAN,
    REVOKE_CONSENT,
    UPDATE_LICENCES,
    WITHDRAW_INVITATION,
    Accept,
    Invite,
    People,
    Removal,
)
from portal.accounts.rules import SYSTEM, Actor
from portal.customers import services as customers
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.notify import selectors as notices
from portal.notify import services as notify
from portal.notify.models import Notice
from portal.workflow.blockers import RuleViolation
from portal.workflow.services import run
from tests import build, do, isv
from tests import licences as make
from tests.factories import CustomerFactory
from tests.licences import ADMIN, CONTOSO, DAY, NOW, OTHER_TENANT, TENANT
from tests.test_secrets import holding

FABRIKAM = "referrals@fabrikam.example"


def refused(call: Any, *args: Any, **given: Any) -> list[str]:
    """The codes with which the rules refuse it."""
    with pytest.raises(RuleViolation) as violation:
        call(*args, **given)
    return violation.value.codes


def told(verb: str) -> list[str]:
    """Who got a notice of the verb."""
    return sorted(Notice.objects.filter(event__verb=verb).values_list("email", flat=True))


def mailed(now: Any = NOW) -> list[str]:
    """The texts of the mails that go out now, with their receivers."""
    mail.outbox.clear()
    while notify.deliver_due(now=now):
        pass
    return [f"{message.to[0]}\n{message.subject}\n{message.body}" for message in mail.outbox]


# LIC-1: invitations ------------------------------------------------------------------------------------------------


def test_lic_1_a_link_is_shown_once_and_kept_by_its_hash(cast: Cast) -> None:
    """LIC-1, LIC-8: the database knows SHA-256 of the token, and neither an event nor a notice has the token."""
    made = make.invited(cast, make.isv_deal(cast))
    row = Invitation.objects.get()
    assert bytes(row.token_hash) == hashlib.sha256(made.token.encode()).digest()
    assert made.link.endswith(f"/consent/{made.token}/")
    assert (row.state, row.expires_at - NOW, row.company.name) == ("sent", timedelta(days=30), "Contoso Yazılım")
    found = invitations.of_token(made.token)
    assert found == row
    for event in Event.objects.all():
        assert made.token not in f"{event.before}{event.after}{event.comment}"
    assert not Notice.objects.filter(event__verb="consent.invited").exists()


def test_lic_1_a_tampered_link_is_nobodys(cast: Cast) -> None:
    """LIC-1: neither a changed letter, nor a token of another purpose, nor an unsigned one opens it."""
    made = make.invited(cast, make.isv_deal(cast))
    relationship = make.accepted(made.invitation)
    for token in (made.token[:-1], made.token + "A", made.token.upper(), "x", "", made.token.split(".")[0]):
        assert invitations.of_token(token) is None
    link = make.newest_link(relationship)
    assert invitations.of_token(link) is None
    assert links.of_token(made.token) is None


def test_lic_1_lic_8_no_row_holds_what_a_link_does(cast: Cast) -> None:
    """LIC-1, LIC-8: in no table, before the mail and after it; links go on working after SECRET_KEY was changed."""
    made = make.invited(cast, make.isv_deal(cast))
    other = make.invited(cast, make.isv_deal(cast))
    relationship = make.accepted(made.invitation)
    link = make.newest_link(relationship)
    secrets = [token for whole in (made.token, other.token, link) for token in (whole, whole.rpartition(".")[2])]
    assert holding(*secrets, "/consent/") == []
    mailed()
    assert holding(*secrets, "/consent/") == []
    assert holding(hashlib.sha256(link.encode()).hexdigest()) == ["licensing_licencelink"]
    with override_settings(SECRET_KEY="another-key-of-the-same-portal-" * 2):
        assert invitations.of_token(other.token) == other.invitation
        assert links.exchange(link, now=NOW).relationship == relationship


def test_lic_8_only_the_mailbox_sees_the_code(cast: Cast) -> None:
    """LIC-8: neither the list of a person who has an account, nor the administration."""
    code = make.code_sent(make.invited(cast, make.isv_deal(cast)).invitation, email=FABRIKAM)
    (notice,) = Notice.objects.filter(category="consent_code")
    assert notice.user == cast.users[FABRIKAM]
    shown, sent = notices.rendered(notice).body, notices.rendered(notice, mailed=True).body
    assert (tokens.code(code) in shown, tokens.code(code) in sent) == (False, True)


def test_lic_1_a_new_link_replaces_the_old_one(cast: Cast) -> None:
    """LIC-1: at most one of a deal waits for an answer, which the database guarantees too."""
    deal = make.isv_deal(cast)
    old, new = make.invited(cast, deal), make.invited(cast, deal)
    assert [made.state for made in Invitation.objects.filter(deal=deal).order_by("-pk")] == ["sent", "withdrawn"]
    again = invitations.of_token(old.token)
    assert again is not None
    assert refused(invitations.refuse, again, now=NOW) == ["wrong_state"]
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.filter(pk=old.invitation.pk).update(state="sent")
    assert invitations.refuse(new.invitation, now=NOW).state == "refused"


def test_lic_1_isv_7_who_may_invite(cast: Cast) -> None:
    """LIC-1, ISV-7: a referrals admin of the deal's location; to others it is as if there were no such thing."""
    deal = make.isv_deal(cast)
    for email in ("user@contoso.example", "viewer@contoso.example", "admin@contoso.example", "ankara@contoso.example"):
        with pytest.raises(PermissionDenied):
            invitations.invite(deal, actor=cast.actor(email), now=NOW)
    for email in (FABRIKAM, build.SELLER, "manager@vendor.example"):
        with pytest.raises(PermissionDenied):
            invitations.invite(deal, actor=cast.actor(email), now=NOW)
    with pytest.raises(PermissionDenied):
        invitations.invite(deal, actor=Actor(kind="person", email=ADMIN), now=NOW)
    made = invitations.invite(deal, actor=cast.actor(CONTOSO), now=NOW)
    assert made.invitation.sent_by == cast.users[CONTOSO]


def test_lic_1_withdrawn_and_refused_are_over(cast: Cast) -> None:
    """LIC-1: single use; the partner hears of the refusal."""
    withdrawn = make.invited(cast, make.isv_deal(cast)).invitation
    with pytest.raises(PermissionDenied):
        run(withdrawn, WITHDRAW_INVITATION, actor=cast.actor("viewer@contoso.example"), now=NOW)
    done = run(withdrawn, WITHDRAW_INVITATION, actor=cast.actor(CONTOSO), now=NOW)
    assert (done.state, done.answered_at) == ("withdrawn", NOW)
    assert refused(codes.send, done, make.statement(), now=NOW) == ["wrong_state"]
    other = make.invited(cast, make.isv_deal(cast)).invitation
    assert invitations.refuse(other, now=NOW).state == "refused"
    assert told("consent.refused") == [CONTOSO]
    assert refused(invitations.refuse, other, now=NOW) == ["wrong_state"]
    assert not Relationship.objects.exists()


def test_lic_1_an_invitation_expires_after_30_days(cast: Cast) -> None:
    """LIC-1, JOB: from its last instant on, before and after the worker came by; a second sweep changes nothing."""
    made = make.invited(cast, make.isv_deal(cast))
    due = make.after(30)
    assert made.invitation.state_at(due - timedelta(seconds=1)) == "sent"
    assert made.invitation.state_at(due) == "expired"
    assert refused(codes.send, made.invitation, make.statement(), now=due) == ["consent_link_expired"]
    assert refused(invitations.refuse, made.invitation, now=due) == ["consent_link_expired"]
    assert sweeps.expire_invitations(now=due - timedelta(seconds=1)) == 0
    assert (sweeps.expire_invitations(now=due), sweeps.expire_invitations(now=due)) == (1, 0)
    assert Invitation.objects.get().state == "expired"
    assert told("consent.expired") == [CONTOSO]


def test_lic_1_a_code_sent_in_time_and_typed_too_late(cast: Cast) -> None:
    """LIC-1, LIC-8: a code never outlives its invitation."""
    made = make.invited(cast, make.isv_deal(cast))
    code = make.code_sent(made.invitation, now=make.after(30) - timedelta(minutes=1))
    assert code.expires_at == make.after(30)
    typed = tokens.code(code)
    assert refused(invitations.accept, made.invitation, typed=typed, now=make.after(30)) == ["code_expired"]


# LIC-6, LIC-8: agreeing --------------------------------------------------------------------------------------------


def test_lic_8_nothing_counts_before_the_code(cast: Cast) -> None:
    """LIC-8: without a code, with another's code, with a wrong one; the right one makes the relationship."""
    invitation = make.invited(cast, make.isv_deal(cast)).invitation
    assert refused(invitations.accept, invitation, typed="000000", now=NOW) == ["code_wrong"]
    code = make.code_sent(invitation)
    holder = invitations.holder(invitation, code)
    assert refused(run, invitation, ACCEPT, Accept(code), actor=holder, now=NOW) == ["email_unconfirmed"]
    other = make.invited(cast, make.isv_deal(cast)).invitation
    others = make.code_sent(other, email="else@anadolu.example")
    codes.confirm(other, tokens.code(others), now=NOW)
    assert refused(run, invitation, ACCEPT, Accept(others), actor=holder, now=NOW) == ["email_unconfirmed"]
    assert refused(invitations.accept, invitation, typed=make.wrong(code), now=NOW) == ["code_wrong"]
    done = invitations.accept(invitation, typed=f" {tokens.code(code)} ", now=NOW)
    made = Relationship.objects.get()
    assert (done.state, done.relationship, done.answered_at) == ("accepted", made, NOW)
    assert (made.admin_name, made.admin_email, made.language) == ("Defne Kaya", ADMIN, "tr")
    assert (made.company, made.customer, made.tenant_guid) == (invitation.company, invitation.customer, TENANT)
    assert refused(invitations.accept, invitation, typed=tokens.code(code), now=NOW) == ["wrong_state"]
    assert told("consent.accepted") == [CONTOSO]


def test_lic_8_a_code_has_five_attempts_and_fifteen_minutes(cast: Cast) -> None:
    """LIC-8: wrong ones are counted, and after the fifth the right one is refused; only the newest code counts."""
    invitation = make.invited(cast, make.isv_deal(cast)).invitation
    code = make.code_sent(invitation)
    for _attempt in range(5):
        assert refused(codes.confirm, invitation, make.wrong(code), now=NOW) == ["code_wrong"]
    assert refused(codes.confirm, invitation, tokens.code(code), now=NOW) == ["code_spent"]
    assert EmailCode.objects.get().attempts == 5
    newer = make.code_sent(invitation)
    if tokens.code(newer) != tokens.code(code):
        assert refused(codes.confirm, invitation, tokens.code(code), now=NOW) == ["code_wrong"]
    late = NOW + timedelta(minutes=15)
    assert refused(codes.confirm, invitation, tokens.code(newer), now=late) == ["code_expired"]
    assert codes.confirm(invitation, tokens.code(newer), now=late - timedelta(seconds=1)).confirmed_at


def test_lic_8_the_code_is_in_the_mail_and_nowhere_else(cast: Cast) -> None:
    """LIC-8: the mail goes out in the admin's language, to the address entered; no row holds the digits."""
    code = make.code_sent(make.invited(cast, make.isv_deal(cast)).invitation)
    digits = tokens.code(code)
    (text,) = mailed()
    assert text.startswith(ADMIN)
    assert digits in text
    assert "/consent/" not in text
    assert re.fullmatch(r"\d{6}", digits)
    (notice,) = Notice.objects.filter(category="consent_code")
    assert notice.language == "tr"
    for row in (notice, notice.event, EmailCode.objects.get()):
        values = {f.attname: str(getattr(row, f.attname)) for f in row._meta.concrete_fields if f.attname != "xid"}
        assert digits not in "".join(v for k, v in values.items() if not k.endswith(("_at", "id", "at")))


def test_lic_8_ref_24_mail_to_strangers_is_limited(cast: Cast) -> None:
    """LIC-8, REF-24: five codes an invitation; a hundred mails a company and day, links included."""
    deal = make.isv_deal(cast)
    invitation = make.invited(cast, deal).invitation
    for number in range(5):
        make.code_sent(invitation, email=f"a{number}@anadolu.example")
    assert refused(make.code_sent, invitation) == ["mails_spent"]
    fresh = make.invited(cast, deal).invitation
    EmailCode.objects.bulk_create(
        EmailCode(invitation=invitation, email=ADMIN, name="x", tenant_guid=TENANT, created_at=NOW, expires_at=NOW)
        for _number in range(95)
    )
    assert refused(make.code_sent, fresh) == ["mails_spent"]
    tomorrow = NOW + DAY
    relationship = make.accepted(fresh, now=tomorrow)
    assert LicenceLink.objects.filter(relationship=relationship).count() == 1


def test_lic_8_only_who_confirmed_an_address_is_mailed(cast: Cast) -> None:
    """LIC-8: inviting mails nobody; asking for a link with any other address mails nobody, and looks the same."""
    deal = make.isv_deal(cast)
    made = make.invited(cast, deal)
    assert mailed() == []
    make.accepted(made.invitation)
    assert [text.split("\n")[0] for text in mailed()] == [ADMIN, ADMIN, CONTOSO]
    assert links.send("nobody@anadolu.example", now=NOW) is None
    assert mailed() == []
    assert links.send(f" {ADMIN.upper()} ", now=NOW) is None
    (text,) = mailed()
    assert text.startswith(ADMIN)


def test_lic_6_one_relationship_for_a_company_a_customer_and_a_tenant(cast: Cast) -> None:
    """LIC-6: agreeing again for the same tenant finds it; another tenant is another relationship."""
    deal = make.isv_deal(cast)
    first = make.consented(cast, deal)
    assert make.consented(cast, deal) == first
    other = make.consented(cast, deal, tenant_guid=OTHER_TENANT)
    assert other != first
    assert list(selectors.consented(deal.company_id)) == sorted([first, other], key=lambda r: str(r.tenant_guid))
    assert not selectors.consented(cast.companies["fabrikam"].pk).exists()


def test_lic_6_another_admin_does_not_take_a_tenant_over(cast: Cast) -> None:
    """LIC-6, LIC-8: whoever holds a later link doesn't get the page of the admin who agreed first."""
    deal = make.isv_deal(cast)
    first = make.consented(cast, deal)
    invitation = make.invited(cast, deal).invitation
    assert refused(make.accepted, invitation, email="new@anadolu.example") == ["tenant_agreed"]
    assert Relationship.objects.get() == first
    make.revoked(first)
    assert make.accepted(invitation, email="new@anadolu.example") != first


# LIC-2 to LIC-5: counts --------------------------------------------------------------------------------------------


def test_lic_2_the_first_update_gives_licences_and_fixes_the_customer(cast: Cast) -> None:
    """LIC-2: the reasons come from the same rules that refuse; afterwards another customer is refused."""
    deal, admin = make.isv_deal(cast), cast.actor(CONTOSO)
    empty = make.form(deal)
    assert [b.code for b in licences.refusals(deal, empty, actor=admin, now=NOW)] == [
        "customer_required",
        "plan_required",
    ]
    assert refused(licences.update, deal, empty, actor=admin, now=NOW) == ["customer_required", "plan_required"]
    relationship = make.consented(cast, deal)
    assert refused(make.updated, cast, deal, relationship, basic=0) == ["count_not_positive"]
    assert refused(make.updated, cast, deal, relationship, classic=5) == ["plan_not_offered"]
    given = make.updated(cast, deal, relationship, basic=30, premium=5)
    assert make.counts(given) == {"basic": (30, 0), "premium": (5, 0)}
    other = make.consented(cast, deal, tenant_guid=OTHER_TENANT)
    assert refused(make.updated, cast, deal, other, basic=40) == ["customer_fixed"]
    assert make.counts(make.updated(cast, deal, basic=40)) == {"basic": (40, 0), "premium": (5, 0)}


def test_lic_2_a_plan_of_another_solution_is_unknown(cast: Cast) -> None:
    """LIC-2: plans are those of the deal's solution."""
    deal, other = make.isv_deal(cast), make.isv_deal(cast, solution=cast.solutions["field"])
    relationship = make.consented(cast, deal)
    form = make.form(other, relationship, basic=5)
    assert refused(licences.update, deal, form, actor=cast.actor(CONTOSO), now=NOW) == ["plan_unknown"]


def test_lic_1_org_6_another_companys_customer_is_none(cast: Cast) -> None:
    """LIC-1, ORG-6: a consent given to another company is as unknown as one that there is not."""
    deal = make.isv_deal(cast)
    relationship = make.consented(cast, deal)
    Relationship.objects.filter(pk=relationship.pk).update(company=cast.companies["fabrikam"])
    assert refused(make.updated, cast, deal, relationship, basic=5) == ["customer_required"]


def test_lic_6_another_customer_or_tenant_is_asked_about(cast: Cast) -> None:
    """LIC-6: before the first update, and a yes is enough."""
    deal = make.isv_deal(cast, customer=cast.customers["ege"], tenant_guid=OTHER_TENANT)
    relationship = make.consented(cast, make.isv_deal(cast))
    assert refused(make.updated, cast, deal, relationship, basic=5) == ["other_customer", "other_tenant"]
    given = make.updated(cast, deal, relationship, basic=5, confirmed=True)
    assert given.relationship == relationship
    assert make.counts(make.updated(cast, deal, basic=6)) == {"basic": (6, 0)}


def test_lic_4_a_reduction_below_what_is_assigned_names_the_number(cast: Cast) -> None:
    """LIC-4: refused with the number; to the number it goes."""
    given = make.assigned(make.given(cast, basic=10), *make.people(4))
    with pytest.raises(RuleViolation) as violation:
        make.updated(cast, given.deal, basic=3)
    (blocker,) = violation.value.blockers
    assert (blocker.code, blocker.params["assigned"]) == ("count_below_assigned", 4)
    assert make.counts(make.updated(cast, given.deal, basic=4)) == {"basic": (4, 4)}


def test_lic_4_the_customer_assigns_at_once_and_never_more_than_counted(cast: Cast) -> None:
    """LIC-4: many addresses at once, however they are written; all of them or none."""
    given = make.given(cast, basic=3)
    make.assigned(given, " Ali@Anadolu.example", "ali@anadolu.example ", "bora@anadolu.example")
    assert make.holders(given) == ["ali@anadolu.example", "bora@anadolu.example"]
    assert refused(make.assigned, given, *make.people(2)) == ["licences_spent"]
    assert make.counts(given) == {"basic": (3, 2)}
    make.assigned(given, "ali@anadolu.example", "can@anadolu.example")
    assert make.counts(given) == {"basic": (3, 3)}
    make.unassigned(given, "ALI@anadolu.example")
    assert make.counts(given) == {"basic": (3, 2)}
    assert refused(make.unassigned, given, "ali@anadolu.example") == ["not_assigned"]
    assert refused(make.assigned, given, "x@anadolu.example", code="premium") == ["plan_not_held"]
    (shown,) = selectors.given_to(given.relationship)
    assert [(row.plan.name, row.count, row.assigned) for row in shown.counts.all()] == [("Basic", 3, 2)]


def test_lic_4_the_database_holds_it_too(cast: Cast) -> None:
    """LIC-4: whatever writes past the verbs, more assigned than counted is no row."""
    given = make.assigned(make.given(cast, basic=2), *make.people(2))
    for change in ({"count": 1}, {"assigned": 3}, {"count": 0, "assigned": 0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            PlanCount.objects.filter(licences=given).update(**change)


def test_lic_4_only_the_customers_admin_assigns(cast: Cast) -> None:
    """LIC-4: not the partner, not the vendor, no other customer's admin, nobody with an account."""
    given = make.given(cast)
    people = People(make.plan(given.deal).pk, ("a@x.example",))
    strangers = [
        cast.actor(CONTOSO),
        cast.actor("manager@vendor.example"),
        Actor(kind="person", email="it@ege.example"),
        Actor(kind="person", user_id=cast.users[CONTOSO].pk, email=ADMIN),
        Actor(kind="client", email=ADMIN),
        SYSTEM,
    ]
    for actor in strangers:
        with pytest.raises(PermissionDenied):
            run(given, ASSIGN, people, actor=actor, now=NOW)
        with pytest.raises(PermissionDenied):
            run(given.relationship, REVOKE_CONSENT, actor=actor, now=NOW)
    customer = make.admin(given)
    for verb, inputs in ((UPDATE_LICENCES, make.form(given.deal, basic=99)), (REMOVE_PLAN, Removal(people.plan))):
        with pytest.raises(PermissionDenied):
            run(given, verb, inputs, actor=customer, now=NOW)
    with pytest.raises(PermissionDenied):
        run(None, INVITE, Invite(given.deal, b"x"), actor=customer, now=NOW)


def test_lic_3_the_bin_ends_assignments_after_a_confirmation_and_tells_the_customer(cast: Cast) -> None:
    """LIC-3: the number confirmed must be the number there is; the other plan stays."""
    given = make.assigned(make.given(cast, basic=5, premium=2), *make.people(3))
    assert refused(make.removed, cast, given) == ["confirm_removal"]
    assert refused(make.removed, cast, given, confirmed=2) == ["confirm_removal"]
    mailed()
    make.removed(cast, given, confirmed=3)
    assert make.counts(given) == {"premium": (2, 0)}
    assert not Assignment.objects.exists()
    (text,) = mailed()
    assert text.startswith(ADMIN)
    assert "Basic" in text
    assert "3" in text
    assert "/licences/" in text
    assert refused(make.removed, cast, given) == ["plan_not_held"]
    make.removed(cast, given, "premium")
    assert make.counts(given) == {}
    assert refused(make.updated, cast, given.deal, basic=0) == ["count_not_positive"]
    assert make.counts(make.updated(cast, given.deal, basic=1)) == {"basic": (1, 0)}


def history(held: Licences) -> Iterator[tuple[str, str, int, int, str, int]]:
    """What changed, newest first: counts or assignments, the plan, from, to, by whom, after how many days."""
    for event in Event.objects.of_subject(held).select_related("actor_user").order_by("-at", "-pk"):
        for kind, key in (("count", "counts"), ("assigned", "assigned")):
            for code, became in event.after.get(key, {}).items():
                name, was = event.after.get("plans", {}).get(code, code), event.before.get(key, {}).get(code, 0)
                yield kind, name, was, became, event.actor_name, (event.at - NOW).days


def test_lic_5_every_change_is_kept(cast: Cast) -> None:
    """LIC-5: plan, from, to, who, when; the customer's are numbers, and no address is in any event."""
    given = make.given(cast, basic=30)
    make.updated(cast, given.deal, basic=40, premium=5, now=make.after(1))
    make.assigned(given, *make.people(2), now=make.after(2))
    make.unassigned(given, *make.people(1), now=make.after(3))
    make.removed(cast, given, confirmed=1, now=make.after(4))
    assert list(history(given)) == [
        ("count", "Basic", 40, 0, "Rüya İpekçi", 4),
        ("assigned", "Basic", 2, 1, "Defne Kaya", 3),
        ("assigned", "Basic", 0, 2, "Defne Kaya", 2),
        ("count", "Basic", 30, 40, "Rüya İpekçi", 1),
        ("count", "Premium", 0, 5, "Rüya İpekçi", 1),
        ("count", "Basic", 0, 30, "Rüya İpekçi", 0),
    ]
    for event in Event.objects.all():
        assert "@anadolu" not in f"{event.before}{event.after}{event.comment}{event.reasons}"


def test_lic_3_the_same_counts_once_more_are_no_change(cast: Cast) -> None:
    """LIC-3, LIC-5: counts are absolute, so saying them twice adds nothing to the history."""
    given = make.given(cast, basic=30)
    before = Event.objects.count()
    again = make.updated(cast, given.deal, basic=30)
    assert (again.version, Event.objects.count()) == (given.version, before)
    viewer = cast.actor("viewer@contoso.example")
    with pytest.raises(PermissionDenied):
        licences.update(given.deal, make.form(given.deal, basic=30), actor=viewer, now=NOW)


def test_lic_4_assigning_takes_nothing_from_the_partners_page(cast: Cast) -> None:
    """LIC-4, REF-21: a page that showed the version before may still be saved, as counts are judged anew."""
    given = make.given(cast, basic=5)
    make.assigned(given, *make.people(2))
    with pytest.raises(RuleViolation) as stale:
        licences.update(
            given.deal, make.form(given.deal, basic=6), actor=cast.actor(CONTOSO), now=NOW, expected_version=1
        )
    assert stale.value.codes == ["stale"]
    assert stale.value.changes == {}  # type: ignore[attr-defined]


# LIC-7: frozen -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("why", ["cancelled", "revoked"])
def test_lic_7_counts_freeze_and_assignments_stay(cast: Cast, why: str) -> None:
    """LIC-7: lowered and removed they may be, raised not; both sides are told, once each."""
    given = make.assigned(make.given(cast, basic=5, premium=5), *make.people(3))
    waiting = make.invited(cast, given.deal).invitation
    mailed()
    if why == "cancelled":
        isv.cancelled(cast, of=given.deal)
    else:
        make.revoked(given.relationship)
    assert (told("licences.frozen"), told("licence_mail.link")[-1:]) == ([CONTOSO], [ADMIN])
    assert [text.split("\n")[0] for text in mailed()].count(ADMIN) == 1
    assert make.reload(given).is_frozen
    for counts in ({"basic": 6}, {"premium": 6}):
        assert refused(make.updated, cast, given.deal, **counts) == ["counts_frozen"]
    assert make.counts(given) == {"basic": (5, 3), "premium": (5, 0)}
    make.updated(cast, given.deal, basic=4)
    make.removed(cast, given, "premium")
    assert make.counts(given) == {"basic": (4, 3)}
    assert make.holders(given) == make.people(3)
    make.unassigned(given, *make.people(1))
    still = Invitation.objects.get(pk=waiting.pk)
    assert still.state == ("withdrawn" if why == "cancelled" else "sent")
    if why == "cancelled":
        assert refused(make.invited, cast, given.deal) == ["deal_cancelled"]


def test_lic_7_nothing_is_given_on_a_cancelled_deal_or_a_revoked_consent(cast: Cast) -> None:
    """LIC-7: not by the first update either."""
    deal, other = make.isv_deal(cast), make.isv_deal(cast)
    relationship = make.consented(cast, deal)
    isv.cancelled(cast, of=deal)
    assert refused(make.updated, cast, deal, relationship, basic=1) == ["counts_frozen"]
    make.revoked(relationship)
    assert refused(make.updated, cast, other, relationship, basic=1) == ["consent_revoked"]
    assert not Licences.objects.exists()
    assert not selectors.consented(deal.company_id).exists()


def test_lic_7_who_agrees_anew_goes_on(cast: Cast) -> None:
    """LIC-7: the same admin for the same tenant: the counts can be raised again; for another admin they stay frozen."""
    given = make.assigned(make.given(cast, basic=5), *make.people(3))
    make.revoked(given.relationship)
    other = make.consented(cast, given.deal, email="new@anadolu.example")
    assert make.reload(given).is_frozen
    make.revoked(other)
    anew = make.consented(cast, given.deal)
    fresh = make.reload(given)
    assert (fresh.relationship, fresh.is_frozen, make.counts(fresh)) == (anew, False, {"basic": (5, 3)})
    assert make.counts(make.updated(cast, given.deal, basic=6)) == {"basic": (6, 3)}
    assert told("licences.resumed") == [CONTOSO]


# Links to the licence page -----------------------------------------------------------------------------------------


def test_lic_4_a_link_opens_the_page_once(cast: Cast) -> None:
    """LIC-4: looking at it changes nothing, however often a scanner does; the exchange uses it up for an hour."""
    given = make.given(cast)
    token = make.newest_link(given.relationship)
    for _scan in range(3):
        link = links.of_token(token)
        assert link is not None
        assert links.state_of(link, NOW) == "good"
    visit = links.exchange(token, now=NOW)
    assert (visit.relationship, visit.actor.email, visit.until) == (given.relationship, ADMIN, NOW + timedelta(hours=1))
    assert refused(links.exchange, token, now=NOW) == ["link_used"]
    kept = visit.to_session()
    assert links.from_session(kept, now=NOW + timedelta(minutes=59)) == visit
    assert links.from_session(kept, now=NOW + timedelta(hours=1)) is None
    assert links.from_session(None, now=NOW) is None


def test_lic_4_tampered_and_old_links_open_nothing(cast: Cast) -> None:
    """LIC-4, LIC-8: each in its own words; a link of one customer's shows only theirs."""
    given = make.given(cast)
    token = make.newest_link(given.relationship)
    for wrong in (token[:-1], token + "x", "x", "", tokens.new_invitation()):
        assert refused(links.exchange, wrong, now=NOW) == ["link_unknown"]
    assert refused(links.exchange, token, now=make.after(1)) == ["link_expired"]
    forged = LicenceLink(relationship=given.relationship)
    assert refused(links.exchange, tokens.of_link(forged), now=NOW) == ["link_unknown"]


def test_lic_8_links_are_limited_by_consent_and_day(cast: Cast) -> None:
    """LIC-8: ten a day; the answer stays the same, and the next day there are more."""
    relationship = make.consented(cast, make.isv_deal(cast))
    for _time in range(12):
        links.send(ADMIN, now=NOW)
    assert relationship.links.count() == 10
    links.send(ADMIN, now=make.after(1))
    assert relationship.links.count() == 11


def test_lic_4_a_mail_tried_again_holds_the_same_link(cast: Cast) -> None:
    """LIC-4, JOB: what is kept is its hash, and no notice has it."""
    relationship = make.consented(cast, make.isv_deal(cast))
    token = make.newest_link(relationship)
    assert bytes(LicenceLink.objects.get().token_hash) == hashlib.sha256(token.encode()).digest()
    assert any(f"/licences/{token}/" in text for text in mailed())
    for notice in Notice.objects.all():
        assert token not in f"{notice.link}{notice.params}{notice.body}"


def test_lic_8_a_consent_revoked_without_licences_gets_no_links(cast: Cast) -> None:
    """LIC-8: there is nothing to see; with licences the admin can still withdraw what is assigned."""
    bare = make.consented(cast, make.isv_deal(cast))
    make.revoked(bare)
    count = LicenceLink.objects.count()
    links.send(ADMIN, now=NOW)
    assert LicenceLink.objects.count() == count
    given = make.given(cast)
    make.revoked(given.relationship)
    count = LicenceLink.objects.count()
    links.send(ADMIN, now=NOW)
    assert LicenceLink.objects.count() == count + 1


def test_lic_8_codes_and_links_are_forgotten(cast: Cast) -> None:
    """LIC-8, JOB: thirty days after their end; a mail parked until then leads to where a new one is asked for."""
    make.consented(cast, make.isv_deal(cast))
    assert sweeps.forget_mailed(now=make.after(30)) == 0
    assert sweeps.forget_mailed(now=make.after(32)) == 2
    assert sweeps.forget_mailed(now=make.after(32)) == 0
    assert any("/licences/" in text for text in mailed(make.after(33)))


def test_lic_1_org_6_who_sees_what(cast: Cast) -> None:
    """LIC-1, ORG-6: the deal's readers see its invitations and licences; other companies none of it."""
    given = make.given(cast)
    for model in (Invitation, Licences, Relationship):
        assert model.objects.visible_to(cast.actor(CONTOSO)).exists()
        assert model.objects.visible_to(cast.actor("manager@vendor.example")).exists()
        assert not model.objects.visible_to(cast.actor(FABRIKAM)).exists()
        assert not model.objects.visible_to(make.admin(given)).exists()


def test_lic_1_the_invitation_names_the_deals_customer(cast: Cast) -> None:
    """LIC-1: whoever the deal is registered for; the company's other customers have invitations of their own."""
    customer = CustomerFactory(name="Marmara")
    made = make.invited(cast, make.isv_deal(cast, customer=customer))
    assert made.invitation.customer == customer
    assert invitations.holder(made.invitation).name == "Marmara"


def test_lic_1_a_corrected_customer_is_asked_anew(cast: Cast) -> None:
    """LIC-1, ISV-5: the link of the customer that the deal had no longer counts; any other correction leaves it."""
    deal, admin = make.isv_deal(cast), cast.actor(CONTOSO)
    invitation = make.invited(cast, deal).invitation
    kept = isv.again(deal).claim
    deal = do.correct_isv_deal(deal, replace(kept, deployment="other"), actor=admin, now=NOW)
    assert Invitation.objects.get(pk=invitation.pk).state == "sent"
    other = cast.customers["ege"].pk
    do.correct_isv_deal(deal, replace(kept, customer=other), actor=admin, now=NOW)
    assert Invitation.objects.get(pk=invitation.pk).state == "withdrawn"


def test_lic_6_a_merged_customers_consents_are_the_kept_ones(cast: Cast) -> None:
    """LIC-6, REF-5: but for a tenant for which both agreed."""
    named = CustomerFactory(name="Anadolu Cam", added_by=cast.companies["contoso"])
    moving = make.consented(cast, make.isv_deal(cast, customer=named), tenant_guid=OTHER_TENANT)
    both = make.consented(cast, make.isv_deal(cast, customer=named))
    kept = make.consented(cast, make.isv_deal(cast))
    waiting = make.invited(cast, make.isv_deal(cast, customer=named)).invitation
    manager = cast.actor("manager@vendor.example")
    customers.merge(named, into=cast.customers["anadolu"], actor=manager, now=NOW)
    found = dict(Relationship.objects.values_list("pk", "customer__name"))
    assert found == {moving.pk: "Anadolu Cam Sanayi", both.pk: "Anadolu Cam", kept.pk: "Anadolu Cam Sanayi"}
    assert Invitation.objects.get(pk=waiting.pk).customer == cast.customers["anadolu"]
    moved = Invitation.objects.get(pk=waiting.pk).deal
    assert (moved.customer, moved.version) == (cast.customers["anadolu"], 2)


def test_lic_1_expiring_many_takes_as_many_statements_as_expiring_one(cast: Cast) -> None:
    """LIC-1, JOB: whatever the size of the batch; also for deals from referrals, whose teams hear of it."""

    def statements(number: int, days: int) -> int:
        for _deal in range(number):
            make.invited(cast, isv.deal(cast, referral=isv.won(cast), now=NOW), now=NOW + days * DAY)
        with CaptureQueriesContext(connection) as asked:
            assert sweeps.expire_invitations(now=NOW + (days + 30) * DAY) == number
        return len(asked)

    assert statements(1, 0) == statements(4, 1)
