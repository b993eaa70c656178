"""The filters of the council's docket."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from exceptions_council.models import ExceptionRequest, Status
from exceptions_council.selectors import docket
from portal.accounts.admin_site import actor_of
from portal.accounts.models import Company
from portal.params import whole_number

DECIDED = "decided"
#: What the ages of open requests are called.
AGES = {
    "0-7": _("Up to 7 days"),
    "8-14": _("8 to 14 days"),
    "15-21": _("15 to 21 days"),
    "22": _("22 days and more"),
}


class StateFilter(admin.SimpleListFilter):
    """Show what is open first, and everything else only when it is chosen."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("all", _("All")), (DECIDED, _("Decided")), *Status.choices]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("Open")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[ExceptionRequest]) -> QuerySet[ExceptionRequest]:
        found: Any = queryset
        match self.value():
            case None:
                return found.open()
            case "all":
                return queryset
            case "decided":
                return found.decided()
        return queryset.filter(status=self.value())


class AttentionFilter(admin.SimpleListFilter):
    """What doesn't get on (EXC-7, EXC-11, EXC-15)."""

    title = _("attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("overdue", _("Overdue")),
            ("evidence", _("Waiting for evidence")),
            ("too_few", _("Too few may vote")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ExceptionRequest]) -> QuerySet[ExceptionRequest]:
        found: Any = queryset
        match self.value():
            case "overdue":
                return found.overdue(timezone.now().date())
            case "evidence":
                return queryset.filter(status=Status.EVIDENCE_REQUESTED)
            case "too_few":
                return queryset.filter(pk__in=docket.too_few(timezone.now()))
        return queryset


class MineFilter(admin.SimpleListFilter):
    title = _("my vote")
    parameter_name = "mine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("Waits for my vote"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ExceptionRequest]) -> QuerySet[ExceptionRequest]:
        actor, found = actor_of(request), queryset
        if self.value() != "open" or actor is None:
            return queryset
        return docket.to_vote(found, actor)  # type: ignore[arg-type]


class PartnerFilter(admin.SimpleListFilter):
    """Partners who ever asked."""

    title = _("partner")
    parameter_name = "partner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        asked = ExceptionRequest.objects.values("referral__company")
        found = Company.objects.filter(pk__in=asked).order_by("name", "pk")
        return [(str(pk), name) for pk, name in found.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ExceptionRequest]) -> QuerySet[ExceptionRequest]:
        if not self.value():
            return queryset
        return queryset.filter(referral__company_id=whole_number(self.value() or "") or 0)


class AgeFilter(admin.SimpleListFilter):
    """By the days since it was asked for."""

    title = _("age")
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(AGES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[ExceptionRequest]) -> QuerySet[ExceptionRequest]:
        found: Any = queryset
        return docket.of_age(found, self.value() or "", timezone.now().date())
