"""Settings page for the names that a company's own CRM uses for the sales stages (REF-16)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.decorators import ActorRequest, company_admin_required
from portal.accounts.models import Company
from portal.workflow import timeline
from portal.workflow.blockers import RuleViolation
from referrals import rules
from referrals.models import StageName
from referrals.rules import stage_names as stages
from referrals.services import stage_names
from referrals.web.forms import deal


@company_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def names(request: ActorRequest) -> HttpResponse:
    """All names by stage, and a form to add one."""
    form = deal.StageNameForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        company = Company.objects.get(pk=request.actor.own_company_id)
        try:
            stage_names.add(company=company, **form.cleaned_data, actor=request.actor, now=timezone.now())
        except RuleViolation as violation:
            deal.add_blockers(form, violation.blockers)
        else:
            messages.success(request, gettext("“%(name)s” was added.") % {"name": form.cleaned_data["name"]})
            return redirect("stage_names")
    context = {"form": form, **_context(request)}
    return render(request, "referrals/stage_names.html", context, status=422 if form.errors else 200)


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
    messages.success(request, gettext("“%(name)s” was removed.") % {"name": found.name})
    return redirect("stage_names")
