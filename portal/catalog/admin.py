"""The catalogue in the admin: read by everyone there, kept by programme managers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext

from portal.accounts.admin_site import MANAGERS, PortalAdmin, site, who
from portal.catalog import rules, services
from portal.catalog.models import AssessmentType, Solution

IDENTITY = ("code", "name", "publisher", "kind")
TAGS = ("published", "co_sell_ready", "azure_ip", "biz_apps")


class SolutionForm(forms.ModelForm):
    """Parses a solution and shows what the service would refuse; the service writes it."""

    class Meta:
        model = Solution
        fields = (*IDENTITY, *TAGS)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            tags = rules.Tags(**{name: cleaned[name] for name in TAGS})
            for blocker in rules.tag_blockers(cleaned.get("kind", self.instance.kind), tags):
                self.add_error(blocker.field, gettext(blocker.message))
        return cleaned


@admin.register(Solution, site=site)
class SolutionAdmin(PortalAdmin):
    write_roles = MANAGERS
    form = SolutionForm
    list_display = ("name", "code", "publisher", "kind", *TAGS)
    list_filter = ("kind", *TAGS)
    list_select_related = ("publisher",)
    search_fields = ("name", "code", "publisher__name")
    ordering = ("name", "pk")

    def get_readonly_fields(self, request: HttpRequest, obj: Solution | None = None) -> tuple[str, ...]:
        """What it is and whose stays: deals name it. Only the tags change, and each change is an event."""
        return () if obj is None else (*IDENTITY, "created_at")

    def save_model(self, request: HttpRequest, obj: Solution, form: Any, change: bool) -> None:
        if change:
            services.set_tags(obj, **asdict(obj.tags), **who(request))
        else:
            obj.pk = services.create_solution(**form.cleaned_data, **who(request)).pk


@admin.register(AssessmentType, site=site)
class AssessmentTypeAdmin(PortalAdmin):
    write_roles = MANAGERS
    list_display = ("name", "code")
    search_fields = ("name", "code")
    ordering = ("name", "pk")

    def get_readonly_fields(self, request: HttpRequest, obj: AssessmentType | None = None) -> tuple[str, ...]:
        """Deals name it, so it stays as it is."""
        return () if obj is None else ("code", "name")

    def save_model(self, request: HttpRequest, obj: AssessmentType, form: Any, change: bool) -> None:
        if not change:
            obj.pk = services.create_assessment_type(**form.cleaned_data, **who(request)).pk
