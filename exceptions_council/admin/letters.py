"""The templates of decision letters: read by everybody in the administration, written by programme managers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exceptions_council.models import FINAL, LetterTemplate
from exceptions_council.rules import letter
from exceptions_council.services import letters_pdf
from portal.accounts.admin_site import MANAGERS, PortalAdmin, site
from portal.ui import pdf

WHICH = ("outcome", "language")
TEXTS = ("subject", "body")


class TemplateForm(forms.ModelForm):
    class Meta:
        model = LetterTemplate
        fields = (*WHICH, *TEXTS)
        widgets = {"subject": forms.TextInput(attrs={"size": 80}), "body": forms.Textarea(attrs={"rows": 16})}


class PreviewForm(TemplateForm):
    """A template that is looked at may be one that there is already."""

    def validate_unique(self) -> None: ...


@admin.register(LetterTemplate, site=site)
class LetterTemplateAdmin(PortalAdmin):
    write_roles = MANAGERS
    form = TemplateForm
    fields = (*WHICH, *TEXTS)
    list_display = ("outcome", "language", "subject")
    ordering = ("outcome", "language")
    change_list_template = "admin/exceptions_council/templates.html"
    change_form_template = "admin/exceptions_council/template.html"

    def get_readonly_fields(self, request: HttpRequest, obj: LetterTemplate | None = None) -> tuple[str, ...]:
        """A letter keeps its language and what it is about."""
        return () if obj is None else WHICH

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.preview_view)
        return [path("preview/", view, name="exceptions_council_lettertemplate_preview"), *super().get_urls()]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """How the letter reads as long as there is no template of it."""
        asked = request.GET.get("outcome", ""), request.GET.get("language", "")
        found = _DEFAULTS.get(asked)
        if found is None:
            return {}
        with translation.override(asked[1]):
            texts = {"subject": gettext(found.subject), "body": gettext(found.body)}
        return {"outcome": asked[0], "language": asked[1], **texts}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With the letters that nobody has written anew: they read as they do in the beginning."""
        written = set(LetterTemplate.objects.values_list("outcome", "language"))
        missing = [
            {"outcome": outcome, "language": language, "name": f"{outcome.label} · {name}"}
            for outcome in FINAL
            for language, name in settings.LANGUAGES
            if (outcome.value, language) not in written
        ]
        may_write = self._may(request, self.write_roles)
        return super().changelist_view(request, {"missing": missing if may_write else [], **(extra_context or {})})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        places = [(f"{{{name}}}", gettext(meaning)) for name, meaning in letter.PLACES.items()]
        return super().render_change_form(request, {"places": places, **context}, *args, **kwargs)

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """The letter as PDF, as it is typed in the form; each place says what will stand there. Writes nothing."""
        if not self._may(request, self.write_roles):
            raise PermissionDenied
        form = PreviewForm(request.POST)
        if not form.is_valid():
            shared = {**self.admin_site.each_context(request), "opts": self.opts, "title": _("Preview")}
            page = "admin/exceptions_council/preview_refused.html"
            return TemplateResponse(request, page, {**shared, "form": form}, status=422)
        with translation.override(form.cleaned_data["language"]):
            values = {name: f"[{gettext(meaning)}]" for name, meaning in letter.PLACES.items()}
            subject, body = (letter.fill(form.cleaned_data[name], values) for name in TEXTS)
            content = letters_pdf.pdf(subject, letter.paragraphs(body), at=timezone.now())
        return pdf.download(content, "preview.pdf")


_DEFAULTS = {
    (str(outcome), language): found
    for outcome, found in letter.DEFAULTS.items()
    for language, _name in settings.LANGUAGES
}
