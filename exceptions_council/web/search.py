"""What the search of the top bar finds of exceptions (REF-20)."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from exceptions_council.models import ExceptionRequest
from exceptions_council.policies import may_read_votes
from exceptions_council.web.listing import EXCEPTIONS
from portal.accounts.rules import Actor
from portal.workflow.blockers import _
from referrals.models import Referral
from referrals.web.search import KINDS, Group, Hit, Search


def exceptions(search: Search) -> Group | None:
    """Of the deals found; sellers see none on the deals' pages either (EXC-10)."""
    actor = search.actor
    if actor.is_vendor and not may_read_votes(actor):
        return None
    listed = EXCEPTIONS.visible(actor).filter(referral__in=Referral.objects.visible_to(actor).filter(search.deals))
    found = list(EXCEPTIONS.with_context(listed).order_by("-created_at", "-pk")[: search.most + 1])
    return Group(
        code="exceptions",
        label=_("Exceptions"),
        icon="shield-exclamation",
        none=_("No exception matches this."),
        hits=[_hit(request, actor) for request in found[: search.most]],
        has_more=len(found) > search.most,
        badge="exceptions/_hit_badge.html",
        all_url=f"{reverse('exceptions')}?{urlencode({'q': search.query})}",
    )


def _hit(request: ExceptionRequest, actor: Actor) -> Hit:
    deal = request.referral
    about = [deal.engagement.customer.name, request.get_kind_display(), deal.company.name if actor.is_vendor else ""]
    url = reverse("exception", args=[request.public_id])
    return Hit(deal.name, " · ".join(part for part in about if part), request, url)


KINDS.add("exceptions", exceptions, order=26)
