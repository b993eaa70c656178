"""The catalogue: which tags go together, which solutions a deal may choose from (ELIG-5, ISV-1, ORG-5, REF-8)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from portal.accounts.models import Company
from portal.accounts.rules import PROGRAMME_MANAGER, REFERRALS_ADMIN, REVIEWER, SYSTEM, Actor, Grant
from portal.catalog import rules, services
from portal.catalog.models import AssessmentType, Solution
from portal.catalog.rules import Tags
from portal.events.models import Event
from portal.workflow.blockers import RuleViolation
from tests.factories import CompanyFactory, PersonFactory, add_member

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
READY = {"published": True, "co_sell_ready": True}

tags = st.builds(
    Tags,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([rules.NO_BIZ_APPS, rules.STANDARD, rules.PREMIUM]),
)
kinds = st.sampled_from([rules.IP, rules.SERVICE, rules.PRODUCT])


def codes(kind: str, given_tags: Tags) -> list[str]:
    return [b.code for b in rules.tag_blockers(kind, given_tags)]


# Tags ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "given_tags", "found"),
    [
        ("ip", Tags(published=True, co_sell_ready=True, azure_ip=True), []),
        ("ip", Tags(azure_ip=True), ["azure_ip_needs_ready"]),
        ("service", Tags(published=True, co_sell_ready=True, azure_ip=True), ["azure_ip_needs_ip"]),
        (
            "service",
            Tags(azure_ip=True, biz_apps="gold"),
            ["azure_ip_needs_ip", "azure_ip_needs_ready", "biz_apps_unknown"],
        ),
        ("service", Tags(published=True, co_sell_ready=True, biz_apps="premium"), []),
        ("service", Tags(co_sell_ready=True), ["ready_needs_market"]),
    ],
)
def test_elig_5_isv_1_tags_that_do_not_go_together(kind: str, given_tags: Tags, found: list[str]) -> None:
    assert codes(kind, given_tags) == found


@pytest.mark.django_db
@given(kinds, tags)
def test_elig_5_the_database_holds_what_the_rules_allow(kind: str, given_tags: Tags) -> None:
    with transaction.atomic():
        company = CompanyFactory(name="Contoso", country="TR")
        fields = {"code": "SOL-1", "name": "S", "publisher": company, "kind": kind, **asdict(given_tags)}
        if any(code.startswith("azure_ip") for code in codes(kind, given_tags)):
            with pytest.raises(IntegrityError, match="catalog_solution_azure_ip"), transaction.atomic():
                Solution.objects.create(**fields)
        else:
            Solution.objects.create(**fields)
        transaction.set_rollback(True)


# Choosing --------------------------------------------------------------------------------------------------------


def list_solution(code: str, publisher: Company, **given_tags: Any) -> Solution:
    return services.create_solution(code=code, name=code, publisher=publisher, actor=SYSTEM, now=NOW, **given_tags)


def found(queryset: Any) -> set[str]:
    return set(queryset.values_list("code", flat=True))


@pytest.fixture
def companies(db: None) -> dict[str, Company]:
    """The vendor and two partners, each with one solution on every rung: listed, published, ready."""
    made = {
        "vendor": CompanyFactory(name="Vendor", country="US", kind="vendor"),
        "contoso": CompanyFactory(name="Contoso", country="TR"),
        "fabrikam": CompanyFactory(name="Fabrikam", country="DE"),
    }
    for name, company in made.items():
        list_solution(f"{name}-listed", company)
        list_solution(f"{name}-published", company, published=True)
        list_solution(f"{name}-ready", company, **READY)
        list_solution(f"{name}-withdrawn", company, **READY)
    Solution.objects.filter(code__endswith="-withdrawn").update(published=False)  # before there was a rule
    return made


def test_org_5_co_sell_ready_is_published_and_ready(companies: dict[str, Company]) -> None:
    assert found(Solution.objects.co_sell_ready()) == {"vendor-ready", "contoso-ready", "fabrikam-ready"}


def test_ref_8_solutions_are_own_the_vendors_or_third_parties(companies: dict[str, Company]) -> None:
    actor = Actor(kind="person", company_id=companies["contoso"].pk)
    solutions = Solution.objects.choosable()
    assert found(solutions.own(actor)) == {"contoso-ready"}
    assert found(solutions.of_vendor()) == {"vendor-published", "vendor-ready"}
    assert found(solutions.third_party(actor)) == {"fabrikam-ready"}
    kinds_of = [found(s) for s in (solutions.own(actor), solutions.of_vendor(), solutions.third_party(actor))]
    assert set.union(*kinds_of) == found(solutions)
    assert sum(map(len, kinds_of)) == len(found(solutions))


def test_ref_8_to_the_vendors_people_every_partner_is_a_third_party(companies: dict[str, Company]) -> None:
    seller = Actor(kind="person", company_id=companies["vendor"].pk, is_vendor=True)
    assert found(Solution.objects.co_sell_ready().third_party(seller)) == {"contoso-ready", "fabrikam-ready"}


# Changing tags ---------------------------------------------------------------------------------------------------


def manager() -> Actor:
    return Actor(kind="person", is_vendor=True, grants=frozenset({Grant(PROGRAMME_MANAGER)}))


def test_elig_5_a_change_of_tags_is_an_event_with_what_changed(companies: dict[str, Company]) -> None:
    solution = Solution.objects.get(code="contoso-ready")
    changed = services.set_tags(solution, actor=manager(), now=NOW, azure_ip=True, biz_apps="premium", published=True)
    assert changed.tags == Tags(published=True, co_sell_ready=True, azure_ip=True, biz_apps="premium")
    event = Event.objects.get(verb="solution.tags_changed")
    assert (event.at, event.subject_id) == (NOW, solution.pk)
    assert event.company_id == companies["contoso"].pk
    assert event.before == {"azure_ip": False, "biz_apps": ""}
    assert event.after == {"azure_ip": True, "biz_apps": "premium"}
    services.set_tags(solution, actor=SYSTEM, now=NOW, azure_ip=True)
    assert Event.objects.filter(verb="solution.tags_changed").count() == 1


def test_elig_5_tags_that_do_not_go_together_are_refused(companies: dict[str, Company]) -> None:
    solution = Solution.objects.get(code="contoso-published")
    with pytest.raises(RuleViolation) as refused:
        services.set_tags(solution, actor=manager(), now=NOW, azure_ip=True)
    assert refused.value.codes == ["azure_ip_needs_ready"]
    services.set_tags(solution, actor=manager(), now=NOW, azure_ip=True, co_sell_ready=True)
    with pytest.raises(RuleViolation):
        services.set_tags(solution, actor=manager(), now=NOW, co_sell_ready=False)
    with pytest.raises(RuleViolation) as refused:
        list_solution("X", companies["contoso"], kind="service", azure_ip=True)
    assert refused.value.codes == ["azure_ip_needs_ip", "azure_ip_needs_ready"]
    assert Event.objects.filter(verb="solution.tags_changed").count() == 1
    assert Event.objects.filter(verb="solution.added").count() == Solution.objects.count()


def test_elig_5_a_new_solution_is_an_event_with_its_tags(companies: dict[str, Company]) -> None:
    solution = Solution.objects.get(code="contoso-ready")
    event = Event.objects.get(verb="solution.added", subject_id=solution.pk)
    assert (event.at, event.actor_kind, event.company, event.before) == (NOW, "system", companies["contoso"], {})
    assert event.after == {"code": "contoso-ready", "name": "contoso-ready", "kind": "ip", **asdict(solution.tags)}


@pytest.mark.parametrize(
    "actor",
    [
        Actor(kind="person", is_vendor=True, grants=frozenset({Grant(REVIEWER)})),
        Actor(kind="person", grants=frozenset({Grant(REFERRALS_ADMIN)})),
        Actor(kind="person", grants=frozenset({Grant(PROGRAMME_MANAGER)})),
    ],
)
def test_elig_5_only_programme_managers_tag(companies: dict[str, Company], actor: Actor) -> None:
    solution = Solution.objects.get(code="contoso-ready")
    with pytest.raises(PermissionDenied):
        services.set_tags(solution, actor=actor, now=NOW, azure_ip=True)
    with pytest.raises(PermissionDenied):
        services.create_solution(code="X", name="X", publisher=companies["contoso"], actor=actor, now=NOW)
    with pytest.raises(PermissionDenied):
        services.create_assessment_type(code="X", name="X", actor=actor, now=NOW)
    assert not Solution.objects.filter(azure_ip=True).exists()


@pytest.mark.django_db
def test_ref_8_the_database_refuses_what_is_no_solution() -> None:
    company = CompanyFactory(name="Contoso", country="TR")
    right = {"code": "SOL-12345-ABC", "name": "S", "publisher": company}
    Solution.objects.create(**right)
    for wrong, rule in (
        ({"name": ""}, "catalog_solution_named"),
        ({"kind": "toy"}, "catalog_solution_kind"),
        ({"biz_apps": "gold"}, "catalog_solution_biz_apps"),
        ({"code": "SOL-12345-ABC"}, "catalog_solution_code"),
    ):
        with pytest.raises(IntegrityError, match=rule), transaction.atomic():
            Solution.objects.create(**{**right, "code": "SOL-2", **wrong})
    with pytest.raises(IntegrityError, match="catalog_assessmenttype_named"), transaction.atomic():
        services.create_assessment_type(code="", name="Server migration", actor=SYSTEM, now=NOW)


# The admin -------------------------------------------------------------------------------------------------------


def vendor_client(role: str, vendor: Company) -> Client:
    """Signed in as one of the vendor's people."""
    user = PersonFactory(email=f"{role}@vendor.example")
    add_member(user=user, company=vendor, roles=[role])
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_elig_5_a_programme_manager_keeps_the_catalogue_in_the_admin(companies: dict[str, Company]) -> None:
    client = vendor_client(PROGRAMME_MANAGER, companies["vendor"])
    assert client.get(reverse("admin:catalog_solution_changelist"), {"q": "contoso"}).status_code == 200
    add = reverse("admin:catalog_solution_add")
    plans = {"plans-TOTAL_FORMS": 0, "plans-INITIAL_FORMS": 0}
    own = {"code": "SOL-1-A", "name": "New", "publisher": companies["contoso"].pk, "kind": "ip"}
    entry = {**plans, **own, "azure_ip": "on", "published": "on"}
    assert "Only a co-sell ready solution" in client.post(add, entry).content.decode()
    assert client.post(add, {**entry, "co_sell_ready": "on"}).status_code == 302
    solution = Solution.objects.get(code="SOL-1-A")
    change = reverse("admin:catalog_solution_change", args=[solution.pk])
    assert "Only a co-sell ready solution" in client.post(change, {**plans, **own, "azure_ip": "on"}).content.decode()
    unpublished = client.post(change, {**plans, **own, "co_sell_ready": "on"})
    assert "Only a solution in the market" in unpublished.content.decode()
    ready = {**plans, **own, "published": "on", "co_sell_ready": "on", "biz_apps": "standard"}
    assert client.post(change, {**ready, "name": "Other"}).status_code == 302
    solution = Solution.objects.get(code="SOL-1-A")
    assert (solution.name, solution.tags) == ("Other", Tags(published=True, co_sell_ready=True, biz_apps="standard"))
    by_hand = Event.objects.filter(actor_user__email="programme_manager@vendor.example").order_by("pk")
    assert [(e.verb, e.subject_id) for e in by_hand] == [
        ("solution.added", solution.pk),
        ("solution.changed", solution.pk),
        ("solution.tags_changed", solution.pk),
    ]
    assert by_hand[2].after == {"azure_ip": False, "biz_apps": "standard"}
    assert (
        client.post(reverse("admin:catalog_assessmenttype_add"), {"code": "SRV", "name": "Servers"}).status_code == 302
    )
    assert AssessmentType.objects.get().name == "Servers"
    last = by_hand.latest("pk")
    assert (last.verb, last.after) == ("assessment_type.added", {"code": "SRV", "name": "Servers"})


def test_elig_5_a_reviewer_only_reads_the_catalogue(companies: dict[str, Company]) -> None:
    client = vendor_client(REVIEWER, companies["vendor"])
    solution = Solution.objects.get(code="contoso-ready")
    change = reverse("admin:catalog_solution_change", args=[solution.pk])
    assert client.get(change).status_code == 200
    assert client.post(change, {"azure_ip": "on", "co_sell_ready": "on"}).status_code == 403
    assert client.post(reverse("admin:catalog_solution_add"), {}).status_code == 403
    assert client.post(reverse("admin:catalog_assessmenttype_add"), {"code": "X", "name": "X"}).status_code == 403
    assert not Solution.objects.filter(azure_ip=True).exists()
