"""The catalogue in the admin: read by everyone there, kept by programme managers."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin_history import HistoryAdmin
from portal.accounts.admin_site import MANAGERS, PortalAdmin, PortalInline, said, site, who
from portal.catalog import rules, services
from portal.catalog.models import AssessmentType, Plan, Solution

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
            for blocker in rules.tag_blockers(cleaned["kind"], tags):
                self.add_error(blocker.field, gettext(blocker.message))
        return cleaned

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """What decisions stand on is kept, and said why."""
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None and (settled := services.settled(self.instance)):
            for blocker in rules.settled_blockers(settled, self.fields):
                self.fields[blocker.field].disabled = True
                self.fields[blocker.field].help_text = said(blocker)


class PlanForm(forms.ModelForm):
    """A plan that there is keeps its id: licences were given out under it (LIC-2)."""

    class Meta:
        model = Plan
        fields = ("code", "name", "offered")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].disabled = self.instance.pk is not None


class PlanInline(PortalInline):
    """The plans of the solution's offer."""

    model = Plan
    form = PlanForm
    write_roles = MANAGERS
    extra = 1


@admin.register(Solution, site=site)
class SolutionAdmin(HistoryAdmin):
    write_roles = MANAGERS
    told: ClassVar = {
        services.ADDED: _("Added"),
        services.CHANGED: _("Corrected"),
        services.TAGS_CHANGED: _("Tags changed"),
    }
    columns: ClassVar = {"publisher": capfirst(_("publisher"))}
    form = SolutionForm
    list_display = ("name", "code", "publisher", "kind", *TAGS)
    list_filter = ("kind", *TAGS)
    list_select_related = ("publisher",)
    search_fields = ("name", "code", "publisher__name")
    ordering = ("name", "pk")
    inlines = (PlanInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Solution | None = None) -> tuple[str, ...]:
        return () if obj is None else ("created_at",)

    def save_model(self, request: HttpRequest, obj: Solution, form: Any, change: bool) -> None:
        if change:
            given = form.cleaned_data
            with transaction.atomic():
                self._change(obj, given, who(request))
        else:
            obj.pk = services.create_solution(**form.cleaned_data, **who(request)).pk

    def _change(self, solution: Solution, given: dict[str, Any], by: dict[str, Any]) -> None:
        """A tag that its kind doesn't allow goes before the kind, and one that only the new kind allows comes after."""
        tags = {name: given[name] for name in TAGS}
        if given["kind"] != rules.IP:
            services.set_tags(solution, **tags, **by)
        services.correct(solution, **{name: given[name] for name in IDENTITY}, **by)
        services.set_tags(solution, **tags, **by)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save(commit=False)  # writes nothing, but says what changed
        for plan in formset.new_objects:
            given = {"code": plan.code, "name": plan.name, "offered": plan.offered}
            services.add_plan(form.instance, **given, **who(request))
        for plan, _fields in formset.changed_objects:
            services.change_plan(plan, name=plan.name, offered=plan.offered, **who(request))


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
