"""The texts that fill comments: read by everybody in the administration, kept by programme managers (FLOW-16)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin_site import MANAGERS, PortalAdmin, site
from portal.desk.models import COMMENTED, CommentTemplate
from portal.workflow import text


class TemplateForm(forms.ModelForm):
    used_for = forms.ChoiceField(label=_("Used for"))
    reason_code = forms.ChoiceField(
        label=_("Reason"),
        required=False,
        help_text=_("Chosen along with the text. None: the text goes with any reason."),
    )

    class Meta:
        model = CommentTemplate
        fields = ("used_for", "reason_code", "text_en", "text_tr", "position", "is_active")
        widgets = {name: forms.Textarea(attrs={"rows": 5}) for name in ("text_en", "text_tr")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {code: text.phrase(one.label) for code, one in COMMENTED.items()}
        self.fields["used_for"].choices = [("", gettext("Choose what it is for")), *labels.items()]  # type: ignore[attr-defined]
        reasons = [
            (labels[code], [(reason, gettext(msgid)) for reason, msgid in one.reasons.items()])
            for code, one in COMMENTED.items()
            if one.reasons
        ]
        self.fields["reason_code"].choices = [("", gettext("Every reason")), *reasons]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        used_for, reason = given.get("used_for"), given.get("reason_code")
        if used_for and reason and reason not in COMMENTED[used_for].reasons:
            self.add_error("reason_code", gettext("This decision has no such reason."))
        return given


@admin.register(CommentTemplate, site=site)
class CommentTemplateAdmin(PortalAdmin):
    write_roles = MANAGERS
    form = TemplateForm
    fields = ("used_for", "reason_code", "text_en", "text_tr", "position", "is_active")
    list_display = ("beginning", "what_for", "reason", "position", "is_active")
    ordering = ("used_for", "position", "pk")

    def get_fields(self, request: HttpRequest, obj: CommentTemplate | None = None) -> tuple[str, ...]:
        """Who only reads it reads words instead of codes."""
        if self.has_change_permission(request, obj):
            return self.fields
        return ("what_for", "reason", *self.fields[2:])

    def get_queryset(self, request: HttpRequest) -> QuerySet[CommentTemplate]:
        return CommentTemplate.objects.in_order()

    @admin.display(description=_("text in English"))
    def beginning(self, template: CommentTemplate) -> str:
        return str(template)

    @admin.display(description=_("used for"), ordering="used_for")
    def what_for(self, template: CommentTemplate) -> str:
        known = COMMENTED.get(template.used_for)
        return text.phrase(known.label) if known else template.used_for

    @admin.display(description=_("reason"))
    def reason(self, template: CommentTemplate) -> str:
        known = COMMENTED.get(template.used_for)
        msgid = known.reasons.get(template.reason_code, "") if known else ""
        return gettext(msgid) if msgid else "–"
