"""Customers from a file, in the admin: looked at first, taken in whole or not at all (REF-5)."""

from __future__ import annotations

import io
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from portal.accounts.admin_history import HistoryAdmin
from portal.accounts.admin_site import MANAGERS, said, site, who
from portal.bodies import accepts_upload
from portal.customers import rules, services
from portal.customers.forms import LARGEST_UPLOAD_BYTES, ImportForm
from portal.customers.models import Customer

#: How many rows of each kind the preview shows.
MAX_SHOWN = 200


class CustomerImport(HistoryAdmin):
    """The import's page, beside the directory."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name="customers_customer_import"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may_import = self._may(request, MANAGERS)
        return super().changelist_view(request, {"may_import": may_import, **(extra_context or {})})

    @accepts_upload(3 * LARGEST_UPLOAD_BYTES)  # so that the form can say what is wrong with a file too large
    def import_view(self, request: HttpRequest) -> HttpResponse:
        if not self._may(request, MANAGERS):
            raise PermissionDenied
        form = ImportForm(request.POST or None, request.FILES or None)
        preview = self._preview(form) if request.method == "POST" and form.is_valid() else None
        if preview is not None and _confirmed(form, preview):
            self._take_in(request, form)
            return redirect("admin:customers_customer_changelist")
        context = {**site.each_context(request), "title": _("Import customers"), "form": form, "opts": self.opts}
        shown = _shown(form, preview) if preview is not None else {}
        return render(request, "admin/customers/customer/import.html", {**context, **shown})

    def _preview(self, form: ImportForm) -> services.Preview | None:
        try:
            return services.preview(_lines(form), columns=form.columns())
        except rules.WrongColumns as wrong:
            form.add_error("file", said(wrong.blocker))
            return None

    def _take_in(self, request: HttpRequest, form: ImportForm) -> None:
        """All of it in one transaction: what breaks takes the rest back."""
        with transaction.atomic():
            done = services.import_customers(
                _lines(form), columns=form.columns(), report=lambda problem: None, **who(request)
            )
        counts = {"created": done.created, "updated": done.updated, "skipped": done.skipped}
        text = _("Customers: %(created)s new, %(updated)s changed, %(skipped)s lines left out.") % counts
        messages.success(request, text)


def _lines(form: ImportForm) -> io.StringIO:
    return io.StringIO(form.cleaned_data["text"], newline="")


def _confirmed(form: ImportForm, preview: services.Preview) -> bool:
    """Whether the person has seen just this, and said what becomes of refused lines."""
    if "confirm" not in form.data:
        return False
    if form.cleaned_data["seen"] != preview.mark:
        form.add_error(None, _("Somebody changed customers meanwhile. Look at what the file would change now."))
        return False
    if preview.refused and not form.cleaned_data["sure"]:
        form.add_error("sure", _("Tick that the refused lines are left out, or correct them in the file."))
        return False
    return True


def _shown(form: ImportForm, preview: services.Preview) -> dict[str, Any]:
    """What the page says of a file."""
    rows = [planned for planned in preview.rows if planned.outcome != services.UNCHANGED]
    return {
        "preview": preview,
        "counted": [
            (_("New:"), len(preview.of(services.NEW))),
            (_("Changed:"), len(preview.of(services.UPDATED))),
            (_("As before:"), len(preview.of(services.UNCHANGED))),
            (_("Refused lines:"), len(preview.refused)),
        ],
        "rows": [(planned.row, planned.outcome == services.NEW, _changes(planned)) for planned in rows[:MAX_SHOWN]],
        "row_count": len(rows),
        "more": len(rows) > MAX_SHOWN,
        "refused": [_refused(problem) for problem in preview.refused[:MAX_SHOWN]],
        "refused_more": len(preview.refused) > MAX_SHOWN,
        "content": form.cleaned_data["text"],
        "given": form.cleaned_data,
        "mapping": "\n".join(f"{ours}={column}" for ours, column in form.cleaned_data["mapping"].items()),
    }


def _refused(problem: rules.RowProblem) -> str:
    why = " ".join(said(blocker) for blocker in problem.blockers)
    return _("Line %(line)s: %(text)s") % {"line": problem.line, "text": why}


def _changes(planned: services.Planned) -> list[tuple[str, Any, Any]]:
    """Each changed field's label, what it is and what it becomes."""
    labels = {field.name: capfirst(str(field.verbose_name)) for field in Customer._meta.fields}
    return [(labels[name], _value(was), _value(becomes)) for name, was, becomes in planned.changes]


def _value(value: Any) -> Any:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return value or "–"
