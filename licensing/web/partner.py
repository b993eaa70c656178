"""The partner's page *Manage licences* of an ISV Connect deal (LIC-1 to LIC-7, ISV-7)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import BoundField
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from isvconnect.models import IsvDeal
from isvconnect.policies import may_manage_licences
from licensing.models import Invitation, InvitationState, Licences, Relationship
from licensing.rules import count_field, differences
from licensing.rules.counts import DealFacts, PlanFacts, frozen_blockers
from licensing.selectors.facts import customer_facts, deal_facts, licences_of, plan_facts
from licensing.selectors.history import of_deal
from licensing.services import invitations
from licensing.services import licences as services
from licensing.verbs import REMOVE_PLAN, WITHDRAW_INVITATION, Removal, Update, judge
from licensing.web import history
from licensing.web.forms import LicencesForm
from portal.accounts.decorators import ActorRequest, needs_actor
from portal.catalog.models import Plan
from portal.params import whole_number
from portal.ui.forms import add_blockers, as_if_sent, without_errors
from portal.ui.http import for_htmx, show_refusal
from portal.ui.verb_page import VerbPage
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.blockers import Blocker, RuleViolation

#: The latest invitations of a deal are shown.
MAX_INVITATIONS = 20
#: Questions that nobody has answered yet: they stand beside the form, not at its fields.
UNANSWERED = {"customer_required", "plan_required", "count_required", "other_customer", "other_tenant"}


@dataclass(frozen=True)
class InvitationRow:
    """A link that was made, and what has become of it."""

    invitation: Invitation
    state: InvitationState

    @property
    def tone(self) -> str:
        tones = {InvitationState.SENT: "info", InvitationState.ACCEPTED: "success", InvitationState.REFUSED: "danger"}
        return tones.get(self.state, "neutral")

    @property
    def is_open(self) -> bool:
        return self.state == InvitationState.SENT


@dataclass(frozen=True)
class Row:
    """A plan as the page shows it: with the field for its count, for who may change it."""

    plan: Plan
    facts: PlanFacts
    bound: BoundField | None = None
    remove_url: str = ""

    @property
    def held(self) -> bool:
        return self.facts.count > 0


@dataclass
class _Page:
    """The page of one deal, in one request."""

    request: ActorRequest
    deal: IsvDeal

    def __post_init__(self) -> None:
        self.now = timezone.now()
        self.url = reverse("isv_licences", args=[self.deal.public_id])
        self.may_manage = may_manage_licences(self.request.actor, self.deal)

    @cached_property
    def licences(self) -> Licences | None:
        return licences_of(self.deal)

    @cached_property
    def facts(self) -> DealFacts:
        return deal_facts(self.deal, self.licences, workflow.context_of(self.request.actor, self.now).policy)

    @cached_property
    def plans(self) -> dict[int, Plan]:
        """Every plan that the page may name, by key, in the order of the facts."""
        found = Plan.objects.in_bulk(self.facts.plans)
        return {key: found[key] for key in self.facts.plans}

    @cached_property
    def consented(self) -> list[Relationship]:
        """Who can be chosen: the customer of the deal first (LIC-1, LIC-6)."""
        found = Relationship.objects.consented().with_context().filter(company_id=self.deal.company_id)
        return sorted(found.order_by("customer__name", "pk"), key=lambda one: len(self.other(one)))

    @property
    def frozen(self) -> Blocker | None:
        return next(frozen_blockers(self.facts), None)

    def form(self, data: Any = None, *, add: int | None = None, drop: int | None = None) -> LicencesForm:
        """The form with the plans that the deal has, and those that were added to it; `add`, `drop`: one more, or
        one that isn't saved less."""
        sent = {whole_number(key) for key in data.getlist("plan")} if isinstance(data, QueryDict) else set()
        added = ({*sent, add} - {drop}) & self.facts.plans.keys()
        shown = [key for key, plan in self.facts.plans.items() if plan.count or key in added]
        more = [key for key, plan in self.facts.plans.items() if plan.offered and key not in shown]
        return LicencesForm(
            data,
            relationships=[] if self.licences else self.consented,
            plans=[self.plans[key] for key in shown],
            more=[] if self.frozen else [self.plans[key] for key in more],
            initial=self._initial(),
        )

    def _initial(self) -> dict[str, Any]:
        """The counts there are; and the customer, where only one is the deal's own, with its tenant (LIC-6)."""
        counts: dict[str, Any] = {count_field(key): plan.count for key, plan in self.facts.plans.items() if plan.count}
        if not self.licences:
            own = [one for one in self.consented if not self.other(one)]
            counts["relationship"] = str(own[0].public_id) if len(own) == 1 else ""
        return counts

    def other(self, relationship: Relationship | None) -> list[Blocker]:
        """What is asked before the first update with this customer (LIC-6)."""
        facts = customer_facts(self.deal.company_id, relationship)
        return list(differences(self.facts, facts)) if facts and not self.licences else []

    def reasons(self, update: Update) -> list[Blocker]:
        """What keeps *Update licences* disabled (LIC-2)."""
        return list(judge(self.deal, self.licences, update, workflow.context_of(self.request.actor, self.now)))

    def rows(self, form: LicencesForm | None) -> list[Row]:
        if form is None:
            return [Row(self.plans[key], plan) for key, plan in self.facts.plans.items() if plan.count]
        return [
            Row(plan, self.facts.plans[plan.pk], form[count_field(plan.pk)], self._bin(plan)) for plan in form.plans
        ]

    def _bin(self, plan: Plan) -> str:
        return reverse("isv_remove_plan", args=[self.deal.public_id, plan.pk])

    def context(self, form: LicencesForm | None, update: Update) -> dict[str, Any]:
        """Of the page, and of what htmx asks of it."""
        return {
            "deal": self.deal,
            "deal_url": reverse("isv_deal", args=[self.deal.public_id]),
            "check_url": reverse("isv_licences_check", args=[self.deal.public_id]),
            "licences": self.licences,
            "frozen": self.frozen,
            "form": form,
            "rows": self.rows(form),
            "version": self.licences.version if self.licences else 0,
            "reasons": self.reasons(update) if form else [],
            "other": self.other(update.relationship),
        }

    def whole(self, form: LicencesForm | None, update: Update | None = None, *, status: int = 200) -> HttpResponse:
        """The page."""
        context = {
            **self.context(form, update or Update()),
            **history.context(self.request, of_deal(self.deal)),
            "invitations": self._invitations(),
            "may_invite": self.may_manage and not self.deal.is_cancelled,
        }
        return for_htmx(render(self.request, "licensing/manage.html", context, status=status))

    def _invitations(self) -> list[InvitationRow]:
        found = Invitation.objects.with_context().filter(deal=self.deal).order_by("-pk")[:MAX_INVITATIONS]
        return [InvitationRow(one, InvitationState(one.state_at(self.now))) for one in found]

    def conflicts(self) -> list[Blocker]:
        """At each count that isn't any more what the page had shown, what it is now (REF-21)."""
        message = gettext_noop(
            "Somebody changed this meanwhile; it is now “%(now)s”. Send again to put yours in its place."
        )
        sent = self.request.POST
        return [
            Blocker("conflict", message, "REF-21", count_field(key), {"now": plan.count})
            for key, plan in self.facts.plans.items()
            if plan.count != (whole_number(sent.get(f"was_{key}")) or 0)
        ]


def _load(request: ActorRequest, public_id: uuid.UUID) -> _Page:
    """The page of a deal that the actor sees (ISV-7); 404 for any other (ORG-6)."""
    found = IsvDeal.objects.visible_to(request.actor).with_context().prefetch_related("referral__team")
    return _Page(request, get_object_or_404(found, public_id=public_id))


def _managed(request: ActorRequest, public_id: uuid.UUID) -> _Page:
    """The same for who manages its licences. Raises Http404, PermissionDenied (ISV-7)."""
    page = _load(request, public_id)
    if not page.may_manage:
        raise PermissionDenied
    return page


@needs_actor
@require_http_methods(["GET", "POST"])
def manage(request: ActorRequest, public_id: uuid.UUID) -> HttpResponse:
    """Customer, plans and counts, invitations and history; who may not manage them reads them."""
    if request.method == "POST":
        return _answer(_managed(request, public_id))
    page = _load(request, public_id)
    if request.htmx and "before" in request.GET:
        context = history.context(request, of_deal(page.deal))
        return for_htmx(render(request, "components/history_card.html#rows", context))
    if not page.may_manage:
        return page.whole(None)
    form = page.form()
    return page.whole(form, page.form(as_if_sent(form)).checked())


def _answer(page: _Page) -> HttpResponse:
    """Another row or one less, which needs no JavaScript; or the update (LIC-2 to LIC-4)."""
    sent = page.request.POST
    if "drop" in sent or sent.get("go") == "add":
        form = page.form(sent, add=whole_number(sent.get("add")), drop=whole_number(sent.get("drop")))
        update = form.checked()
        without_errors(form)
        return page.whole(form, update)
    form = page.form(sent)
    update = form.checked()
    try:
        blockers = _refusals(page, form, update)
    except workflow.Stale as stale:
        page = _managed(page.request, page.deal.public_id)
        form = page.form(sent)
        update, blockers = form.checked(), [*stale.blockers, *page.conflicts()]
    add_blockers(form, [blocker for blocker in blockers if blocker.field not in form.errors])
    if form.errors:
        return page.whole(form, update, status=422)
    messages.success(page.request, gettext("The licences were updated. The customer sees them at once."))
    return redirect(page.url)


def _refusals(page: _Page, form: LicencesForm, update: Update) -> Sequence[Blocker]:
    """Update the licences; what stands in the way, nothing if it was done. Raises workflow.Stale (REF-21)."""
    if form.errors:
        return page.reasons(update)
    try:
        _run(page, update)
    except workflow.Stale:
        raise
    except RuleViolation as violation:
        return violation.blockers
    return ()


def _run(page: _Page, update: Update) -> None:
    """As workflow.run_from_page does: what the customer assigned meanwhile is no conflict. Raises RuleViolation."""
    given: dict[str, Any] = {"actor": page.request.actor, "now": page.now}
    seen = whole_number(page.request.POST.get("version"))
    try:
        services.update(page.deal, update, **given, expected_version=seen)
    except workflow.Stale as stale:
        if stale.changes:
            raise
        services.update(page.deal, update, **given, expected_version=stale.version)


@needs_actor
@require_POST
def check(request: ActorRequest, public_id: uuid.UUID) -> HttpResponse:
    """The dry run while somebody types: whether *Update licences* can be used, and why not (LIC-2)."""
    page = _managed(request, public_id)
    form = page.form(request.POST)
    update = form.checked()
    context = page.context(form, update)
    add_blockers(form, [b for b in context["reasons"] if b.code not in UNANSWERED and b.field not in form.errors])
    return render(request, "licensing/_check.html", context)


@needs_actor
@require_POST
def invite(request: ActorRequest, public_id: uuid.UUID) -> HttpResponse:
    """Make a link for the deal's customer, and show it this once (LIC-1)."""
    page = _managed(request, public_id)
    try:
        made = invitations.invite(page.deal, actor=request.actor, now=page.now)
    except RuleViolation as violation:
        show_refusal(request, violation)
        return redirect(page.url)
    context = {**page.context(None, Update()), "invitation": made.invitation, "link": made.link, "back_url": page.url}
    return render(request, "licensing/invited.html", context)


WITHDRAW_PAGE: VerbPage[Invitation] = VerbPage(WITHDRAW_INVITATION, _("The invitation was withdrawn."))


@needs_actor
@require_http_methods(["GET", "POST"])
def withdraw(request: ActorRequest, public_id: uuid.UUID, invitation_id: uuid.UUID) -> HttpResponse:
    """Take a link back that nobody answered (LIC-1)."""
    page = _managed(request, public_id)
    found = get_object_or_404(Invitation.objects.with_context().filter(deal=page.deal), public_id=invitation_id)
    message = gettext("The link that was sent to the customer is of no use any more.")
    shown = {"message": message}
    return WITHDRAW_PAGE.answer(
        request, found, now=page.now, back=page.url, template="confirm.html", context=lambda _form: shown
    )


class RemovalForm(forms.Form):
    """Says how many assignments its page named, which the next page does anew (LIC-3)."""

    def __init__(self, data: QueryDict | None) -> None:
        super().__init__(data)
        self.confirmed = whole_number(data.get("confirmed")) if data else None


@needs_actor
@require_http_methods(["GET", "POST"])
def remove_plan(request: ActorRequest, public_id: uuid.UUID, plan: int) -> HttpResponse:
    """The bin: the confirmation names how many assignments end (LIC-3)."""
    page = _managed(request, public_id)
    licences = page.licences
    held = plan_facts(licences, plan) if licences else None
    if licences is None or held is None:
        raise Http404
    verb_page: VerbPage[Licences] = VerbPage(
        REMOVE_PLAN,
        gettext("%(plan)s was removed.") % {"plan": held.name},
        lambda _request, data, _record: RemovalForm(data),
        lambda form: Removal(plan, form.confirmed),
        "licensing/remove.html",
    )

    def context(_form: forms.Form) -> dict[str, Any]:
        now = plan_facts(licences, plan) or held
        return {"message": _ending(now), "assigned": now.assigned}

    return verb_page.answer(request, licences, now=page.now, back=page.url, template="", context=context)


def _ending(held: PlanFacts) -> str:
    if not held.assigned:
        return gettext("%(plan)s is taken away from the customer. Nobody uses it.") % {"plan": held.name}
    words = ngettext(
        "%(count)s person loses their licence of %(plan)s at once. The customer is told.",
        "%(count)s people lose their licence of %(plan)s at once. The customer is told.",
        held.assigned,
    )
    return words % {"count": text.show(held.assigned), "plan": held.name}
