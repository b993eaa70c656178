"""What is done with the deals that are ticked in their list (REF-20)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from portal.accounts.decorators import ActorRequest, needs_actor
from portal.pages.deals.listing import DEALS
from portal.pages.models import Upload
from portal.pages.services import uploads
from portal.params import whole_number
from portal.ui.listing.picked import picked
from portal.ui.listing.query import ListQuery
from referrals import rules
from referrals.services import favorites, selection
from referrals.web.wizard.choices import people


@needs_actor
@require_POST
def change_selected(request: ActorRequest) -> HttpResponse:
    """Star them at once; a stage or a member is looked at and carried out by a worker, with a result for each."""
    asked = ListQuery.at(DEALS, request.POST.get("list", ""), request.actor)
    chosen = picked(request.POST, asked, request.actor, most=Upload.MAX_ROWS + 1)
    if not chosen:
        messages.error(request, gettext("Tick deals first."))
        return _back(asked)
    match request.POST.get("do"):
        case "star":
            return _star(request, asked, chosen)
        case "edit":  # in the row, for whoever has no script on a page: of one at a time
            return redirect("edit_row", chosen[0])
        case "stage":
            stage = whole_number(request.POST.get("stage")) or 0
            if stage not in rules.STAGES:
                raise Http404
            name = gettext("Stage: %(stage)s") % {"stage": gettext(rules.STAGES[stage])}
            return _receive(request, name, selection.stage_table(chosen, stage))
        case "member":
            return _member(request, chosen)
    raise Http404


def _star(request: ActorRequest, asked: ListQuery, chosen: Sequence[uuid.UUID]) -> HttpResponse:
    number = favorites.add_favorites(chosen, actor=request.actor)
    done = ngettext("%(number)s deal is among your favorites.", "%(number)s deals are among your favorites.", number)
    messages.success(request, done % {"number": number})
    return _back(asked)


def _member(request: ActorRequest, chosen: Sequence[uuid.UUID]) -> HttpResponse:
    """Somebody of the latest deals' teams, whose phone and address are known."""
    known = {person["email"]: person for person in people(request.actor)}
    person = known.get(request.POST.get("member", ""))
    if person is None:
        raise Http404
    member = rules.Member(person["first_name"], person["last_name"], person["phone"], person["email"])
    name = gettext("Add to the team: %(name)s") % {"name": f"{member.first_name} {member.last_name}"}
    return _receive(request, name, selection.member_table(chosen, member))


def _receive(request: ActorRequest, name: str, content: bytes) -> HttpResponse:
    upload = uploads.receive(selection.CODE, name=name, content=content, actor=request.actor, now=timezone.now())
    return redirect("upload", upload.public_id)


def _back(asked: ListQuery) -> HttpResponse:
    return redirect(reverse(asked.listing.url) + asked.address())
