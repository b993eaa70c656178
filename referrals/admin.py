"""Deals in the admin: the vendor's people see what is shared with the vendor, and change nothing."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin_site import PortalAdmin, actor_of, column, site, titled
from portal.workflow import text
from portal.workflow.blockers import Blocker
from referrals import rules
from referrals.models import Referral

COMPANY = column("company", _("company"))
CREATED = column("created_at", _("created"))


@admin.register(Referral, site=site)
class ReferralAdmin(PortalAdmin):
    list_display = ("name", COMPANY, "customer", "deal_type", "substatus", "worth", CREATED)
    list_filter = ("substatus", ("created_at", titled(admin.DateFieldListFilter, _("created"))))
    list_select_related = ("company", "engagement__customer")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("name", "company__name", "engagement__customer__name")
    ordering = ("-created_at", "-pk")
    #: Not the partner's own references (CRM id, campaign id).
    fields = (
        *("name", COMPANY, column("location", _("location")), column("invited_by", _("invited by"))),
        *("customer", "deal_type", "worth", "close_date", "substatus", "stage", "reason"),
        *(CREATED, column("expires_at", _("to be answered until"))),
        *(column("accepted_at", _("accepted")), column("closed_at", _("closed"))),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Referral]:
        """Leave out deals that are not shared with the vendor (REF-3)."""
        actor = actor_of(request)
        return Referral.objects.visible_to(actor).with_context() if actor else Referral.objects.none()

    @admin.display(description=_("customer"))
    def customer(self, referral: Referral) -> str:
        return referral.engagement.customer.name

    @admin.display(description=_("deal type"))
    def deal_type(self, referral: Referral) -> str:
        kind = gettext(rules.DEAL_TYPES[referral.deal_type])
        return f"{kind} · {gettext('Partner to partner')}" if referral.p2p else kind

    @admin.display(description=_("estimated value"), ordering="value_usd")
    def worth(self, referral: Referral) -> str:
        return text.money(referral.value, referral.currency)

    @admin.display(description=_("reason"))
    def reason(self, referral: Referral) -> str:
        if not referral.reason_code:
            return "–"
        return f"{text.text(Blocker('', referral.reason_text))} {referral.reason_note}".strip()
