"""What keeps counts from being changed, removed or assigned, row by row, on plain values (LIC-2 to LIC-8)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.rules import (
    CONSENT_REVOKED,
    DEAL_CANCELLED,
    Consent,
    CustomerFacts,
    DealFacts,
    PlanFacts,
    addresses,
    assign_blockers,
    code_blockers,
    consent_blockers,
    invitation_blockers,
    is_address,
    mail_limit_blockers,
    remove_blockers,
    unassign_blockers,
    update_blockers,
)
from licensing.rules.links import EXPIRED, GOOD, USED, link_blockers, link_state
from portal.workflow.blockers import Blocker

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
TENANT, OTHER = uuid.uuid4(), uuid.uuid4()
BASIC, PREMIUM, CLASSIC, OLD, FOREIGN = 1, 2, 3, 4, 99
PLANS = {
    BASIC: PlanFacts("Basic", count=30, assigned=20),
    PREMIUM: PlanFacts("Premium"),
    CLASSIC: PlanFacts("Classic", offered=False),
    OLD: PlanFacts("Old", offered=False, count=5),
}
CUSTOMER = CustomerFacts(7, "Anadolu", TENANT)


def codes(blockers: Iterable[Blocker]) -> list[str]:
    return [blocker.code for blocker in blockers]


def deal(**changes: Any) -> DealFacts:
    return DealFacts(**{"customer_id": 7, "customer_name": "Anadolu", "tenant_guid": TENANT, "plans": PLANS, **changes})


def first(*counts: tuple[int, int | None], customer: CustomerFacts | None = CUSTOMER, **changes: Any) -> list[str]:
    confirmed = changes.pop("confirmed", False)
    return codes(
        update_blockers(deal(**changes), counts, chosen=1 if customer else None, customer=customer, confirmed=confirmed)
    )


def later(*counts: tuple[int, int | None], chosen: int | None = None, **changes: Any) -> list[str]:
    return codes(update_blockers(deal(fixed=1, **changes), counts, chosen=chosen, customer=CUSTOMER, confirmed=False))


@pytest.mark.parametrize(
    ("customer", "counts", "expected"),
    [
        (None, (), ["customer_required", "plan_required"]),
        (CUSTOMER, (), ["plan_required"]),
        (None, ((PREMIUM, 5),), ["customer_required"]),
        (CUSTOMER, ((PREMIUM, None),), ["count_required"]),
        (CUSTOMER, ((PREMIUM, 5), (BASIC, None)), ["count_required"]),
        (CUSTOMER, ((PREMIUM, 0),), ["count_not_positive"]),
        (CUSTOMER, ((PREMIUM, -1), (BASIC, 0)), ["count_not_positive", "count_not_positive"]),
        (CUSTOMER, ((PREMIUM, 1),), []),
        (CUSTOMER, ((PREMIUM, 5), (PREMIUM, 6)), ["plan_twice"]),
        (CUSTOMER, ((FOREIGN, 5),), ["plan_unknown"]),
        (CUSTOMER, ((CLASSIC, 5),), ["plan_not_offered"]),
        (CUSTOMER, ((PREMIUM, 1_000_000),), []),
        (CUSTOMER, ((PREMIUM, 1_000_001),), ["count_too_large"]),
    ],
)
def test_lic_2_what_keeps_update_licences_disabled(
    customer: CustomerFacts | None, counts: tuple[tuple[int, int | None], ...], expected: list[str]
) -> None:
    """LIC-2, LIC-3: a customer, at least one plan of the solution, and every count above zero; each with its reason."""
    assert first(*counts, customer=customer) == expected


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (((BASIC, 40),), []),
        (((BASIC, 30),), []),
        (((BASIC, 20),), []),
        (((BASIC, 19),), ["count_below_assigned"]),
        (((BASIC, 0),), ["count_not_positive"]),
        (((OLD, 9),), []),  # no longer offered, but held
        (((CLASSIC, 9),), ["plan_not_offered"]),
        (((PREMIUM, 5),), []),
    ],
)
def test_lic_3_lic_4_counts_are_absolute(counts: tuple[tuple[int, int | None], ...], expected: list[str]) -> None:
    """LIC-3, LIC-4: 30 becomes 40; zero is the bin's; what is assigned is the least."""
    assert later(*counts) == expected


def test_lic_3_zero_says_what_to_do_instead() -> None:
    """LIC-3: of a plan that is there, the bin; of another, to leave it out."""
    held, new = update_blockers(deal(fixed=1), ((BASIC, 0), (PREMIUM, 0)), chosen=None, customer=None, confirmed=False)
    assert "bin" in held.message
    assert "leave the plan out" in new.message
    assert (held.field, new.field) == ("count_1", "count_2")


def test_lic_4_the_refusal_names_the_number() -> None:
    """LIC-4: so many are assigned."""
    (found,) = update_blockers(deal(fixed=1), ((BASIC, 3),), chosen=None, customer=None, confirmed=False)
    assert (found.params["assigned"], found.params["plan"]) == (20, "Basic")


def test_lic_2_the_customer_is_fixed_after_the_first_update() -> None:
    """LIC-2: the same one may be named again, another one is refused."""
    assert later((BASIC, 40), chosen=1) == []
    assert later((BASIC, 40), chosen=2) == ["customer_fixed"]


@pytest.mark.parametrize(
    ("customer", "expected"),
    [
        (CustomerFacts(7, "Anadolu", TENANT), []),
        (CustomerFacts(8, "Ege", TENANT), ["other_customer"]),
        (CustomerFacts(7, "Anadolu", OTHER), ["other_tenant"]),
        (CustomerFacts(8, "Ege", OTHER), ["other_customer", "other_tenant"]),
    ],
)
def test_lic_6_another_company_or_tenant_is_asked_about(customer: CustomerFacts, expected: list[str]) -> None:
    """LIC-6: before the first update; a yes lets it pass. Where the deal names no tenant, there is none to differ."""
    assert first((PREMIUM, 5), customer=customer) == expected
    assert first((PREMIUM, 5), customer=customer, confirmed=True) == []
    assert first((PREMIUM, 5), customer=customer, tenant_guid=None) == [c for c in expected if c != "other_tenant"]


@pytest.mark.parametrize("why", [DEAL_CANCELLED, CONSENT_REVOKED])
def test_lic_7_frozen_counts_are_lowered_and_not_raised(why: str) -> None:
    """LIC-7: lowered or left they may be; raised, or a plan added, they may not."""
    assert later((BASIC, 25), frozen=why) == []
    assert later((BASIC, 30), frozen=why) == []
    assert later((BASIC, 31), frozen=why) == ["counts_frozen"]
    assert later((PREMIUM, 1), frozen=why) == ["counts_frozen"]
    assert later((BASIC, 19), frozen=why) == ["count_below_assigned"]


def test_lic_7_who_took_the_consent_back_gets_no_licences() -> None:
    """LIC-7: at the first update, too."""
    gone = CustomerFacts(7, "Anadolu", TENANT, consented=False)
    assert first((PREMIUM, 1), customer=gone) == ["consent_revoked"]


def test_lic_3_the_bin_asks_with_the_number() -> None:
    """LIC-3: a confirmation of another number than stands there now doesn't count."""
    assert codes(remove_blockers(None, confirmed=None)) == ["plan_not_held"]
    assert codes(remove_blockers(PlanFacts("Premium"), confirmed=None)) == ["plan_not_held"]
    assert codes(remove_blockers(PlanFacts("Basic", count=5), confirmed=None)) == []
    (asked,) = remove_blockers(PLANS[BASIC], confirmed=None)
    assert (asked.code, asked.params["assigned"]) == ("confirm_removal", 20)
    assert codes(remove_blockers(PLANS[BASIC], confirmed=19)) == ["confirm_removal"]
    assert codes(remove_blockers(PLANS[BASIC], confirmed=20)) == []


def test_lic_4_never_more_than_counted() -> None:
    """LIC-4: 30 less 20 are free; who has one takes no second."""
    held, ten = PLANS[BASIC], [f"p{n}@x.example" for n in range(10)]
    assert codes(assign_blockers(held, ten, already=())) == []
    assert codes(assign_blockers(held, [*ten, "eleven@x.example"], already=())) == ["licences_spent"]
    assert codes(assign_blockers(held, [*ten, "eleven@x.example"], already={"p1@x.example"})) == []
    assert codes(assign_blockers(held, ten[:1], already=ten)) == ["assigned_already"]
    assert codes(assign_blockers(held, [], already=())) == ["people_required"]
    assert codes(assign_blockers(held, ["nobody", "a@x.example"], already=())) == ["address_invalid"]
    assert codes(assign_blockers(None, ten, already=())) == ["plan_not_held"]


def test_lic_4_only_what_is_assigned_is_withdrawn() -> None:
    """LIC-4: an address without a licence is told apart."""
    assert codes(unassign_blockers(["a@x.example"], already={"a@x.example"})) == []
    assert codes(unassign_blockers(["a@x.example", "b@x.example"], already={"a@x.example"})) == ["not_assigned"]
    assert codes(unassign_blockers([], already=())) == ["people_required"]


def test_lic_4_addresses_count_once() -> None:
    """LIC-4: whatever their case and the spaces around them."""
    assert addresses([" A@x.example", "a@X.example ", "", "b@x.example"]) == ("a@x.example", "b@x.example")


@pytest.mark.parametrize("text", ["a@b.example", "a.b+c@d-e.example.com"])
def test_lic_8_an_address(text: str) -> None:
    """LIC-8: what a code could be sent to."""
    assert is_address(text)


@pytest.mark.parametrize(
    "text", ["a", "a@b", "a b@c.example", "a@b.example,c@d.example", "a@b.example\n", "@b.example"]
)
def test_lic_8_no_address(text: str) -> None:
    """LIC-8: no second receiver, no header, no half."""
    assert not is_address(text)
    assert not is_address("a" * 250 + "@b.example")


def test_lic_6_lic_8_what_the_admin_states() -> None:
    """LIC-6, LIC-8: name, address and tenant, all missing ones at once."""
    assert codes(consent_blockers(Consent())) == ["name_required", "email_required", "tenant_required"]
    stated = Consent("Defne", "defne", TENANT)
    assert codes(consent_blockers(stated)) == ["email_invalid"]
    assert codes(consent_blockers(Consent("D" * 201, "d@x.example", TENANT))) == ["name_too_long"]
    assert codes(consent_blockers(Consent("Defne", " d@x.example ", TENANT))) == []


def test_lic_8_codes_live_shortly_and_have_few_attempts() -> None:
    """LIC-8: expired from its last instant on; after the last attempt the right one is refused, too."""
    good = {"expires_at": NOW + timedelta(seconds=1), "attempts": 4, "most": 5, "now": NOW}
    assert codes(code_blockers(**good, right=True)) == []
    assert codes(code_blockers(**good, right=False)) == ["code_wrong"]
    assert codes(code_blockers(**{**good, "attempts": 5}, right=True)) == ["code_spent"]
    assert codes(code_blockers(**{**good, "expires_at": NOW}, right=True)) == ["code_expired"]


def test_lic_8_mail_is_limited() -> None:
    """LIC-8: by invitation and by company, and the answer doesn't say which."""
    limits = {"most": 5, "company_most": 100}
    assert codes(mail_limit_blockers(sent=4, by_company=99, **limits)) == []
    assert codes(mail_limit_blockers(sent=5, by_company=0, **limits)) == ["mails_spent"]
    assert codes(mail_limit_blockers(sent=0, by_company=100, **limits)) == ["mails_spent"]


def test_lic_1_an_invitation_expires() -> None:
    """LIC-1: in the instant that was said."""
    assert codes(invitation_blockers(expires_at=NOW, now=NOW)) == ["consent_link_expired"]
    assert codes(invitation_blockers(expires_at=NOW + timedelta(seconds=1), now=NOW)) == []


def test_lic_4_a_link_is_good_once() -> None:
    """LIC-4: each end in its own words."""
    soon = NOW + timedelta(hours=1)
    assert link_state(expires_at=soon, used_at=None, now=NOW) == GOOD
    assert link_state(expires_at=soon, used_at=NOW, now=NOW) == USED
    assert link_state(expires_at=NOW, used_at=None, now=NOW) == EXPIRED
    found = [codes(link_blockers(state)) for state in (GOOD, USED, EXPIRED, "")]
    assert found == [[], ["link_used"], ["link_expired"], ["link_unknown"]]


@given(
    count=st.integers(1, 50),
    assigned=st.integers(0, 50),
    new=st.integers(-5, 60),
    why=st.sampled_from(["", "deal_cancelled"]),
)
def test_lic_4_lic_7_an_update_that_passes_keeps_what_must_hold(count: int, assigned: int, new: int, why: str) -> None:
    """LIC-3, LIC-4, LIC-7: above zero, never below what is assigned, never raised while frozen."""
    assigned = min(assigned, count)
    facts = deal(fixed=1, frozen=why, plans={BASIC: PlanFacts("Basic", count=count, assigned=assigned)})
    passed = not list(update_blockers(facts, ((BASIC, new),), chosen=None, customer=None, confirmed=False))
    assert passed == (new > 0 and new >= assigned and (not why or new <= count))
