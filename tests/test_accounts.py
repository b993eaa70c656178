"""Who may read and do what (ORG): roles and scopes by plain values, and what each person of the cast sees."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from portal.accounts import rules, selectors
from portal.accounts.models import Membership
from portal.accounts.rules import SYSTEM, Actor, Grant, Scope
from portal.demo.cast import ANKARA, BERLIN, MUNICH, Cast
from portal.workflow import services as workflow
from referrals import policies
from referrals import rules as referral_rules
from referrals.models import Referral, ReferralSolution, of_changeable, of_visible
from referrals.verbs import EXPIRE, MACHINE
from tests import build
from tests.build import NOW
from tests.factories import add_member

ROLES = (*rules.PARTNER_ROLES, *rules.VENDOR_ROLES)
PLACES = [None, 1, 2, 3]
GRANTS = st.frozensets(st.builds(Grant, st.sampled_from(ROLES), st.sampled_from(PLACES)), max_size=6)


def actor_with(*grants: Grant) -> Actor:
    return Actor(kind="person", company_id=1, grants=frozenset(grants))


# Roles and scopes ------------------------------------------------------------------------------------------------


def test_the_roles_of_both_sides() -> None:
    """ORG-2: four roles of partners, four of the vendor, none of both."""
    assert rules.PARTNER_ROLES == ("account_admin", "referrals_admin", "referrals_user", "viewer")
    assert rules.VENDOR_ROLES == ("seller", "reviewer", "council_member", "programme_manager")


@given(st.lists(st.sampled_from([*ROLES, "king"])), st.booleans())
def test_a_role_of_the_other_side_is_wrong(roles: Sequence[str], vendor: bool) -> None:
    """ORG-2: partners' roles are for partners, the vendor's for the vendor; an unknown one is for nobody."""
    own = rules.VENDOR_ROLES if vendor else rules.PARTNER_ROLES
    wrong = {role for role in roles if list(rules.grant_blockers(Grant(role), vendor=vendor, location_ids=()))}
    assert wrong == set(roles) - set(own)


@given(GRANTS, st.sampled_from(ROLES), st.sampled_from(PLACES))
def test_a_role_holds_company_wide_or_where_it_is_named(grants: frozenset[Grant], role: str, place: int | None) -> None:
    """ORG-1, ORG-4: a company-wide role covers every location and deals without one; others their locations only."""
    scope = actor_with(*grants).scope(role)
    everywhere = Grant(role) in grants
    assert scope.covers(place) is (everywhere or (place is not None and Grant(role, place) in grants))
    assert bool(scope) is any(g.role == role for g in grants)


@given(GRANTS, st.sampled_from(PLACES))
def test_what_each_role_reads_changes_and_creates(grants: frozenset[Grant], place: int | None) -> None:
    """ORG-2, ORG-4: admins all three; viewers read; users create; account admins read whatever their own scope."""
    actor = actor_with(*grants)

    def holds(*roles: str) -> bool:
        return any(g.role in roles and g.location_id in (None, place) for g in grants)

    account_admin = any(g.role == "account_admin" for g in grants)
    assert rules.reading_scope(actor).covers(place) is (account_admin or holds("referrals_admin", "viewer"))
    assert rules.writing_scope(actor).covers(place) is holds("referrals_admin")
    assert rules.creating_scope(actor).covers(place) is holds("referrals_admin", "referrals_user")


def test_workers_hold_no_role_and_belong_to_no_company() -> None:
    """ORG-2: what they may do is named by verb, never by role."""
    assert (SYSTEM.is_system, SYSTEM.own_company_id, SYSTEM.has(*ROLES)) == (True, 0, False)
    assert rules.reading_scope(SYSTEM) == Scope()


# Memberships -----------------------------------------------------------------------------------------------------


def test_a_person_is_an_actor_per_company(cast: Cast) -> None:
    """ORG-1, ORG-2: roles held in one company say nothing of another; inactive memberships don't count."""
    user = cast.users["user@contoso.example"]
    add_member(user=user, company=cast.companies["fabrikam"], roles=["viewer"])
    add_member(
        user=user,
        company=cast.companies["contoso"],
        roles=["referrals_admin", "referrals_admin"],
        locations=[cast.locations[ANKARA], cast.locations[BERLIN]],
    )
    contoso, fabrikam = (selectors.actor_for(m) for m in selectors.memberships(user))
    places = {cast.locations[name].pk for name in (ANKARA, BERLIN)}
    assert contoso.grants == {Grant("referrals_user"), *(Grant("referrals_admin", place) for place in places)}
    assert (fabrikam.company_name, fabrikam.grants) == ("Fabrikam GmbH", {Grant("viewer")})
    Membership.objects.filter(user=user, company=cast.companies["contoso"]).update(is_active=False)
    assert [m.company.name for m in selectors.memberships(user)] == ["Fabrikam GmbH"]


def test_members_found_by_one_role_are_actors_with_all_of_theirs(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """ORG-1: one query; somebody without a role is an actor without one."""
    contoso, place = cast.companies["contoso"], cast.locations[ANKARA]
    user = cast.users["user@contoso.example"]
    add_member(user=user, company=contoso, roles=["viewer"], locations=[place])
    bare = Membership.objects.create(user=cast.users["seller@vendor.example"], company=contoso)
    members = Membership.objects.filter(company=contoso)
    alone = {selectors.actor_for(m) for m in members}
    with django_assert_num_queries(1):
        found = selectors.actors(members)
    assert (set(found), len(found)) == (alone, len(alone))
    assert [actor.email for actor in found] == sorted(actor.email for actor in alone)
    (listed,) = selectors.actors(members.filter(grants__role="viewer", grants__location=place))
    assert listed.grants == {Grant("referrals_user"), Grant("viewer", place.pk)}
    (without,) = selectors.actors(members.filter(pk=bare.pk))
    assert without.grants == frozenset()


# What everybody sees ---------------------------------------------------------------------------------------------


@pytest.fixture
def deals(cast: Cast) -> dict[str, Referral]:
    """Deals of two companies in four locations, of every kind the vendor sees or doesn't. On the team of *listed* are
    also people whom their roles, not their being listed, let see or change things."""
    private = {"help_code": referral_rules.NO_HELP, "vendor_may_view": False}
    other = [build.member("someone@contoso.example")]
    munich = {"location": cast.locations[MUNICH], "by": "referrals@fabrikam.example", "team": other}
    found = {
        "istanbul": build.deal(cast, team=other),
        "listed": build.deal(
            cast, team=[build.member(f"{who}@Contoso.example") for who in ("User", "Viewer", "Ankara")]
        ),
        "ankara": build.deal(cast, team=other, location=cast.locations[ANKARA], **private),
        "berlin": build.deal(cast, team=other, location=cast.locations[BERLIN], help_code=referral_rules.NO_HELP),
        "munich": build.deal(cast, **munich),
        "hidden": build.deal(cast, **munich, **private),
    }
    copies = {f"{name} copy": deal.engagement.referrals.exclude(pk=deal.pk).first() for name, deal in found.items()}
    return found | {name: copy for name, copy in copies.items() if copy}


VENDOR_SEES = {"istanbul", "listed", "berlin", "munich", "istanbul copy", "listed copy", "munich copy"}
CONTOSO_SEES = {"istanbul", "listed", "ankara", "berlin"}
SEES = {
    "admin@contoso.example": CONTOSO_SEES,
    "referrals@contoso.example": CONTOSO_SEES,
    "viewer@contoso.example": CONTOSO_SEES,
    "ankara@contoso.example": {"ankara"},
    "user@contoso.example": {"listed"},
    "referrals@fabrikam.example": {"munich", "hidden"},
    "referrals@northwind.example": set(),
    "seller@vendor.example": VENDOR_SEES,
    "reviewer@vendor.example": VENDOR_SEES,
    "council1@vendor.example": VENDOR_SEES,
    "manager@vendor.example": VENDOR_SEES,
}


def test_what_everybody_sees(cast: Cast, deals: dict[str, Referral]) -> None:
    """ORG-2, ORG-4, ORG-6, REF-3: each person of the cast, deal by deal; workers everything; nobody else anything."""
    names = {deal.pk: name for name, deal in deals.items()}

    def seen(actor: Actor) -> set[str]:
        return {names[pk] for pk in Referral.objects.visible_to(actor).values_list("pk", flat=True)}

    assert {email: seen(cast.actor(email)) for email in SEES} == SEES
    assert seen(SYSTEM) == set(names.values())
    vendor = cast.companies["vendor"].pk
    assert seen(Actor(kind="person", company_id=vendor, is_vendor=True)) == set()
    assert seen(Actor(kind="person", company_id=cast.companies["contoso"].pk)) == set()
    contoso, ankara = cast.companies["contoso"].pk, cast.locations[ANKARA].pk
    for role, expected in [("viewer", {"ankara"}), ("referrals_admin", {"ankara"}), ("account_admin", CONTOSO_SEES)]:
        actor = Actor(kind="person", company_id=contoso, grants=frozenset({Grant(role, ankara)}))
        assert seen(actor) == expected
    former = Actor(kind="person", email="user@contoso.example", company_id=contoso)
    assert seen(former) == set()


def test_rows_of_a_deal_are_seen_and_changed_with_it(cast: Cast, deals: dict[str, Referral]) -> None:
    """ORG-2, ORG-6: by the company's column or by the subquery, what belongs to a deal follows it."""
    for actor in (SYSTEM, *(cast.actor(email) for email in SEES)):
        for of_deals, found in (
            (of_visible(actor), Referral.objects.visible_to(actor)),
            (of_changeable(actor), Referral.objects.changeable_by(actor)),
        ):
            rows = set(ReferralSolution.objects.filter(of_deals).values_list("referral_id", flat=True))
            assert rows == set(found.values_list("pk", flat=True)), actor.email
    stranger = Actor(kind="person", company_id=cast.companies["contoso"].pk)
    assert not ReferralSolution.objects.filter(of_visible(stranger) | of_changeable(stranger)).exists()


CHANGES = {
    "admin@contoso.example": set(),
    "referrals@contoso.example": CONTOSO_SEES,
    "viewer@contoso.example": set(),
    "ankara@contoso.example": {"ankara"},
    "user@contoso.example": {"listed"},
    "referrals@fabrikam.example": {"munich", "hidden"},
    "referrals@northwind.example": set(),
    "seller@vendor.example": {"istanbul copy", "listed copy", "munich copy"},
    "reviewer@vendor.example": set(),
    "council1@vendor.example": set(),
    "manager@vendor.example": set(),
}


def test_what_everybody_may_change(cast: Cast, deals: dict[str, Referral]) -> None:
    """ORG-2, ORG-6: only what one sees, and of that only by role; the workers' verbs are nobody else's."""
    for email, expected in CHANGES.items():
        actor = cast.actor(email)
        found = {name for name, deal in deals.items() if policies.may_change(actor, deal)}
        assert found == expected
        for name, deal in deals.items():
            offered = {a.name for a in workflow.available_actions(deal, actor, NOW)}
            assert bool(offered) is (name in expected), (email, name)
            assert not EXPIRE.may(actor, deal)
    deal = deals["istanbul"]
    assert {verb.name for verb in MACHINE.verbs if verb.may(SYSTEM, deal)} == {"expire", "win", "end_win_plan"}
