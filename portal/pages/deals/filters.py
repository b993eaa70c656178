"""The filters of the list of deals (REF-20)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, In, IsNull, LessThanOrEqual

from dealreg.models import NOT_REGISTERED
from dealreg.rules import states
from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.catalog.models import Solution
from portal.customers.rules import fold
from portal.ui.home import NEEDS
from portal.ui.listing.filters import (
    MAX_CHOSEN,
    Choices,
    Filter,
    Range,
    Text,
    amount,
    countries,
    day,
    moments,
    one_of,
    within,
)
from portal.workflow import text
from portal.workflow.blockers import _
from referrals import rules
from referrals.models import Referral, ReferralSolution, TeamMember
from referrals.models.expressions import KNOWN_VALUE, STAGED
from referrals.rules import stage_names as rules_of_names
from referrals.selectors import partner_side, partners, search
from referrals.services import stage_names
from referrals.web.home import needing

#: What the partner hasn't closed.
OPEN = "open"
#: Deals received that count for how the company answers; of those, the ones that it answered in time.
COUNTED, IN_TIME = "counted", "in_time"
_ANSWERS = {COUNTED: _("Counted"), IN_TIME: _("Answered in time")}

#: Where there is no registration, or no copy of the vendor's.
NONE = "none"

_REGISTRATION_STATES = {
    NONE: _("No registration"),
    **states.REGISTRATION_STATES,
    NOT_REGISTERED: _("Not registered"),
}


# What they find


def _of_type(_actor: Actor, chosen: Iterable[str]) -> Q:
    assessed = Q(engagement__assessment_type__isnull=False)
    no_help, shared = Q(help_code=rules.NO_HELP), Q(vendor_may_view=True)
    kinds = {
        rules.SOLUTION_ASSESSMENT: assessed,
        rules.CO_SELL: ~assessed & ~no_help,
        rules.PARTNER_LED: ~assessed & no_help & shared,
        rules.PRIVATE: ~assessed & no_help & ~shared,
    }
    return Q.create([kinds[code] for code in chosen], Q.OR)


def _registered(_actor: Actor, chosen: Sequence[str]) -> Q:
    """Deals by the state that their registration's badge shows: of a closed registration, the outcome."""
    found = Q(registration__status__in=chosen) | Q(registration__status=states.CLOSED, registration__outcome__in=chosen)
    return found | Q(registration__isnull=True) if NONE in chosen else found


def _answered(_actor: Actor, chosen: Sequence[str]) -> Q:
    vendor = Company.objects.filter(kind=Company.Kind.VENDOR).values("pk")[:1]
    copies = Referral.objects.filter(engagement=OuterRef("engagement"), company=vendor)
    found = Q(Exists(copies.filter(substatus__in=chosen)))
    return found | ~Q(Exists(copies)) if NONE in chosen else found


def _worth(_actor: Actor, ends: tuple[Decimal | None, Decimal | None]) -> Q:
    """Deals by value in USD; a deal without a known value is in no range."""
    first, last = ends
    found = Q(GreaterThanOrEqual(KNOWN_VALUE, first)) if first else Q(GreaterThan(KNOWN_VALUE, Decimal(0)))
    return found if last is None else found & Q(LessThanOrEqual(KNOWN_VALUE, last))


def _with_solution(_actor: Actor, typed: str) -> Q:
    named = Solution.objects.filter(Q(code__iexact=typed) | Q(name__icontains=typed)).values_list("pk", flat=True)
    return Q(Exists(ReferralSolution.objects.filter(referral=OuterRef("pk"), solution__in=list(named))))


def _with_member(_actor: Actor, typed: str) -> Q:
    return Q(Exists(TeamMember.objects.filter(referral=OuterRef("pk"), email__startswith=typed.lower())))


def _with_crm_id(actor: Actor, typed: str) -> Q:
    """Deals by the beginning of the CRM id, in the actor's own copies only. The search index narrows them first."""
    found = Q(company_id=actor.own_company_id, crm_id__istartswith=typed)
    return found & search.matching(typed, actor=actor) if search.is_long_enough(typed) else found


def _sold(_actor: Actor, chosen: Sequence[str]) -> Q:
    """The vendor's deals by how far the partner's sale is."""
    stage = partner_side.stage()
    found = Q(In(stage, [int(code) for code in chosen if code != OPEN]))
    return found | Q(IsNull(stage, False)) if OPEN in chosen else found


def _responded(_actor: Actor, chosen: Sequence[str]) -> Q:
    """Deals that count for how quickly the company answers (REF-22)."""
    return Q.create([partners.answers(in_time=code == IN_TIME) for code in chosen], Q.OR)


_STAGES = {str(percent): label for percent, label in rules.STAGES.items()}
_STAGE_CODES = frozenset(_STAGES)

FILTERS: tuple[Filter, ...] = (
    Choices("status", _("Status"), lambda: rules.SUBSTATUSES, one_of("substatus")),
    Choices("type", _("Deal type"), lambda: rules.DEAL_TYPES, _of_type),
    Choices(
        "p2p",
        _("Partner to partner"),
        lambda: {"yes": _("Yes"), "no": _("No")},
        lambda _actor, chosen: Q(p2p__in=[code == "yes" for code in chosen]),
    ),
    Choices(
        "stage",
        _("Stage"),
        lambda: _STAGES,
        lambda _actor, chosen: Q(stage__in=[int(percent) for percent in chosen], substatus__in=STAGED),
    ),
    Choices("registration", _("Registration"), lambda: _REGISTRATION_STATES, _registered, for_vendor=False),
    Choices(
        "vendor",
        _("%(vendor)s"),
        lambda: {NONE: _("Not asked"), **rules.SUBSTATUSES},
        _answered,
        for_vendor=False,
    ),
    Choices("sale", _("Partner's stage"), lambda: {OPEN: _("Not closed yet"), **_STAGES}, _sold, for_partner=False),
    Choices(
        "country",
        _("Country"),
        countries,
        one_of("engagement__customer__country"),
        is_long=True,
    ),
    Range("value", _("Value in USD"), _worth, amount, lambda v: text.money(v, "USD"), "amounts"),
    Range("created", _("Created"), moments("created_at"), day, text.day, "days"),
    Range("close", _("Close date"), within("close_date"), day, text.day, "days"),
    Text("solution", _("Solution"), _with_solution, _("Name or solution id")),
    Text("member", _("Team member"), _with_member, _("E-mail address, or how it begins")),
    Text("crm", _("CRM id"), _with_crm_id, _("How it begins")),
    Choices(
        "needs",
        _("Needs you"),
        lambda: {code: kind.label for code, kind in NEEDS.items() if kind.page is None},
        needing,
    ),
    Choices("answers", _("How you answer"), lambda: _ANSWERS, _responded, for_vendor=False),
)
NAMES = frozenset(name for item in FILTERS for name in item.names)


def stages(typed: Sequence[str], actor: Actor) -> list[str]:
    """Stages by percentage; those given by name, the company's own too, are looked up, with a query (REF-16)."""
    tokens = [token.strip() for value in typed for token in value.split(",")][:MAX_CHOSEN]
    if all(token in _STAGE_CODES for token in tokens):
        return tokens
    own = stage_names.of_company(actor.own_company_id)
    names = {fold(name.name): stage for stage, held in own.items() for name in held}
    found = [rules_of_names.stage_of(token, names) for token in tokens if token not in _STAGE_CODES]
    return [token for token in tokens if token in _STAGE_CODES] + [str(stage) for stage in found if stage is not None]
