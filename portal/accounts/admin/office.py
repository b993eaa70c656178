"""What managers do with a company besides correcting it: close it, reopen it, merge it into another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts import companies, merging
from portal.accounts.admin_history import HistoryAdmin
from portal.accounts.admin_site import MANAGERS, said, site, who
from portal.accounts.models import Company
from portal.folding import fold
from portal.params import whole_number
from portal.workflow.blockers import Blocker, RuleViolation

#: So many companies are offered at once; a longer beginning of the name finds the others.
OFFERED = 20


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("Open")), ("closed", _("Closed")), ("merged", _("Merged"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Company]) -> QuerySet[Company]:
        match self.value():
            case "open":
                return queryset.filter(closed_at=None)
            case "closed":
                return queryset.filter(closed_at__isnull=False, merged_into=None)
            case "merged":
                return queryset.filter(merged_into__isnull=False)
        return queryset


class CloseForm(forms.Form):
    reason = forms.CharField(
        label=_("Why it is closed"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The programme's people read it on the company's page and in its history."),
    )


class CompanyOffice(HistoryAdmin):
    """The pages of these actions, each beside the company's own."""

    told: ClassVar = {
        "company.added": _("Added"),
        "company.changed": _("Corrected"),
        companies.CLOSED: _("Closed"),
        companies.REOPENED: _("Reopened"),
        merging.MERGED: _("Merged into %(kept)s"),
        merging.ABSORBED: _("%(name)s was merged into it"),
    }

    def get_urls(self) -> list[URLPattern]:
        pages: dict[str, Callable[[HttpRequest, Company], HttpResponse]] = {
            "close": self._close,
            "reopen": self._reopen,
            "merge": self._merge,
        }
        own = [
            path(
                f"<int:number>/{name}/",
                self.admin_site.admin_view(self._managers(view)),
                name=f"accounts_company_{name}",
            )
            for name, view in pages.items()
        ]
        return [*own, *super().get_urls()]

    def _managers(self, view: Callable[[HttpRequest, Company], HttpResponse]) -> Callable[..., HttpResponse]:
        def shown(request: HttpRequest, number: int) -> HttpResponse:
            if not self._may(request, MANAGERS):
                raise PermissionDenied
            company = Company.objects.select_related("merged_into").filter(pk=number).first()
            if company is None:
                raise Http404
            return view(request, company)

        return shown

    def _page(self, request: HttpRequest, template: str, company: Company, **more: Any) -> HttpResponse:
        context = {**site.each_context(request), "opts": self.opts, "company": company, **more}
        return render(request, f"admin/accounts/company/{template}.html", context)

    def _close(self, request: HttpRequest, company: Company) -> HttpResponse:
        form = CloseForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                companies.close(company, reason=form.cleaned_data["reason"], **who(request))
            except RuleViolation as refused:
                _at_fields(form, refused)
            else:
                messages.success(request, gettext("%(company)s was closed.") % {"company": company})
                return redirect("admin:accounts_company_change", company.pk)
        title = gettext("Close %(company)s") % {"company": company}
        return self._page(request, "close", company, title=title, form=form)

    def _reopen(self, request: HttpRequest, company: Company) -> HttpResponse:
        if request.method == "POST":
            try:
                companies.reopen(company, **who(request))
            except RuleViolation as refused:
                messages.error(request, " ".join(said(blocker) for blocker in refused.blockers))
            else:
                messages.success(request, gettext("%(company)s is open again.") % {"company": company})
            return redirect("admin:accounts_company_change", company.pk)
        title = gettext("Reopen %(company)s") % {"company": company}
        return self._page(request, "reopen", company, title=title)

    def _merge(self, request: HttpRequest, company: Company) -> HttpResponse:
        """First the company that stays is chosen, then it is shown what becomes of what; both by address."""
        given = request.POST if request.method == "POST" else request.GET
        found = given.get("find", "").strip()
        into = self._chosen(given.get("into", ""))
        preview = merging.preview(company, into, now=timezone.now()) if into else None
        refused = preview.refused if preview else ()
        if request.method == "POST" and into and preview:
            if given.get("seen") == _mark(preview):
                try:
                    merging.merge(company, into, **who(request))
                    done = gettext("%(gone)s was merged into %(kept)s.")
                    messages.success(request, done % {"gone": company, "kept": into})
                    return redirect("admin:accounts_company_change", into.pk)
                except RuleViolation as violation:
                    refused = violation.blockers
            else:
                messages.warning(request, gettext("Something changed meanwhile. Look at what would be merged now."))
        shown = {
            "find": found,
            "offered": _offered(company, found),
            "into": into,
            "preview": preview,
            "parts": [(capfirst(part.model._meta.verbose_name_plural), part.count) for part in preview.parts]
            if preview
            else [],
            "refused": [said(blocker) for blocker in refused],
            "told": [said(blocker) for blocker in preview.told] if preview else [],
            "stays": [gettext(why) for why in merging.STAYS.values()],
            "mark": _mark(preview) if preview else "",
        }
        title = gettext("Merge %(company)s into another company") % {"company": company}
        return self._page(request, "merge", company, title=title, **shown)

    def _chosen(self, given: str) -> Company | None:
        number = whole_number(given)
        return Company.objects.filter(pk=number).first() if number is not None else None

    # The company's own page

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        company = kwargs.get("obj")
        if company is not None:
            context["may_act"] = self._may(request, MANAGERS) and not company.is_vendor
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("state"), ordering="closed_at")
    def state(self, company: Company) -> str:
        if company.merged_into_id:
            return gettext("Merged")
        return gettext("Closed") if company.is_closed else gettext("Open")


def _at_fields(form: forms.Form, refused: RuleViolation) -> None:
    for blocker in refused.blockers:
        form.add_error(blocker.field if blocker.field in form.fields else None, said(blocker))


def _offered(company: Company, beginning: str) -> list[Company]:
    """Open partners whose names begin so; as long as nothing is typed, those whose names begin with the same word."""
    wanted = fold(beginning) or fold(company.name).partition(" ")[0]
    others = Company.objects.partners().open().exclude(pk=company.pk).order_by("name", "pk")
    return [other for other in others if fold(other.name).startswith(wanted)][:OFFERED]


def _mark(preview: merging.Preview) -> str:
    """What was shown, in short: only that is done."""
    shown = [*((part.model._meta.label, part.count) for part in preview.parts), *map(_key, preview.told)]
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:20]


def _key(blocker: Blocker) -> tuple[str, str]:
    return blocker.code, str(dict(blocker.params))
