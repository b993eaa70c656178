"""The bar around a review page: who has the case, and where to go from here (FLOW-13)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from portal.accounts.admin_site import actor_of
from portal.accounts.rules import Actor
from portal.desk import services
from portal.desk.listing import DeskListing, query_of, queue_of
from portal.desk.models import Case
from portal.desk.rules import KINDS
from portal.desk.selectors import belongs_to, case_of, may_decide

#: In a review page's address: the query of the desk that the reviewer came from.
QUEUE = "queue"


def address_of(case: Case, queue: str = "") -> str:
    """The case's review page, which knows the queue that one comes from."""
    page = reverse(KINDS[case.kind].page, args=[case.object_id])
    return f"{page}?{urlencode({QUEUE: queue})}" if queue else page


def back_to(queue: str, actor: Actor, now: datetime) -> str:
    """The desk at this query; what can't be meant is left out."""
    return reverse("admin:desk_case_changelist") + query_of(DeskListing(now), queue, actor).address()


def bar(request: HttpRequest, kind: str, object_id: int, now: datetime) -> dict[str, Any]:
    """The context of `admin/desk/_bar.html`; empty for a record that isn't on the desk.

    Whoever opens the page of what they claimed works on it: that renews the claim.
    """
    actor, case = actor_of(request), case_of(kind, object_id)
    queue = request.GET.get(QUEUE, "") or request.POST.get(QUEUE, "")
    if actor is None or case is None:
        return {"case": None, "queue": queue}
    services.renew(case, actor=actor, now=now)
    own, decides = belongs_to(case, actor), may_decide(case, actor) and KINDS[case.kind].is_claimed
    mine, held = case.is_mine(actor, now), case.is_held(now)
    return {
        "case": case,
        "queue": queue,
        "back": back_to(queue, actor, now),
        "overdue": case.due_on < now.date(),
        "mine": mine,
        "holder": case.claimed_by if held and not mine else None,
        "own_company": own and may_decide(case, actor),
        "may_claim": decides and not own and not held,
        "may_take_over": decides and not own and held and not mine,
        "decides": decides,
        **_neighbours(case, queue, actor, now),
    }


def _neighbours(case: Case, queue: str, actor: Actor, now: datetime) -> dict[str, str]:
    """The addresses of the cases before and after this one in the queue; empty at its ends."""
    listed = queue_of(queue, actor, now)
    found = {"previous": listed.before(case), "following": listed.after(case)}
    return {name: address_of(other, queue) if other else "" for name, other in found.items()}
