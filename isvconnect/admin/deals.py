"""ISV Connect deals in the administration: read by everybody there, cancelled by programme managers (ISV-5)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from isvconnect import verbs
from isvconnect.admin import filters
from isvconnect.models import Installment, IsvDeal, Status
from isvconnect.policies import may_cancel
from isvconnect.rules import states
from isvconnect.selectors import next_run
from isvconnect.selectors.deals import kept_rates
from portal.accounts.admin_site import PortalAdmin, actor_of, site
from portal.accounts.rules import Actor
from portal.events.models import Event
from portal.params import whole_number
from portal.ui.templatetags.ortak import badge
from portal.workflow import services as workflow
from portal.workflow import text, timeline
from portal.workflow.blockers import RuleViolation
from referrals.models import Referral
from referrals.policies import may_read as may_read_referral

COLOURS = {
    Status.SUBMITTED: "brand",
    Status.INVOICED: "warning",
    Status.COMPLETED: "success",
    Status.CANCELLED: "neutral",
}


def state_of(deal: IsvDeal) -> Any:
    return badge(COLOURS[Status(deal.status)], deal.get_status_display())


class CancelForm(forms.Form):
    """Reads why a deal is cancelled; the verb checks it. Asks about the issued invoices where there are some."""

    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The partner reads it."),
    )
    credit_issued = forms.BooleanField(
        label=_("Credit the issued invoices"),
        required=False,
        help_text=_("Each in full, by a credit note of its own. Without it they stay to be paid."),
    )

    def __init__(self, *args: Any, deal: IsvDeal, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "cancel_%s", **kwargs})
        if not next_run.to_credit(deal).exists():
            del self.fields["credit_issued"]

    def run(self, deal: IsvDeal, *, seen_version: int, actor: Actor) -> bool:
        """Whether it was done; else every reason against it stands at its field. Raises PermissionDenied."""
        if not self.is_valid():
            return False
        given = verbs.Cancelling(self.cleaned_data["reason"], self.cleaned_data.get("credit_issued", False))
        act = {"seen_version": seen_version, "actor": actor, "now": timezone.now()}
        try:
            workflow.run_from_page(deal, verbs.CANCEL, given, **act)  # type: ignore[arg-type]
        except RuleViolation as violation:
            for blocker in violation.blockers:
                self.add_error(blocker.field if blocker.field in self.fields else None, text.text(blocker))
            if isinstance(violation, workflow.Stale) and "status" in violation.changes:
                was, now = (gettext(states.STATES.get(str(value), "–")) for value in violation.changes["status"])
                self.add_error(None, gettext("State: %(was)s → %(now)s") % {"was": was, "now": now})
            return False
        return True


@admin.register(IsvDeal, site=site)
class IsvDealAdmin(PortalAdmin):
    list_display = ["customer", "partner", "what", "incentive", "state", "value", "fee_rate", "next_due", "reported"]
    list_filter = [
        filters.StateFilter,
        filters.NextFilter,
        "tag",
        filters.PartnerFilter,
        filters.RunFilter,
        filters.RatedFilter,
    ]
    list_select_related = ["company", "customer", "solution"]
    search_fields = ["customer__name", "company__name", "solution__name", "solution__code"]
    search_help_text = _("Customer, partner, solution or deal")
    ordering = ["-created_at", "-pk"]
    list_per_page = 50
    show_full_result_count = False
    change_list_template = "admin/isvconnect/deals.html"
    change_form_template = "admin/isvconnect/deal.html"

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Also by the name of its referral, where the reader may see that (REF-3)."""
        found, repeats = super().get_search_results(request, queryset, search_term)
        actor, name = actor_of(request), search_term.strip()
        if actor and name:
            named = Referral.objects.visible_to(actor).filter(name__icontains=name)
            found |= queryset.filter(referral__in=named)
        return found, repeats

    @admin.display(description=_("partner"), ordering="company__name")
    def partner(self, row: IsvDeal) -> str:
        return row.company.name

    @admin.display(description=_("solution"), ordering="solution__name")
    def what(self, row: IsvDeal) -> str:
        return row.solution.name

    @admin.display(description=_("incentive"), ordering="tag")
    def incentive(self, row: IsvDeal) -> str:
        return row.get_tag_display()

    @admin.display(description=_("state"), ordering="status")
    def state(self, row: IsvDeal) -> Any:
        return state_of(row)

    @admin.display(description=_("solution value (USD)"), ordering="solution_value_usd")
    def value(self, row: IsvDeal) -> str:
        return text.money(row.solution_value_usd, "USD")

    @admin.display(description=_("fee rate"), ordering="percent")
    def fee_rate(self, row: IsvDeal) -> Any:
        if row.percent is None and not row.is_cancelled:
            return badge("warning", gettext("Waits"))
        return text.percent(row.percent) if row.percent is not None else "–"

    @admin.display(description=_("next invoice"), ordering="next_due_on")
    def next_due(self, row: IsvDeal) -> str:
        return text.day(row.next_due_on) if row.next_due_on else "–"

    @admin.display(description=_("reported"), ordering="created_at")
    def reported(self, row: IsvDeal) -> str:
        return text.day(timezone.localtime(row.created_at).date())

    # The page

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Everybody of the administration reads it; programme managers cancel it here."""
        actor = actor_of(request)
        if actor is None or not self.has_view_permission(request):
            raise PermissionDenied
        deal = self._found(whole_number(object_id))
        if deal is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        posted = None
        if request.method == "POST":
            posted = CancelForm(request.POST, deal=deal)
            # A page that doesn't say what it showed showed nothing: no deal has version 0 (FLOW-7).
            if posted.run(deal, seen_version=whole_number(request.POST.get("version")) or 0, actor=actor):
                messages.success(request, gettext("The deal was cancelled. The partner is told."))
                return redirect("admin:isvconnect_isvdeal_change", deal.pk)
            deal = self._found(deal.pk)
            assert deal is not None
        return TemplateResponse(request, self.change_form_template, self._context(request, deal, posted, actor))

    @staticmethod
    def _found(number: int | None) -> IsvDeal | None:
        return IsvDeal.objects.with_context().filter(pk=number or 0).first()

    def _context(self, request: HttpRequest, deal: IsvDeal, posted: CancelForm | None, actor: Actor) -> dict[str, Any]:
        actions = workflow.available_actions(deal, actor, timezone.now())
        cancel = next((action for action in actions if action.verb is verbs.CANCEL), None)
        offered = cancel if cancel and (posted or not cancel.wrong_state) else None
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(deal),
            "deal": deal,
            "state": state_of(deal),
            "reads_referral": deal.referral is not None and may_read_referral(actor, deal.referral),
            "rates": _rates(deal),
            "schedule": Installment.objects.filter(deal=deal),
            "invoices": deal.invoices.select_related("credits").order_by("pk"),
            "cancel": offered,
            "form": posted or (CancelForm(deal=deal) if offered and offered.enabled else None),
            "cancels": may_cancel(actor),
            "history": [timeline.entry(event) for event in _history(deal)],
        }


def _history(deal: IsvDeal) -> QuerySet[Event]:
    return Event.objects.of_subject(deal).select_related("actor_user", "company").order_by("-at", "-id")


def _rates(deal: IsvDeal) -> list[str]:
    """The rates it was judged at, as they were then (FX-2)."""
    rates = kept_rates(deal).items()
    return [text.rate(currency, rate.usd_per_unit, f"{rate.month:%Y-%m}") for currency, rate in rates]
