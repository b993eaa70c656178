"""The checks of the form of an ISV Connect deal (ISV-1, ISV-3), as pure decisions."""

from __future__ import annotations

from collections.abc import Iterator

from dealreg.rules import contract
from dealreg.rules.acv import USD
from isvconnect.rules.values import CUSTOMER_TENANT, IsvDealInput, IsvFacts
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Money, _
from referrals.rules import text_blockers
from referrals.rules.deal import MAX_EMAIL, MAX_PERSON_NAME, MAX_PHONE

RULE = "ISV-3"


def violations(inp: IsvDealInput, facts: IsvFacts, policy: Policy) -> tuple[Blocker, ...]:
    """All violations at once, in the order of the fields (ISV-1, ISV-3); what refuses the deal as such comes first."""
    found = [
        *facts.refusals,
        *_unanswered(inp),
        *_chosen(inp, facts),
        *contract.tcv_violations(inp.tcv, facts.rates, RULE),
        *_minimum(inp, facts, policy),
        *contract.solution_value_violations(inp.tcv, inp.solution_value, facts.rates, RULE),
        *contract.signed_in_future(inp.signed, facts.today, RULE),
        *_start(inp),
        *contract.end_before_start(inp.start, inp.end, RULE),
        *_lengths(inp),
    ]
    return tuple(sorted(found, key=lambda blocker: _FIELD_ORDER.index(blocker.field)))


_FIELD_ORDER = ("", *IsvDealInput.__dataclass_fields__)


def _unanswered(inp: IsvDealInput) -> Iterator[Blocker]:
    """One violation for each question without an answer (ISV-3)."""
    for name, code, rule, message in _QUESTIONS:
        if not getattr(inp, name) and (name != "tenant_guid" or inp.tenant == CUSTOMER_TENANT):
            yield Blocker(code, message, rule, name)


#: Field, code, rule and message of each question, as long as it has no answer.
_QUESTIONS = (
    ("location", "location_required", "ISV-7", _("Choose the location of your company that made the sale.")),
    ("customer", "customer_required", RULE, _("Choose the customer.")),
    ("solution", "solution_required", RULE, _("Choose the solution that was sold.")),
    (
        "tcv",
        "tcv_required",
        RULE,
        _("Give the total contract value with its currency: software and services, without hardware."),
    ),
    ("solution_value", "solution_value_required", RULE, _("Give the value of the solution with its currency.")),
    ("deployment", "deployment_required", RULE, _("Say whether the solution is deployed on Azure.")),
    ("tenant", "tenant_required", RULE, _("Say whether the solution runs in the customer's or in your tenant.")),
    (
        "tenant_guid",
        "tenant_guid_required",
        RULE,
        _("Give the id of the customer's tenant, as 3f2504e0-4f89-41d3-9a0c-0305e82c3301."),
    ),
    ("signed", "signed_required", RULE, _("Give the date on which the contract was signed.")),
    ("start", "start_required", RULE, _("Give the date on which the contract starts.")),
    ("end", "end_required", RULE, _("Give the date on which the contract ends.")),
    ("contact_first_name", "contact_first_name_required", RULE, _("Give the first name of your contact.")),
    ("contact_last_name", "contact_last_name_required", RULE, _("Give the last name of your contact.")),
    ("contact_phone", "contact_phone_required", RULE, _("Give the phone number of your contact.")),
    ("contact_email", "contact_email_required", RULE, _("Give the e-mail address of your contact.")),
)
#: The questions that need an answer wherever they are asked.
REQUIRED = frozenset(name for name, *_others in _QUESTIONS)


def _chosen(inp: IsvDealInput, facts: IsvFacts) -> Iterator[Blocker]:
    """Location, customer and solution are the company's to name (ISV-3, ISV-7), and those of the referral (ISV-2)."""
    settled = facts.of_referral
    place = settled.location if settled else None
    if facts.stays and inp.location and inp.location != facts.stays:
        yield Blocker("location_stays", _("A reported deal keeps its location."), "ISV-7", "location")
    elif place and inp.location and inp.location != place:
        message = _("A deal from a referral has the referral's location.")
        yield Blocker("location_of_referral", message, "ISV-2", "location")
    elif inp.location and inp.location not in facts.locations:
        message = _("Choose one of the locations that you report deals for.")
        yield Blocker("location_not_yours", message, "ISV-7", "location")
    if settled and inp.customer and inp.customer != settled.customer:
        message = _("A deal from a referral has the referral's customer.")
        yield Blocker("customer_of_referral", message, "ISV-2", "customer")
    elif inp.customer and not facts.customer_known:
        yield Blocker("customer_unknown", _("Choose a customer of the directory."), RULE, "customer")
    if inp.solution and inp.solution not in facts.solutions:
        message = (
            _("Choose a solution on the deal that carries the ISV Connect tag; if one is missing, check its offer.")
            if settled
            else _("Choose one of your solutions with the ISV Connect tag; if one is missing, check its offer.")
        )
        yield Blocker("solution_not_tagged", message, "ISV-1", "solution")


def _minimum(inp: IsvDealInput, facts: IsvFacts, policy: Policy) -> Iterator[Blocker]:
    """The contract is worth more than the minimum, to the cent in USD (ISV-1, FX-2)."""
    usd = contract.in_usd(contract.positive(inp.tcv), facts.rates)
    if usd is not None and usd <= policy.isv_minimum_value_usd:
        yield Blocker(
            "isv_value_not_above_minimum",
            _(
                "The total contract value comes to %(value)s, but has to be above %(minimum)s. "
                "Check it; a smaller contract isn't reported."
            ),
            "ISV-1",
            "tcv",
            {"value": Money(usd, USD), "minimum": Money(policy.isv_minimum_value_usd, USD)},
        )


def _start(inp: IsvDealInput) -> Iterator[Blocker]:
    if inp.signed and inp.start and inp.start < inp.signed:
        yield Blocker(
            "start_before_signed",
            _("The contract can't start before it was signed, on %(signed)s: enter the later of the two days."),
            RULE,
            "start",
            {"signed": inp.signed},
        )


def _lengths(inp: IsvDealInput) -> Iterator[Blocker]:
    yield from text_blockers(inp.contact_first_name, MAX_PERSON_NAME, "contact_first_name")
    yield from text_blockers(inp.contact_last_name, MAX_PERSON_NAME, "contact_last_name")
    yield from text_blockers(inp.contact_phone, MAX_PHONE, "contact_phone")
    yield from text_blockers(inp.contact_email, MAX_EMAIL, "contact_email")
