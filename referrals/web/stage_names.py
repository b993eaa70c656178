"""Settings page for the names that a company's own CRM uses for the sales stages (REF-16)."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.decorators import ActorRequest, company_admin_required
from portal.accounts.models import Company
from portal.ui.forms import saved
from portal.ui.http import done, form_page, posted
from portal.workflow import timeline
from referrals import rules
from referrals.models import StageName
from referrals.rules import stage_names as stages
from referrals.services import stage_names
from referrals.web.forms import deal


@company_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def names(request: ActorRequest) -> HttpResponse:
    """All names by stage, and a form to add one."""
    form = deal.StageNameForm(posted(request))
    company = Company.objects.get(pk=request.actor.own_company_id)
    who: dict[str, Any] = {"company": company, "actor": request.actor, "now": timezone.now()}
    if saved(form, lambda: stage_names.add(**form.cleaned_data, **who)):
        message = gettext("“%(name)s” was added.") % {"name": form.cleaned_data["name"]}
        return done(request, message, "stage_names")
    return form_page(request, "referrals/stage_names.html", form, **_context(request))


def _context(request: ActorRequest) -> dict[str, Any]:
    held = stage_names.of_company(request.actor.own_company_id)
    wire = {stage: name for name, stage in rules.STAGE_NAMES.items()}
    shown = [
        {"percent": stage, "label": rules.STAGES[stage], "wire": wire[stage], "names": held.get(stage, [])}
        for stage in stages.NAMED
    ]
    return {"stages": shown, "history": timeline.page(stage_names.history(request.actor))[0]}


@company_admin_required
@require_POST
def remove_name(request: ActorRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(
        StageName.objects.select_related("company"), pk=pk, company_id=request.actor.own_company_id
    )
    stage_names.remove(found, actor=request.actor, now=timezone.now())
    return done(request, gettext("“%(name)s” was removed.") % {"name": found.name}, "stage_names")
