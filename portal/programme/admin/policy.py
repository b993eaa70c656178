"""The programme's numbers in the admin: read by everyone there; programme managers add versions and change none."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, date, datetime, time
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin_site import MANAGERS, PortalAdmin, column, site, who
from portal.params import PlainJSONField
from portal.policy import services as policies
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy
from portal.programme import services


def _known_fields() -> str:
    known = ", ".join(f"{field.name}: {field.default}" for field in fields(Policy) if field.name != "version")
    return gettext('Write them as {"answer_days": 10}. The fields and their defaults: %(known)s.') % {"known": known}


class NewVersionForm(forms.ModelForm):
    """The next version; model and service say what is wrong with its values."""

    values = PlainJSONField(label=capfirst(_("values that differ from the defaults")), required=False)
    in_force_from = forms.DateField(
        label=_("In force from"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("The day's beginning in UTC. Empty: at once."),
    )

    #: The version it is to follow: the newest when the form was opened.
    base = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=2**31 - 2)

    class Meta:
        model = PolicyVersion
        fields = ("values", "note")
        help_texts: ClassVar = {"values": lazy(_known_fields, str)()}

    def clean_in_force_from(self) -> date | None:
        day: date | None = self.cleaned_data["in_force_from"]
        if day is not None and day <= timezone.now().date():
            raise ValidationError(_("A version is in force at once or from a later day on, never from an earlier one."))
        return day

    def clean(self) -> dict[str, Any]:
        """A version replaces the one before entirely: who didn't see that one is told, and saves again."""
        cleaned = super().clean() or {}
        base, newest = cleaned.get("base"), policies.newest()
        if base is not None and base != newest:
            version = PolicyVersion.objects.filter(number=newest).first()
            params = {"version": version or "v0", "values": json.dumps(version.values if version else {})}
            text = gettext("%(version)s was added meanwhile: %(values)s. Save again to put yours in its place.")
            self.add_error("values", text % params)
            self.data = {**self.data.dict(), "base": newest}  # type: ignore[attr-defined]
        return cleaned


BY = column("created_by", _("added by"))


@admin.register(PolicyVersion, site=site)
class PolicyVersionAdmin(PortalAdmin):
    write_roles = MANAGERS
    taken_field = "values"
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
            return ("in_force_from", "values", "note", "base")
        return ("number", "from_utc", "values", "note", BY, column("created_at", _("added")))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What is in force: a version replaces the one before entirely."""
        newest = PolicyVersion.objects.order_by("-effective_from", "-number").first()
        return {"values": newest.values if newest else {}, "base": policies.newest()}

    @admin.display(description=_("effective from (UTC)"), ordering="effective_from")
    def from_utc(self, version: PolicyVersion) -> str:
        return f"{version.effective_from.astimezone(UTC):%Y-%m-%d %H:%M}"

    def save_model(self, request: HttpRequest, obj: PolicyVersion, form: Any, change: bool) -> None:
        day = form.cleaned_data["in_force_from"]
        version = services.add_policy_version(
            values=form.cleaned_data["values"] or {},
            effective_from=datetime.combine(day, time.min, UTC) if day else None,
            note=form.cleaned_data["note"],
            after=form.cleaned_data["base"],
            **who(request),
        )
        obj.pk, obj.number = version.pk, version.number
