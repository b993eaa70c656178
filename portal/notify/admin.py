"""The mail queue in the admin. All admin users read it; programme managers retry mail that was given up."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin_site import MANAGERS, PortalAdmin, column, site, titled
from portal.events.services import seen_by_vendor
from portal.notify import services
from portal.notify.models import Mail, Notice
from portal.notify.selectors import rendered

WAITING, SENT, PARKED, UNMAILED = "waiting", "sent", "parked", "unmailed"
STATES = {WAITING: _("Waiting"), SENT: _("Sent"), PARKED: _("Given up"), UNMAILED: _("Not mailed")}


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notice]) -> QuerySet[Notice]:
        asked = {
            WAITING: Q(sent_at=None, parked_at=None) & ~Q(mail=Mail.OFF),
            SENT: Q(sent_at__isnull=False),
            PARKED: Q(sent_at=None, parked_at__isnull=False),
            UNMAILED: Q(sent_at=None, parked_at=None, mail=Mail.OFF),
        }.get(self.value() or "", Q())
        return queryset.filter(asked)


WHEN = column("created_at", _("when"))
ADDRESS = column("email", _("e-mail"))
TRIES = column("attempts", _("tries"))
ERROR = column("last_error", _("last error"))


@admin.register(Notice, site=site)
class NoticeAdmin(PortalAdmin):
    list_display = (WHEN, ADDRESS, "what", "state", TRIES, ERROR)
    list_filter = (StateFilter, ("created_at", titled(admin.DateFieldListFilter, _("when"))))
    fields = (
        *(WHEN, ADDRESS, "what", "text", "state", TRIES, ERROR),
        *(column("next_attempt_at", _("next try")), column("sent_at", _("sent")), column("parked_at", _("given up"))),
    )
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("email",)
    ordering = ("-pk",)
    actions = ("send_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        """Leave out mail about deals that are not shared with the vendor (REF-3)."""
        return super().get_queryset(request).filter(event__in=seen_by_vendor())

    def has_send_permission(self, request: HttpRequest) -> bool:
        return self._may(request, MANAGERS)

    @admin.display(description=_("subject"))
    def what(self, notice: Notice) -> str:
        return rendered(notice).subject

    @admin.display(description=_("text"))
    def text(self, notice: Notice) -> str:
        return rendered(notice).body

    @admin.display(description=_("state"))
    def state(self, notice: Notice) -> Any:
        if notice.sent_at:
            return STATES[SENT]
        if notice.parked_at:
            return STATES[PARKED]
        return STATES[UNMAILED if notice.mail == Mail.OFF else WAITING]

    @admin.action(description=_("Send again what was given up"), permissions=["send"])
    def send_again(self, request: HttpRequest, notices: QuerySet[Notice]) -> None:
        now = timezone.now()
        again = sum(services.retry(notice, now=now) for notice in notices)
        if not again:
            messages.warning(request, gettext("None of these mails was given up, so none is sent again."))
            return
        sentence = ngettext("%(count)s mail is sent again.", "%(count)s mails are sent again.", again)
        messages.success(request, sentence % {"count": again})
