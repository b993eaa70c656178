"""The council's docket, and the page on which it decides (EXC-7, EXC-8, EXC-10, EXC-11, EXC-15)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealreg.selectors.documents import panel
from exceptions_council.admin import filters, reports
from exceptions_council.admin.deciding import FORMS, ActionForm, choices
from exceptions_council.models import Conflict, DecisionLetter, ExceptionRequest, Status
from exceptions_council.policies import may_vote
from exceptions_council.rules import standing
from exceptions_council.selectors import docket
from exceptions_council.selectors.changes import changes_of
from exceptions_council.selectors.council import Member, council_of, tally_of
from exceptions_council.services import letters_pdf
from exceptions_council.services.desk import EXCEPTION
from portal.accounts.admin_site import PortalAdmin, actor_of, site
from portal.accounts.rules import Actor
from portal.desk.forms import FILL, NoteForm, notes_of
from portal.desk.frame import bar
from portal.events.models import Event
from portal.params import whole_number
from portal.policy import services as policies
from portal.policy.calendar import days_left
from portal.ui.templatetags.ortak import badge
from portal.workflow import text, timeline
from referrals.policies import may_read

_COLOURS = {
    Status.SUBMITTED: "brand",
    Status.IN_REVIEW: "warning",
    Status.EVIDENCE_REQUESTED: "neutral",
    Status.APPROVED: "success",
    Status.DENIED: "danger",
}
#: Why somebody of the council doesn't vote, as the others read it.
EXCLUDED = {
    "not_of_council": _("is no longer a member of the council"),
    "own_companys_deal": _("belongs to the company of this deal"),
    "decided_registration": _("decided on the registration"),
    "conflict_declared": _("declared a conflict of interest"),
}


def _day(moment: datetime | None) -> str:
    return text.day(timezone.localtime(moment).date()) if moment else "–"


def _state(request: ExceptionRequest) -> Any:
    return badge(_COLOURS[Status(request.status)], request.get_status_display())


@dataclass
class _Typed:
    """What was sent and comes back on the page; `version`: of the request that the page had shown, where it is still
    to be acted on as that (FLOW-7)."""

    action: ActionForm | None = None
    note: NoteForm | None = None
    version: int | None = None


@admin.register(ExceptionRequest, site=site)
class ExceptionRequestAdmin(PortalAdmin):
    list_display = ["deal", "partner", "what", "state", "due", "evidence_until", "given", "asked_at", "decided"]
    list_filter = [
        filters.StateFilter,
        filters.AttentionFilter,
        filters.MineFilter,
        "kind",
        filters.AgeFilter,
        filters.PartnerFilter,
    ]
    list_select_related = ["referral__company"]
    search_fields = ["referral__name", "referral__company__name", "referral__engagement__customer__name", "tickets"]
    search_help_text = _("Deal, partner, customer or ticket number")
    ordering = ["due_on", "pk"]
    list_per_page = 50
    show_full_result_count = False
    change_list_template = "admin/exceptions_council/docket.html"
    change_form_template = "admin/exceptions_council/request.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExceptionRequest]:
        return super().get_queryset(request).annotate(votes_given=Count("votes"))

    @admin.display(description=_("deal"))
    def deal(self, row: ExceptionRequest) -> str:
        return row.referral.name

    @admin.display(description=_("partner"), ordering="referral__company__name")
    def partner(self, row: ExceptionRequest) -> str:
        return row.referral.company.name

    @admin.display(description=_("kind"), ordering="kind")
    def what(self, row: ExceptionRequest) -> str:
        return row.get_kind_display()

    @admin.display(description=_("state"), ordering="status")
    def state(self, row: ExceptionRequest) -> Any:
        return _state(row)

    @admin.display(description=_("decide by"), ordering="due_on")
    def due(self, row: ExceptionRequest) -> Any:
        due = text.day(row.due_on)
        return format_html("{} {}", due, badge("danger", gettext("Overdue"))) if _is_overdue(row) else due

    @admin.display(description=_("evidence by"), ordering="evidence_due_at")
    def evidence_until(self, row: ExceptionRequest) -> str:
        return _day(row.evidence_due_at)

    @admin.display(description=_("votes"))
    def given(self, row: ExceptionRequest) -> int:
        return int(row.votes_given)  # type: ignore[attr-defined]

    @admin.display(description=_("asked for"), ordering="created_at")
    def asked_at(self, row: ExceptionRequest) -> str:
        return _day(row.created_at)

    @admin.display(description=_("decided"), ordering="decided_at")
    def decided(self, row: ExceptionRequest) -> str:
        return _day(row.decided_at)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("reports/", view(self.reports_view), name="exceptions_council_exceptionrequest_reports"),
            path(
                "<int:number>/letter/<str:language>/",
                view(self.letter_view),
                name="exceptions_council_exceptionrequest_letter",
            ),
            *super().get_urls(),
        ]

    # The page

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Everybody of the administration reads it; the council decides here, and reviewers ask for evidence."""
        self._reader(request)
        number = whole_number(object_id)
        asked = self._found(number) if number is not None else None
        if asked is None or number is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        typed = _Typed()
        if request.method == "POST":
            if response := self._sent(request, asked, typed):
                return response
            asked = self._found(number)
            assert asked is not None
        return TemplateResponse(request, self.change_form_template, self._context(request, asked, typed))

    def _sent(self, request: HttpRequest, asked: ExceptionRequest, typed: _Typed) -> HttpResponse | None:
        """What was sent: a note, an action, or the wish for a text in its comment. None if the page comes back."""
        actor, now = self._reader(request), timezone.now()
        if "note" in request.POST:
            typed.note = NoteForm(request.POST)
            return (
                redirect(f"{request.get_full_path()}#notes")
                if typed.note.write(asked, EXCEPTION, actor=actor, now=now)
                else None
            )
        typed.action = self._posted(request)
        # A page that doesn't say what it showed showed nothing: no request has version 0 (FLOW-7).
        seen = whole_number(request.POST.get("version")) or 0
        if FILL in request.POST and typed.action.comment:
            typed.action, typed.version = typed.action.filled(request.POST, asked), seen
        elif typed.action.run(asked, seen_version=seen, actor=actor, now=now):
            messages.success(request, self._done(typed.action, asked.pk))
            return redirect("admin:exceptions_council_exceptionrequest_change", asked.pk)
        return None

    @staticmethod
    def _found(number: int) -> ExceptionRequest | None:
        return ExceptionRequest.objects.with_context().filter(pk=number).first()

    def _reader(self, request: HttpRequest) -> Actor:
        actor = actor_of(request)
        if actor is None or not self.has_view_permission(request):
            raise PermissionDenied
        return actor

    @staticmethod
    def _posted(request: HttpRequest) -> ActionForm:
        form = FORMS.get(request.POST.get("verb", ""))
        if form is None:
            raise PermissionDenied
        return form(request.POST)

    @staticmethod
    def _done(posted: ActionForm, number: int) -> str:
        found = ExceptionRequest.objects.get(pk=number)
        if found.status == Status.APPROVED:
            return gettext("The council has approved the exception. The partner gets the letter.")
        if found.status == Status.DENIED:
            return gettext("The council has denied the exception. The partner gets the letter.")
        return str(posted.done)

    def _context(self, request: HttpRequest, asked: ExceptionRequest, typed: _Typed) -> dict[str, Any]:
        actor, now, deal = self._reader(request), timezone.now(), asked.referral
        policy = policies.current(now)
        found = choices(asked, actor, now, typed.action)
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": deal.name,
            "asked": asked,
            "state": _state(asked),
            "referral": deal,
            "registration": getattr(deal, "registration", None),
            "reads_deal": may_read(actor, deal),
            "changes": changes_of(asked),
            "rates": _rates(asked),
            "overdue": _is_overdue(asked),
            "days_left": days_left(now.date(), asked.due_on, policy),
            "evidence": asked.evidence.select_related("asked_by", "answered_by").order_by("-asked_at", "-pk"),
            "panel": panel(deal, actor, now),
            "similar": [(other, _state(other)) for other in docket.similar(asked)],
            "choices": found,
            "open_verb": typed.action.verb.name if typed.action else next((c.action.name for c in found if c.form), ""),
            "seen_version": asked.version if typed.version is None else typed.version,
            "bar": bar(request, EXCEPTION, asked.pk, now),
            "notes": notes_of(asked, EXCEPTION, actor, typed.note),
            "votes": may_vote(actor),
            "letters": DecisionLetter.objects.filter(request=asked).order_by("language"),
            "history": [timeline.entry(event) for event in _history(asked)],
            **_council(asked, now),
        }

    # What else hangs on it

    def letter_view(self, request: HttpRequest, number: int, language: str) -> HttpResponse:
        """The decision letter as it was written, as PDF."""
        self._reader(request)
        letter = DecisionLetter.objects.filter(request_id=number, language=language).first()
        if letter is None:
            raise Http404
        return letters_pdf.response(letter)

    def reports_view(self, request: HttpRequest) -> HttpResponse:
        self._reader(request)
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "title": _("Reports on exceptions")}
        return TemplateResponse(
            request, "admin/exceptions_council/reports.html", {**shared, **reports.context(timezone.now())}
        )


def _is_overdue(row: ExceptionRequest) -> bool:
    return row.is_overdue(timezone.now().date())


def _history(asked: ExceptionRequest) -> QuerySet[Event]:
    return Event.objects.of_subject(asked).select_related("actor_user", "company").order_by("-at", "-id")


def _rates(asked: ExceptionRequest) -> list[str]:
    """The rates it was refused at, as they were then (FLOW-7, FX-2)."""
    lines = []
    for currency, rate in asked.rates.items():
        month = rate["month"][:7]
        if "usd_per_unit" in rate:
            lines.append(text.rate(currency, Decimal(rate["usd_per_unit"]), month))
        else:
            given = {"value": text.money(Decimal(rate["value_usd"]), "USD"), "month": month}
            lines.append(gettext("Value of the deal: %(value)s (rates of %(month)s)") % given)
    return lines


def _council(asked: ExceptionRequest, now: datetime) -> dict[str, Any]:
    """Who votes and who doesn't, with why; how the votes stand as long as they are open (EXC-8, EXC-15)."""
    conflicts = dict(Conflict.objects.filter(request=asked).values_list("member_id", "reason"))
    members = [
        {"member": member, "why": _why_not(member), "conflict": conflicts.get(member.user.pk, "")}
        for member in council_of(asked)
    ]
    count = tally_of(asked, policies.current(now))
    return {"members": members, "tally": count, "standing": None if asked.is_final else text.text(standing(count))}


def _why_not(member: Member) -> str:
    return ", ".join(str(EXCLUDED[blocker.code]) for blocker in member.blockers)
