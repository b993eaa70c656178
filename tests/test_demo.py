"""`manage.py demo`: the invented world holds everything there is to see, once, and touches nobody's data."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db.models import Count
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dealreg.models import OUTCOMES, Registration
from dealreg.rules import states
from exceptions_council.models import ExceptionRequest
from exceptions_council.rules import states as exception_states
from isvconnect.models import Invoice, IsvDeal
from isvconnect.rules import states as isv_states
from isvconnect.selectors.deals import to_report
from isvconnect.verbs.writing import PREFIXES
from licensing.models import Invitation, Licences, PlanCount, Relationship
from licensing.rules import states as licence_states
from portal.accounts.models import Company, User
from portal.accounts.rules import SYSTEM
from portal.customers.models import Customer
from portal.demo.cast import PASSWORD
from portal.events.models import Event
from portal.money.models import MonthlyRate
from portal.notify import services as notify
from portal.notify.models import Notice
from referrals import rules
from referrals.models import Referral
from tests.factories import CompanyFactory
from tests.test_replay import replayed

pytestmark = pytest.mark.django_db

SIGN_INS = [
    *(f"{name}@vendor.example" for name in ("seller", "reviewer", "council1", "council2", "council3", "manager")),
    *(f"{name}@contoso.example" for name in ("admin", "referrals", "ankara", "user", "viewer")),
    "referrals@fabrikam.example",
    "referrals@northwind.example",
]
#: What a visitor should find at least once.
AUTO = {"AUTO-1", "AUTO-2", "AUTO-3", "AUTO-4"}


def demo(*options: str) -> str:
    out = io.StringIO()
    call_command("demo", *options, stdout=out)
    return out.getvalue().strip()


def rows() -> dict[str, int]:
    models = (Company, User, Customer, Referral, Registration, Event, Notice, MonthlyRate)
    return {model.__name__: model._default_manager.count() for model in models}


def test_the_demo_shows_everything_there_is() -> None:
    """REF-11, FLOW-2, FLOW-3, FLOW-7, EXC-6, ORG-2: 60 deals of a year in five currencies, every state, every AUTO
    reason, requests for exceptions of every kind in every state, ISV Connect, licences, everybody signs in; a second
    call changes nothing, and no mail of the invented past goes out."""
    start = timezone.now()
    assert demo().startswith("Demo data: ")
    deals = Referral.objects.all()
    assert deals.count() >= 60
    assert deals.filter(company__kind="partner").count() >= 60
    assert len(set(deals.values_list("currency", flat=True))) >= 5
    assert set(deals.values_list("substatus", flat=True)) == set(rules.SUBSTATUSES)
    assert {d.engagement.deal_type for d in deals.select_related("engagement")} >= {"private", "partner_led", "co_sell"}
    assert deals.order_by("created_at")[0].created_at > start - timedelta(days=366)
    assert not deals.filter(created_at__gt=timezone.now()).exists()
    registrations = Registration.objects.all()
    assert set(registrations.values_list("status", flat=True)) == set(states.REGISTRATION_STATES)
    assert {reason.rule for r in registrations for reason in r.reasons} >= AUTO
    assert set(registrations.exclude(outcome="").values_list("outcome", flat=True)) <= set(OUTCOMES)
    requests = ExceptionRequest.objects.all()
    assert set(requests.values_list("status", flat=True)) == set(exception_states.STATES)
    assert set(requests.values_list("kind", flat=True)) == set(exception_states.KINDS)
    assert requests.exclude(overdue_at=None).exists()
    _isv_connect_is_shown()
    _licences_in_every_state()
    _countdowns_live(start)
    _every_row_has_its_history()
    _every_decision_follows()
    _everybody_signs_in()
    _second_call_changes_nothing()
    notify.deliver_due(now=timezone.now())
    assert mail.outbox == []


def _isv_connect_is_shown() -> None:
    """ISV-5, ISV-6: deals of every state, direct and from a referral, a banner, invoices and a credit note without a
    gap, and one that waits for a fee rate."""
    deals = IsvDeal.objects.all()
    assert set(deals.values_list("status", flat=True)) == set(isv_states.STATES)
    assert deals.exclude(referral=None).exists()
    assert deals.without_rate().exists()
    assert len(set(deals.values_list("company", flat=True))) >= 2
    assert to_report(SYSTEM, now=timezone.now()).count() >= 2
    for kind, prefix in PREFIXES.items():
        numbers = sorted(Invoice.objects.filter(kind=kind).values_list("number", flat=True))
        assert numbers == [f"{prefix}{number:06}" for number in range(1, len(numbers) + 1)] != []


def _licences_in_every_state() -> None:
    """LIC-1, LIC-7: invitations and consents in every state, licences in use, and frozen ones for each reason."""
    assert set(Invitation.objects.values_list("state", flat=True)) == set(licence_states.INVITATION_STATES)
    assert set(Relationship.objects.values_list("state", flat=True)) == set(licence_states.RELATIONSHIP_STATES)
    given = Licences.objects.with_context()
    assert {licences.frozen for licences in given} == {"", "deal_cancelled", "consent_revoked"}
    assert PlanCount.objects.filter(assigned__gt=0).count() >= 3


def _countdowns_live(now: object) -> None:
    """Something is about to expire, and a registration's window is about to end (REF-13, REG-7)."""
    waiting = Referral.objects.filter(substatus=rules.RECEIVED)
    assert waiting.filter(expires_at__gt=now).count() == waiting.count() >= 4
    assert Registration.objects.to_register().count() >= 3
    assert Registration.objects.filter(close_due_at__gt=now).exists()


def _every_row_has_its_history() -> None:
    """All of it was made by the real verbs: each referral and registration began with an event (FLOW-7)."""
    for model, births in [
        (Referral, ["referral.created", "referral.received"]),
        (Registration, ["registration.opened"]),
        (IsvDeal, ["isv_deal.reported"]),
    ]:
        born = Event.objects.filter(verb__in=births).values("subject_id").annotate(times=Count("pk"))
        assert {row["subject_id"]: row["times"] for row in born} == dict.fromkeys(
            model._default_manager.values_list("pk", flat=True), 1
        )


def _every_decision_follows() -> None:
    """FLOW-7: from what was kept."""
    count = Event.objects.filter(subject_type="dealreg.registration").count()
    assert replayed() == (0, f"{count} events replayed: no difference.\n")


def _everybody_signs_in() -> None:
    assert sorted(User.objects.values_list("email", flat=True)) == sorted(SIGN_INS)
    for email in SIGN_INS:
        answer = Client().post(reverse("account_login"), {"login": email, "password": PASSWORD})
        assert (answer.status_code, answer.headers.get("Location")) == (302, reverse("home")), email


def _second_call_changes_nothing() -> None:
    before = rows()
    assert demo() == "The demo data is there already; nothing was changed."
    assert demo("--if-empty") == ""
    assert rows() == before


def test_the_demo_refuses_a_database_in_use() -> None:
    """The demo goes into an empty database only; `make run` asks with --if-empty and leaves it alone."""
    CompanyFactory(name="Real Ltd", country="GB")
    before = rows()
    with pytest.raises(CommandError, match="data of its own"):
        demo()
    assert demo("--if-empty") == ""
    assert rows() == before
