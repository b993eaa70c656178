"""A new deal prefilled from one that was closed without a sale (EXC-2): REF-11 leaves that one closed."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from portal.accounts.decorators import ActorRequest
from referrals import rules
from referrals.models import Referral
from referrals.policies import may_change
from referrals.services import drafts
from referrals.web.actions import get_referral, me
from referrals.web.team import PERSON
from referrals.web.wizard.draft import CUSTOMER, DEAL, HELP, SOLUTIONS, TEAM
from referrals.web.wizard.views import writes_deals

#: The ends after which the same deal may begin anew.
_ENDED = (rules.LOST, rules.ERROR)


@writes_deals
@require_POST
def create_again(request: ActorRequest, public_id: uuid.UUID) -> HttpResponse:
    """Begin a draft with what the deal says. Raises Http404 unless it is the company's own, and lost or an error."""
    referral = get_referral(request, public_id)
    if referral.company_id != request.actor.company_id or referral.substatus not in _ENDED:
        raise Http404
    if not may_change(request.actor, referral):
        raise PermissionDenied
    draft = drafts.new(request.actor, team=me(request), now=timezone.now())
    given = drafts.token(draft.public_id, request.actor)
    answers = _answers(referral)
    drafts.keep(draft.public_id, lambda data: {**data, **answers}, actor=request.actor, now=timezone.now(), given=given)
    return redirect("new_deal_step", draft.public_id, CUSTOMER)


def _answers(referral: Referral) -> drafts.Data:
    """The wizard's answers by step, as they would have been typed; the close date is new."""
    engagement = referral.engagement
    own_contact = engagement.started_by_id == referral.company_id
    contact = ("contact_name", "contact_phone", "contact_email") if own_contact else ()
    customer = {
        "country": engagement.customer.country,
        "customer": engagement.customer.public_id,
        **{name: getattr(engagement, name) for name in contact},
        **({"contact_consent": "on"} if own_contact and engagement.contact_consent else {}),
    }
    deal = {
        name: getattr(referral, name)
        for name in ("name", "value", "currency", "crm_id", "campaign_id", "marketplace_intent")
    }
    help_code = rules.NO_HELP if referral.is_inbound else referral.help_code
    team = [{name: getattr(member, name) for name in PERSON} for member in referral.team.all()]
    solutions = [str(line.solution.public_id) for line in referral.solutions.select_related("solution")]
    return {
        CUSTOMER: _typed(customer),
        DEAL: _typed({**deal, "location": referral.location_id}),
        **({TEAM: team} if team else {}),
        SOLUTIONS: {"solutions": solutions},
        HELP: _typed({"help_code": help_code, "vendor_may_view": "yes" if referral.vendor_may_view else "no"}),
    }


def _typed(values: dict[str, Any]) -> dict[str, list[str]]:
    return {name: [str(value)] for name, value in values.items() if value not in (None, "")}
