"""The customer's licence page: what they have, who has it, and the way out of the consent (LIC-3, LIC-4, LIC-7)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.db.models import F
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from licensing.models import Assignment, Licences, PlanCount, Relationship
from licensing.rules.links import GOOD
from licensing.selectors import relationships as selectors
from licensing.selectors.history import of_relationship
from licensing.services import links
from licensing.services.links import Visit
from licensing.verbs import ASSIGN, REVOKE_CONSENT, UNASSIGN, People
from licensing.web import history, visits
from licensing.web.address_file import read_addresses
from licensing.web.forms import EmailForm, FileForm, PeopleForm
from licensing.web.links import opened_by_link, refused_link
from licensing.web.visits import needs_visit
from portal.paging import beyond
from portal.params import whole_number
from portal.sheets import LineError, Refused
from portal.ui.forms import add_blockers, saved
from portal.ui.http import for_htmx, form_page, posted
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.blockers import Blocker, RuleViolation
from portal.workflow.verbs import Verb

#: People of a plan on a page of its list.
PEOPLE = 50
#: So many things that are wrong with what was pasted or uploaded are told at once.
MAX_TOLD = 20


@opened_by_link
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest) -> HttpResponse:
    """Where a new link is asked for: the same answer for every address (LIC-8)."""
    form = EmailForm(posted(request))
    if saved(form, lambda: links.send(form.cleaned_data["email"], now=timezone.now())):
        return render(request, "licensing/licence_link.html", {"sent": True})
    return form_page(request, "licensing/licence_link.html", form)


@opened_by_link
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """A link from the mailbox. Its button opens the licence page, once: programs that read mail open links, too."""
    now = timezone.now()
    found = links.of_token(token)
    state = links.state_of(found, now) if found else "unknown"
    if state != GOOD:
        return refused_link(request, state, of="licences")
    if request.method != "POST":
        return render(request, "licensing/licence_enter.html")
    try:
        visit = links.exchange(token, now=now)
    except RuleViolation:  # used by another window meanwhile
        return refused_link(request, "used", of="licences")
    visits.begin(request, visit)
    return redirect("customer_licences", visit.relationship.public_id)


@needs_visit
@require_GET
def page(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Plans and counts by deal, and what happened."""
    shown = history.context(request, of_relationship(visit.relationship))
    if request.htmx and "before" in request.GET:  # type: ignore[attr-defined]
        return for_htmx(render(request, "components/history_card.html#rows", shown))
    given = selectors.given_to(visit.relationship)
    return for_htmx(render(request, "licensing/licence_page.html", {**_visited(visit), **shown, "given": given}))


def _visited(visit: Visit) -> dict[str, Any]:
    return {"visit": visit, "relationship": visit.relationship}


def _held(relationship: Relationship, licences: uuid.UUID, plan: int) -> PlanCount:
    """A plan that this customer has (LIC-4). Raises Http404 for any other, theirs or not."""
    found = PlanCount.objects.select_related("plan", "licences__deal__solution").filter(
        licences__relationship=relationship, licences__public_id=licences
    )
    return get_object_or_404(found, plan=plan)


@needs_visit
@require_http_methods(["GET", "POST"])
def people(request: HttpRequest, visit: Visit, licences: uuid.UUID, plan: int) -> HttpResponse:
    """Who has a plan's licence; giving them out and withdrawing them, one by one, pasted, or from a file (LIC-4)."""
    held = _held(visit.relationship, licences, plan)
    if request.method == "GET":
        return _people_page(request, visit, held)
    if request.POST.get("go") == "upload":
        return _upload(request, visit, held)
    verb = UNASSIGN if request.POST.get("go") == "withdraw" else ASSIGN
    form = PeopleForm(request.POST)
    if form.is_valid() and _run(visit, held, verb, form, form.cleaned_data["emails"]):
        return _done(request, visit, held)
    return _people_page(request, visit, held, form=form)


def _run(visit: Visit, held: PlanCount, verb: Verb[Licences, People], form: BaseForm, emails: tuple[str, ...]) -> bool:
    """Whether it was done; else the form says why not, as far as anybody reads it."""
    try:
        workflow.run(held.licences, verb, People(held.plan_id, emails), actor=visit.actor, now=timezone.now())
    except RuleViolation as violation:
        field = next(iter(form.fields))
        add_blockers(form, [replace(blocker, field=field) for blocker in violation.blockers[:MAX_TOLD]])
        if more := _more(len(violation.blockers)):
            form.add_error(field, more)
    return not form.errors


def _more(count: int) -> str:
    """How many of so many things that are wrong are not told; '' if all of them are."""
    more = count - MAX_TOLD
    if more <= 0:
        return ""
    return ngettext("There is %(count)d more like these.", "There are %(count)d more like these.", more) % {
        "count": more
    }


def _upload(request: HttpRequest, visit: Visit, held: PlanCount) -> HttpResponse:
    """Give a licence to everybody in the file, or, if a line is wrong, to nobody."""
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _people_page(request, visit, held, file=form)
    try:
        emails = read_addresses(form.cleaned_data["file"].read())
    except Refused as refused:
        return _people_page(request, visit, held, file=form, lines=refused.errors)
    if _run(visit, held, ASSIGN, form, emails):
        return _done(request, visit, held)
    return _people_page(request, visit, held, file=form)


def _done(request: HttpRequest, visit: Visit, held: PlanCount) -> HttpResponse:
    """Say how many there are now, and show them."""
    held = _held(visit.relationship, held.licences.public_id, held.plan_id)
    now = {"assigned": text.show(held.assigned), "count": text.show(held.count)}
    messages.success(request, gettext("Done: %(assigned)s of %(count)s licences are given out.") % now)
    return redirect(_address(visit, held))


def _address(visit: Visit, held: PlanCount) -> str:
    return reverse("customer_plan", args=[visit.relationship.public_id, held.licences.public_id, held.plan_id])


def _people_page(
    request: HttpRequest,
    visit: Visit,
    held: PlanCount,
    *,
    form: PeopleForm | None = None,
    file: FileForm | None = None,
    lines: Sequence[LineError] = (),
) -> HttpResponse:
    found, more_url = _page_of(request, held)
    shown = {"people": found, "people_url": more_url}
    if request.htmx and "after" in request.GET:  # type: ignore[attr-defined]
        return for_htmx(render(request, "licensing/licence_plan.html#people", shown))
    context = {
        **_visited(visit),
        **shown,
        "held": held,
        "form": form or PeopleForm(),
        "file": file or FileForm(),
        "lines": lines[:MAX_TOLD],
        "more_lines": _more(len(lines)),
    }
    status = 422 if lines or (form and form.errors) or (file and file.errors) else 200
    return for_htmx(render(request, "licensing/licence_plan.html", context, status=status))


def _page_of(request: HttpRequest, held: PlanCount) -> tuple[list[Assignment], str]:
    """People by address, from the one that the page before ended with; and the address of the next page."""
    rows = held.assignments.order_by("email", "pk")
    last = held.assignments.filter(pk=whole_number(request.GET.get("after")) or 0).first()
    if last is not None:
        rows = beyond(rows, F("email"), (last.email, last.pk), descending=False)
    found = list(rows[: PEOPLE + 1])
    more = f"{request.path}?after={found[PEOPLE - 1].pk}" if len(found) > PEOPLE else ""
    return found[:PEOPLE], more


@needs_visit
@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Take the consent back, after a page that says what that means (LIC-7)."""
    blockers: tuple[Blocker, ...] = ()
    if request.method == "POST":
        try:
            workflow.run(visit.relationship, REVOKE_CONSENT, actor=visit.actor, now=timezone.now())
        except RuleViolation as violation:
            blockers = violation.blockers
        else:
            messages.success(request, gettext("You took the consent back. The company is told."))
            return redirect("customer_licences", visit.relationship.public_id)
    context = {**_visited(visit), "blockers": blockers}
    return render(request, "licensing/licence_revoke.html", context, status=422 if blockers else 200)


@needs_visit
@require_POST
def leave(request: HttpRequest, visit: Visit) -> HttpResponse:
    """End the visit, as on a machine that others use."""
    visits.end(request, visit)
    return redirect("licence_link")
