"""Two managers add the same at the same moment: one entry, and the other is told at the field (no error of ours)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.urls import reverse

from portal.accounts.models import Location, Membership, User
from portal.catalog.models import AssessmentType, Solution
from portal.customers.models import Customer
from portal.demo.cast import Cast
from portal.policy.models import PolicyVersion
from tests.edge import Live, parse
from tests.test_concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)

PERSON = {"email": "new@contoso.example", "first_name": "A", "last_name": "B", "language": "en", "time_zone": "UTC"}
PERSON["password"] = "horse 7 staple"
CUSTOMER = {"name": "Anadolu Yeni", "country": "TR", "city": "Bursa"}
NO_GRANTS = {"grants-TOTAL_FORMS": "0", "grants-INITIAL_FORMS": "0"}


def _solution(cast: Cast) -> dict[str, Any]:
    publisher = cast.companies["contoso"].pk
    plans = {"plans-TOTAL_FORMS": "0", "plans-INITIAL_FORMS": "0"}
    return {**plans, "code": "SOL-9-X", "name": "X", "publisher": publisher, "kind": "service", "biz_apps": ""}


def _member(cast: Cast) -> dict[str, Any]:
    user, company = cast.users["referrals@fabrikam.example"], cast.companies["contoso"]
    return {"user": user.pk, "company": company.pk, "is_active": "on", **NO_GRANTS}


#: What is added, what is sent, and the field that says that somebody was faster.
ADDED: dict[type[Any], tuple[Callable[[Cast], dict[str, Any]], str]] = {
    PolicyVersion: (lambda _cast: {"answer_days": "10", "note": "Ten", "base": "0"}, "__all__"),
    User: (lambda _cast: PERSON, "email"),
    Solution: (_solution, "code"),
    AssessmentType: (lambda _cast: {"code": "new", "name": "New"}, "code"),
    Customer: (lambda _cast: CUSTOMER, "name"),
}


@pytest.mark.parametrize("model", ADDED, ids=lambda model: model.__name__)
def test_of_two_who_add_the_same_the_second_is_told_at_the_field(cast: Cast, model: type[Any]) -> None:
    """FLOW-7, ORG-2, REF-5, REF-8: nothing is added twice, and what the second typed still stands there."""
    given, field = ADDED[model]
    sent, had = given(cast), model.objects.count()
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
    answers = _both(cast, model, url, sent)
    assert sorted(answer.status_code for answer in answers) == [200, 302]
    assert model.objects.count() == had + 1
    (second,) = [answer for answer in answers if answer.status_code == 200]
    assert field in second.context["adminform"].form.errors
    form = parse(second).one("form", id=f"{model._meta.model_name}_form").fields()
    kept = {name: value for name, value in sent.items() if name not in {"base", "password"}}
    assert form == form | {name: str(value) for name, value in kept.items()}


def _both(cast: Cast, model: type[Any], url: str, sent: dict[str, Any]) -> list[HttpResponse]:
    """Both come to the moment of writing before the first goes on."""
    live = Live(cast)
    clients = [live.browser("manager@vendor.example") for _turn in range(2)]
    calls = [lambda client=client: client.post(url, sent) for client in clients]
    return at_once(f"LOCK TABLE {model._meta.db_table} IN SHARE MODE", [], *calls)


def test_a_policy_version_never_replaces_one_that_nobody_saw(cast: Cast) -> None:
    """FLOW-7: the page opened before it says what came between; saving again is then a choice."""
    client, url = Live(cast).browser("manager@vendor.example"), reverse("admin:policy_policyversion_add")
    early = parse(client.get(url)).one("form", id="policyversion_form").fields()
    client.post(url, {**early, "answer_days": "10", "_save": "yes"})
    late = client.post(url, {**early, "safe_win_hours": "24", "_save": "yes"})
    assert late.status_code == 200
    assert "v1 was added meanwhile: Time to answer a deal received." in late.content.decode()
    again = parse(late).one("form", id="policyversion_form").fields()
    assert client.post(url, {**again, "_save": "yes"}).status_code == 302
    assert PolicyVersion.objects.get(number=2).values == {"safe_win_hours": 24}


def test_without_the_version_it_follows_two_at_once_make_one(cast: Cast) -> None:
    answers = _both(cast, PolicyVersion, reverse("admin:policy_policyversion_add"), {"note": ""})
    assert sorted(answer.status_code for answer in answers) == [200, 302]
    (second,) = [answer for answer in answers if answer.status_code == 200]
    assert second.context["adminform"].form.errors.keys() == {"note"}


def test_a_member_is_added_once_and_a_location_of_one_name_once(cast: Cast) -> None:
    """ORG-1."""
    answers = _both(cast, Membership, reverse("admin:accounts_membership_add"), _member(cast))
    assert {answer.status_code for answer in answers} <= {200, 302}
    assert (
        Membership.objects.filter(user__email="referrals@fabrikam.example", company__name__startswith="Con").count()
        == 1
    )
    company = cast.companies["contoso"]
    rows = {"name": "Izmir", "city": "Izmir", "country": "TR", "mpn_id": "99"}
    sent = {"name": company.name, "country": "TR", "locations-TOTAL_FORMS": "1", "locations-INITIAL_FORMS": "0"}
    sent |= {f"locations-0-{name}": value for name, value in rows.items()}
    answers = _both(cast, Location, reverse("admin:accounts_company_change", args=[company.pk]), sent)
    assert sorted(answer.status_code for answer in answers) == [200, 302]
    assert Location.objects.filter(name="Izmir").count() == 1
    connection.close()
