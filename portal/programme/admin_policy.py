"""The programme's numbers in the admin: read by everyone there; programme managers add versions and change none."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime, time
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin_site import MANAGERS, PortalAdmin, actor_of, column, site
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy
from portal.programme import services


def _known_fields() -> str:
    known = ", ".join(f"{field.name}: {field.default}" for field in fields(Policy) if field.name != "version")
    return gettext('Write them as {"answer_days": 10}. The fields and their defaults: %(known)s.') % {"known": known}


class NewVersionForm(forms.ModelForm):
    """The next version; model and service say what is wrong with its values."""

    in_force_from = forms.DateField(
        label=_("In force from"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("The day's beginning in UTC. Empty: at once."),
    )

    class Meta:
        model = PolicyVersion
        fields = ("values", "note")
        help_texts: ClassVar = {"values": lazy(_known_fields, str)()}

    def clean_in_force_from(self) -> date | None:
        day: date | None = self.cleaned_data["in_force_from"]
        if day is not None and day <= timezone.now().date():
            raise ValidationError(_("A version is in force at once or from a later day on, never from an earlier one."))
        return day


BY = column("created_by", _("added by"))


@admin.register(PolicyVersion, site=site)
class PolicyVersionAdmin(PortalAdmin):
    write_roles = MANAGERS
    list_display = ("__str__", "from_utc", "note", "values", BY)
    list_select_related = ("created_by",)
    ordering = ("-effective_from", "-number")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Decisions name the version they were made under (FLOW-7): a mistake is put right by the next version."""
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({} if change else {"form": NewVersionForm}), **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        if obj is None:
            return ("in_force_from", "values", "note")
        return ("number", "from_utc", "values", "note", BY, column("created_at", _("added")))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What is in force: a version replaces the one before entirely."""
        newest = PolicyVersion.objects.order_by("-effective_from", "-number").first()
        return {"values": newest.values if newest else {}}

    @admin.display(description=_("effective from (UTC)"), ordering="effective_from")
    def from_utc(self, version: PolicyVersion) -> str:
        return f"{version.effective_from.astimezone(UTC):%Y-%m-%d %H:%M}"

    def save_model(self, request: HttpRequest, obj: PolicyVersion, form: Any, change: bool) -> None:
        actor, day = actor_of(request), form.cleaned_data["in_force_from"]
        if actor is None:
            raise PermissionDenied
        version = services.add_policy_version(
            values=form.cleaned_data["values"] or {},
            effective_from=datetime.combine(day, time.min, UTC) if day else None,
            note=form.cleaned_data["note"],
            actor=actor,
            now=timezone.now(),
        )
        obj.pk, obj.number = version.pk, version.number
