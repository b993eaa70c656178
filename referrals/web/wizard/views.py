"""The wizard's pages: a new deal step by step, saved as a draft until its last button (REF-5..10)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import replace_url

from portal.accounts.decorators import ActorRequest, needs_actor
from portal.ui.forms import without_errors
from portal.ui.http import redirect_to
from portal.workflow.blockers import RuleViolation
from referrals import rules, verbs
from referrals.models import Draft
from referrals.selectors import partners
from referrals.services import drafts
from referrals.web import team
from referrals.web.actions import changed_team, me, show_team
from referrals.web.wizard import choices
from referrals.web.wizard import draft as wizard
from referrals.web.wizard.draft import CUSTOMER, HELP, REVIEW, STEPS, TEAM, Wizard
from referrals.web.wizard.forecast import forecasts
from referrals.web.wizard.lookups import customers

View = Callable[..., HttpResponse]


def writes_deals(view: View) -> View:
    """Only for people who may create deals; others see what is missing (ORG-5).

    Every page of a draft that has become a deal redirects to the deal.
    """

    @needs_actor
    def wrapped(request: ActorRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if blockers := verbs.new_deal_blockers(request.actor):
            return render(request, "referrals/new_deal_refused.html", {"blockers": blockers}, status=403)
        try:
            return view(request, *args, **kwargs)
        except drafts.DraftGone as gone:
            if gone.referral is None:
                raise Http404 from None
            return redirect_to(request, reverse("deal", args=[gone.referral.public_id]))

    return wrapped


def _step_url(draft: uuid.UUID, step: str) -> str:
    return reverse("new_deal_step", args=[draft, step])


@writes_deals
@require_GET
def new_deal(request: ActorRequest) -> HttpResponse:
    """The first step of a new deal, with the person's other drafts beside it."""
    now = timezone.now()
    draft = drafts.new(request.actor, team=me(request), now=now)
    return _page(request, Wizard(draft, actor=request.actor, now=now), CUSTOMER, validated=False)


@writes_deals
@require_http_methods(["GET", "POST"])
def step(request: ActorRequest, draft: uuid.UUID, step: str) -> HttpResponse:
    """One step. Everything sent is saved, right or wrong; only *Continue* checks it."""
    if step not in STEPS:
        raise Http404
    if request.method == "POST":
        if request.POST.get("go") == "save":
            return _autosave(request, draft, step)
        return _send(request, draft, step)
    now = timezone.now()
    pages = Wizard(drafts.get(draft, request.actor), actor=request.actor, now=now)
    return _page(request, pages, step, validated=step in pages.tried or step == REVIEW)


def _save(request: ActorRequest, draft: uuid.UUID, step: str, **options: Any) -> Draft:
    """Save what was typed; a new draft has its author on the team."""
    keep = wizard.change_step(step, request.POST, tried=options.pop("tried", False))
    return drafts.keep(
        draft,
        lambda data: keep(data if TEAM in data else {**data, TEAM: me(request)}),
        actor=request.actor,
        now=timezone.now(),
        given=request.POST.get("token", ""),
        **options,
    )


def _autosave(request: ActorRequest, draft: uuid.UUID, step: str) -> HttpResponse:
    """Save while somebody types, unless another tab has saved since. The page's address becomes the draft's."""
    context: dict[str, Any] = {"elsewhere": False}
    try:
        saved = _save(request, draft, step, base=request.POST.get("base", ""))
        pages = Wizard(saved, actor=request.actor, now=timezone.now())
        context |= {"stamp": drafts.stamp(saved), "saved_at": saved.updated_at, "step": step}
        context["forecasts"] = forecasts(pages, step)
        context |= _visibility(pages, pages.form(HELP)) if step == HELP else {}
    except drafts.WrittenElsewhere:
        context |= {"stamp": request.POST.get("base", ""), "elsewhere": True}
    response = render(request, "referrals/new/_autosaved.html", context)
    return replace_url(response, _step_url(draft, step))


def _send(request: ActorRequest, draft: uuid.UUID, step: str) -> HttpResponse:
    """Save the step and go where the button leads: on, back, to another step, or stay."""
    go, to = request.POST.get("go", ""), request.POST.get("to", "")
    if step == REVIEW and go == "create":
        return _create(request, draft)
    saved = _save(request, draft, step, tried=go == "next")
    if go == "next" and step != REVIEW:
        pages = Wizard(saved, actor=request.actor, now=timezone.now())
        if wizard.form_errors(pages.validated(step)):
            return _page(request, pages, step, validated=True, status=422)
        return redirect(_step_url(draft, _beside(step, 1)))
    if step == TEAM and (place := _change_team(request, draft)):
        return redirect(_step_url(draft, step) + place)
    if step == HELP and wizard.is_key(request.POST.get("invite", "")):
        return redirect("new_deal_invitation", draft, request.POST["invite"])
    if go == "back":
        to = _beside(step, -1)
    return redirect(_step_url(draft, to if to in STEPS else step))


def _beside(step: str, by: int) -> str:
    order = list(STEPS)
    return order[max(0, min(order.index(step) + by, len(order) - 1))]


def _change_team(request: ActorRequest, draft: uuid.UUID) -> str:
    """Add or remove a team row, or add a person of earlier deals. Returns where on the page to continue (REF-7)."""
    offered = choices.people(request.actor) if "person" in request.POST else []
    if team.changed([], request.POST, offered) is None:
        return ""
    done = team.Changed([])

    def change(data: drafts.Data) -> drafts.Data:
        nonlocal done
        done = team.changed(list(data.get(TEAM, [])), request.POST, offered) or done
        return {**data, TEAM: done.rows}

    drafts.keep(draft, change, actor=request.actor, now=timezone.now())
    done.tell(request)
    return done.place


def _create(request: ActorRequest, draft: uuid.UUID) -> HttpResponse:
    """The last button: create the deal, or show what is still missing (REF-10)."""
    now = timezone.now()
    try:
        referral = wizard.finish(draft, base=request.POST.get("base"), actor=request.actor, now=now)
    except (wizard.Unfinished, drafts.WrittenElsewhere, RuleViolation) as refused:
        if isinstance(refused, drafts.WrittenElsewhere):
            said = gettext("This draft was changed in another window. Look at what it says now, then create the deal.")
            messages.warning(request, said)
        pages = Wizard(drafts.get(draft, request.actor), actor=request.actor, now=now)
        return _page(request, pages, REVIEW, validated=True, status=422)
    messages.success(request, gettext("The deal was created."))
    return redirect("deal", referral.public_id)


# What a step shows


def _page(request: ActorRequest, pages: Wizard, step: str, *, validated: bool, status: int = 200) -> HttpResponse:
    draft = pages.draft
    context = {
        "draft": draft,
        "token": drafts.token(draft.public_id, request.actor),
        "stamp": drafts.stamp(draft),
        "step": step,
        "steps": _steps(pages, step),
        "back": step != CUSTOMER,
        "name": _typed_name(pages),
        "forecasts": forecasts(pages, step),
    }
    if step == REVIEW:
        context |= choices.review(pages)
    else:
        form = pages.validated(step) if validated else pages.form(step)
        context |= {"form": form, **_SHOWN[step](request, pages, form)}
    return render(request, f"referrals/new/{step}.html", context, status=status)


def _typed_name(pages: Wizard) -> str:
    return str((pages.draft.data.get("deal", {}).get("name") or [""])[0]).strip()


def _steps(pages: Wizard, current: str) -> list[dict[str, Any]]:
    """The steps across the top, each done, to be corrected, or still to come."""
    found = []
    for code, label in STEPS.items():
        look = ""
        if code in pages.tried:
            wrong = wizard.form_errors(pages.validated(code)) or (
                code == HELP and any(i.problems for i in pages.invitations)
            )
            look = "wrong" if wrong else "done"
        found.append({"code": code, "label": gettext(label), "look": look, "now": code == current})
    return found


def _show_customer(request: ActorRequest, pages: Wizard, form: Any) -> dict[str, Any]:
    return {
        "customers": customers(form, request.actor),
        "begun": drafts.begun(request.actor) if pages.draft.pk is None else [],
        "contact_needed": pages.help_code != rules.NO_HELP,
    }


def _show_team(request: ActorRequest, pages: Wizard, form: Any) -> dict[str, Any]:
    return choices.beside_team(request.actor, form.team, most=pages.context.policy.max_team_members)


def _show_solutions(request: ActorRequest, pages: Wizard, form: Any) -> dict[str, Any]:
    chosen, query = form["solutions"].value() or [], form["solution_search"].value() or ""
    return {"groups": choices.solutions(request.actor, query, [str(c) for c in chosen])}


def _visibility(pages: Wizard, form: Any) -> dict[str, Any]:
    """Who may view the deal: help sets and locks it (REF-1), and needs the customer's contact (REF-5)."""
    contact = pages.draft.data.get(CUSTOMER, {})
    given = all((contact.get(name) or [""])[0] for name in ("contact_name", "contact_phone", "contact_email"))
    return {
        "form": form,
        "locked": pages.help_code != rules.NO_HELP,
        "contact_missing": not (given and contact.get("contact_consent")),
    }


def _show_help(request: ActorRequest, pages: Wizard, form: Any) -> dict[str, Any]:
    return {**_visibility(pages, form), "invitations": pages.invitations, "new_key": uuid.uuid4().hex[:12]}


_SHOWN: dict[str, Callable[[ActorRequest, Wizard, Any], dict[str, Any]]] = {
    CUSTOMER: _show_customer,
    "deal": lambda _request, _pages, _form: {},
    TEAM: _show_team,
    "solutions": _show_solutions,
    HELP: _show_help,
}


# Partners to invite, and giving the draft up


@writes_deals
@require_http_methods(["GET", "POST"])
def invitation(request: ActorRequest, draft: uuid.UUID, key: str) -> HttpResponse:
    """The page of one partner to invite (REF-9); it saves what was typed, and shows what is wrong with it."""
    pages = Wizard(drafts.get(draft, request.actor), actor=request.actor, now=timezone.now())
    kept = key in pages.invitation_keys
    if not kept and len(pages.invitation_keys) >= wizard.MAX_INVITATIONS:
        messages.error(request, gettext("This draft invites as many partners as it can hold; remove one first."))
        return redirect(_invitations_url(draft))
    if request.method == "POST":
        return _send_invitation(request, draft, key)
    form = pages.invite_form(key)
    if kept:
        pages.judge_invitation(key, form)
    return _invitation_page(request, pages, key, form)


def _invitations_url(draft: uuid.UUID) -> str:
    return _step_url(draft, HELP) + "#invitations"


def _send_invitation(request: ActorRequest, draft: uuid.UUID, key: str) -> HttpResponse:
    """Save the invitation, whatever it says; only the last button checks it."""
    go, changed = request.POST.get("go", ""), changed_team(request)
    sent: QueryDict | None = None if go == "remove" else changed or request.POST
    saved = drafts.keep(draft, wizard.change_invitation(key, sent), actor=request.actor, now=timezone.now())
    if go == "remove":
        return redirect(_invitations_url(draft))
    if go == "save":
        return render(request, "referrals/new/_saved.html", {"saved_at": saved.updated_at})
    pages = Wizard(saved, actor=request.actor, now=timezone.now())
    form, reshaped = pages.invite_form(key), changed is not None
    if reshaped or "find" in request.POST:
        without_errors(form)
        return _invitation_page(request, pages, key, form, reshaped=reshaped)
    if pages.judge_invitation(key, form):
        return redirect(_invitations_url(draft))
    return _invitation_page(request, pages, key, form, status=422)


def _invitation_page(
    request: ActorRequest, pages: Wizard, key: str, form: Any, *, reshaped: bool = False, status: int = 200
) -> HttpResponse:
    now, fit, draft = timezone.now(), pages.fit, pages.draft.public_id
    found = partners.suggest(form["partner_search"].value() or "", actor=request.actor, now=now, fit=fit)
    context = {
        "draft": pages.draft,
        "form": form,
        "kept": key in pages.invitation_keys,
        "partners": choices.with_chosen(found, form["partner"].value(), now=now),
        "fit": fit,
        "chosen": form["partner"].value(),
        "name": _typed_name(pages),
        "cancel_url": _invitations_url(draft),
        **show_team(request, form, reshaped=reshaped),
    }
    return render(request, "referrals/new/invitation.html", context, status=status)


@writes_deals
@require_http_methods(["GET", "POST"])
def discard_draft(request: ActorRequest, draft: uuid.UUID) -> HttpResponse:
    """Delete a draft after confirmation."""
    found = drafts.get(draft, request.actor)
    if request.method == "POST":
        drafts.discard(draft, request.actor)
        messages.success(request, gettext("The draft was discarded."))
        return redirect_to(request, reverse("deals"))
    begun = next(b for b in drafts.begun(request.actor) if b.draft.pk == found.pk)
    context = {"begun": begun, "cancel_url": _step_url(draft, REVIEW), "kind": "danger"}
    return render(request, "referrals/new/discard.html", context)
