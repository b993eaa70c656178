"""The admin pages of the reviewers: the queue, and a page that shows the claim beside the deal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealreg.admin.comparing import comparison_of
from dealreg.admin.deciding import DecisionForm, filled_form
from dealreg.admin.differences import differences
from dealreg.admin.meaning import meaning_of, retractable
from dealreg.models import OUTCOMES, Registration, Status
from dealreg.policies import may_review
from dealreg.selectors.desk import REGISTRATION
from dealreg.selectors.documents import panel
from dealreg.selectors.looks import record_of
from dealreg.selectors.marketplace import search_of
from dealreg.selectors.routing import last_routing
from dealreg.services import registration as services
from portal.accounts.admin_site import PortalAdmin, actor_of, site, who
from portal.accounts.rules import Actor
from portal.desk.forms import FILL, NoteForm, notes_of
from portal.desk.frame import bar
from portal.events.models import Event
from portal.params import whole_number
from portal.workflow import services as workflow
from portal.workflow import text, timeline
from portal.workflow.blockers import RuleViolation

#: What waits for a reviewer.
QUEUE = (Status.REVIEW_PENDING, Status.MARKETPLACE_PENDING)
#: The longest waiting first; what waits for a marketplace transaction does so since it was filed.
OLDEST_FIRST: list[Any] = [Coalesce("review_pending_at", "submitted_at"), "submitted_at", "id"]


class ReasonFilter(admin.SimpleListFilter):
    title = _("why it needs a review")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("AUTO-1", _("High annual contract value")),
            ("AUTO-2", _("Several partners")),
            ("AUTO-3", _("Pay-as-you-go")),
            ("AUTO-4", _("Won early")),
            ("AUTO-5", _("Registered before")),
            ("FLOW-4", _("Selected for review")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        return queryset.filter(route_reasons__contains=[{"rule": self.value()}]) if self.value() else queryset


class QueueFilter(admin.SimpleListFilter):
    """Show the review queue first, and everything else only when it is chosen."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("all", _("All")), *Status.choices]

    def choices(self, changelist: Any) -> Any:
        yield {
            "selected": self.value() is None,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": _("Waiting for a reviewer"),
        }
        for value, title in self.lookup_choices:
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        if self.value() is None:
            return queryset if request.GET.get(OutcomeFilter.parameter_name) else queryset.filter(status__in=QUEUE)
        return queryset if self.value() == "all" else queryset.filter(status=self.value())


class OutcomeFilter(admin.SimpleListFilter):
    """Closed registrations by how they ended (FLOW-5)."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(OUTCOMES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        return queryset.filter(outcome=self.value()) if self.value() else queryset


@dataclass
class _Typed:
    """What was sent and comes back on the page; `version`: of the registration that the page had shown, where the
    decision is still to be made on that (FLOW-7)."""

    decision: DecisionForm | None = None
    note: NoteForm | None = None
    version: int | None = None

    @property
    def verb(self) -> str:
        return str(self.decision["verb"].value()) if self.decision else ""


@admin.register(Registration, site=site)
class RegistrationAdmin(PortalAdmin):
    list_display = ["deal", "partner", "customer", "state", "why", "acv_in_usd", "filed"]
    list_filter = [QueueFilter, OutcomeFilter, ReasonFilter]
    list_select_related = ["referral__company", "referral__engagement__customer"]
    search_fields = ["referral__name", "referral__company__name", "referral__engagement__customer__name"]
    ordering = OLDEST_FIRST
    list_per_page = 50
    show_full_result_count = False
    change_form_template = "admin/dealreg/review.html"

    @admin.display(description=_("deal"))
    def deal(self, registration: Registration) -> str:
        return registration.referral.name

    @admin.display(description=_("partner"), ordering="referral__company__name")
    def partner(self, registration: Registration) -> str:
        return registration.referral.company.name

    @admin.display(description=_("customer"))
    def customer(self, registration: Registration) -> str:
        return registration.referral.engagement.customer.name

    @admin.display(description=_("status"), ordering="status")
    def state(self, registration: Registration) -> str:
        state = registration.get_status_display()
        return f"{state}: {registration.outcome_text}" if registration.outcome else state

    @admin.display(description=_("why it needs a review"))
    def why(self, registration: Registration) -> str:
        return ", ".join(reason.rule for reason in registration.reasons) or "–"

    @admin.display(description=_("ACV (USD)"), ordering="acv_usd")
    def acv_in_usd(self, registration: Registration) -> str:
        return text.money(registration.acv_usd, "USD")

    @admin.display(description=_("filed"), ordering="submitted_at")
    def filed(self, registration: Registration) -> datetime | None:
        return registration.submitted_at

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The review page: the reviewer reads and decides here."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        number = whole_number(object_id)
        registration = Registration.objects.with_context().filter(pk=number).first() if number is not None else None
        if registration is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        typed = _Typed()
        if request.method == "POST":
            if response := self._sent(request, registration, typed):
                return response
            registration = Registration.objects.with_context().get(pk=registration.pk)
        return TemplateResponse(request, self.change_form_template, self._review_context(request, registration, typed))

    def _sent(self, request: HttpRequest, registration: Registration, typed: _Typed) -> HttpResponse | None:
        """What was sent: a note, a decision, or the wish for a text in its comment. None if the page comes back."""
        if "note" in request.POST:
            typed.note = NoteForm(request.POST)
            written = typed.note.write(registration, REGISTRATION, **who(request))
            return redirect(f"{request.get_full_path()}#notes") if written else None
        verb = request.POST.get("verb", "")
        # A page that doesn't say what it showed showed nothing: no registration has version 0 (FLOW-7).
        typed.version = whole_number(request.POST.get("version")) or 0
        if FILL in request.POST:
            typed.decision = filled_form(request.POST, registration, verb)
            return None
        typed.decision = DecisionForm(request.POST, verb_name=verb)
        response = self._decide(request, registration, typed.decision, typed.version)
        typed.version = None  # refused as it stands now
        return response

    def _decide(
        self, request: HttpRequest, registration: Registration, form: DecisionForm, seen: int
    ) -> HttpResponse | None:
        actor, verb = actor_of(request), request.POST.get("verb", "")
        known = {a.name for a in workflow.available_actions(registration, actor, timezone.now())} if actor else set()
        if actor is None or verb not in known:
            raise PermissionDenied
        if not form.is_valid():
            return None
        shown = bar(request, REGISTRATION, registration.pk, timezone.now())
        try:
            services.decide(registration, actor=actor, now=timezone.now(), seen_version=seen, **form.cleaned_data)
        except RuleViolation as violation:
            self._refuse(form, registration, violation)
            return None
        messages.success(request, gettext("“%(deal)s” was decided.") % {"deal": registration.referral.name})
        return redirect(self._next_url(shown))

    def _refuse(self, form: DecisionForm, registration: Registration, violation: RuleViolation) -> None:
        """Say why, each reason at its field; and what changed since the page was opened (FLOW-7)."""
        for blocker in violation.blockers:
            form.add_error(
                blocker.field if blocker.field in form.fields else None, self._sentence(blocker, registration)
            )
        if isinstance(violation, workflow.Stale):
            current = Registration.objects.select_related("solution").get(pk=registration.pk)
            for line in differences(current, violation.changes):
                form.add_error(None, line)

    def _sentence(self, blocker: Any, registration: Registration) -> str:
        """The blocker as a sentence; if another reviewer was faster, it names that person and the time."""
        sentence = text.text(blocker)
        if blocker.code != "wrong_state":
            return sentence
        last = Event.objects.of_subject(registration).select_related("actor_user").order_by("-at", "-id").first()
        if last is None or not last.actor_name:
            return sentence
        decided = gettext("%(person)s decided on it on %(at)s.") % {"person": last.actor_name, "at": text.show(last.at)}
        return f"{sentence} {decided}"

    def _history(self, registration: Registration) -> QuerySet[Event]:
        events = Event.objects.of_subject(registration)
        return events.select_related("actor_user", "company").order_by("-at", "-id")

    def _next_url(self, shown: dict[str, Any]) -> str:
        """The address of the next case in the queue that one comes from, or of the queue itself."""
        return str(shown.get("following") or shown.get("back") or reverse("admin:desk_case_changelist"))

    def _review_context(self, request: HttpRequest, registration: Registration, typed: _Typed) -> dict[str, Any]:
        actor, now = actor_of(request), timezone.now()
        assert actor is not None
        decisions = _decisions(registration, actor, now, typed.decision)
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": registration.referral.name,
            "registration": registration,
            "referral": registration.referral,
            "marketplace": search_of(registration, now=now, candidates=True),
            "panel": panel(registration.referral, actor, now),
            "eligibility": services.eligibility(registration.referral, registration, now=now),
            "decisions": decisions,
            "history": [timeline.entry(event) for event in self._history(registration)],
            "partners": registration.referral.engagement.referrals.select_related("company").order_by("id"),
            "waiting": Registration.objects.filter(status__in=QUEUE).count(),
            "open_verb": typed.verb or next((d["action"].name for d in decisions), ""),
            "seen_version": registration.version if typed.version is None else typed.version,
            "retractable": retractable(registration),
            "decides": may_review(actor),
            "comparison": comparison_of(registration),
            "record": record_of(registration),
            "bar": bar(request, REGISTRATION, registration.pk, now),
            "notes": notes_of(registration, REGISTRATION, actor, typed.note),
            "others": self._others(registration),
            "registered_before": self._registered_before(registration),
            "renewed": self._listed().get(pk=registration.renews_id) if registration.renews_id else None,
        }

    @staticmethod
    def _others(registration: Registration) -> QuerySet[Registration]:
        """The engagement's other registrations: only who holds the contract registers it (REG-17)."""
        others = RegistrationAdmin._listed().filter(referral__engagement_id=registration.referral.engagement_id)
        return others.exclude(pk=registration.pk)

    @staticmethod
    def _registered_before(registration: Registration) -> QuerySet[Registration]:
        """What made it a duplicate when it was last routed, other companies' as well (AUTO-5)."""
        facts = last_routing(registration)
        found = [duplicate.registration for duplicate in facts.duplicates] if facts else []
        return RegistrationAdmin._listed().filter(pk__in=found)

    @staticmethod
    def _listed() -> QuerySet[Registration]:
        return Registration.objects.select_related("referral__company", "solution", "submitted_by").order_by("pk")


#: By which key a decision is opened (FLOW-13).
_KEYS = {"pass_review": "p", "match": "p", "require_action": "b", "fail_review": "f", "no_match": "f"}


def _decisions(
    registration: Registration, actor: Actor, now: datetime, posted: DecisionForm | None
) -> list[dict[str, Any]]:
    """What this person may do to it, each with what it means, and its form or why not; what its state doesn't allow
    only where they just tried."""
    tried = posted["verb"].value() if posted else ""
    return [
        {
            "action": action,
            "key": _KEYS.get(action.name, ""),
            "meaning": meaning_of(action.name, registration, now),
            "form": posted if action.name == tried else DecisionForm(verb_name=action.name) if action.enabled else None,
        }
        for action in workflow.available_actions(registration, actor, now)
        if not action.wrong_state or action.name == tried
    ]
