"""The pages of uploaded files: one is sent, looked at, confirmed or discarded, and its rows are downloaded (F3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal import tables
from portal.accounts.decorators import ActorRequest, needs_actor
from portal.bodies import PAGE_BYTES, accepts_upload
from portal.pages.exports import write_for_editing
from portal.pages.models import Upload, UploadRow
from portal.pages.services import uploads as services
from portal.params import whole_number
from portal.row_plans import KINDS, Cell
from portal.ui.http import for_htmx, form_page, posted
from portal.ui.listing.files import CONTENT_TYPES
from portal.workflow import text
from portal.workflow.blockers import from_json

MAX_UPLOADS = 20
PAGE_ROWS = 50
ALL = "all"


class UploadForm(forms.Form):
    """A file, and what is in it."""

    kind = forms.ChoiceField(label=_("What is in the file?"), widget=forms.RadioSelect)
    file = forms.FileField(label=_("File"), max_length=200)

    def __init__(self, *args: Any, kinds: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(code, text.phrase(KINDS[code].label)) for code in kinds]  # type: ignore[attr-defined]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > tables.MAX_BYTES:
            limit = tables.MAX_BYTES // 1_000_000
            message = _("The file is larger than %(limit)s MB; upload it in parts.")
            raise forms.ValidationError(message, params={"limit": limit})
        return file


@accepts_upload(tables.MAX_BYTES + PAGE_BYTES)
@needs_actor
@require_http_methods(["GET", "POST"])
def uploads(request: ActorRequest) -> HttpResponse:
    """The form, and one's own uploads, the newest first."""
    kinds = [code for code, kind in KINDS.items() if kind.is_uploaded and kind.may_upload(request.actor)]
    if not kinds:
        raise PermissionDenied
    asked = request.GET.get("kind", "")
    form = UploadForm(posted(request), request.FILES or None, kinds=kinds, initial={"kind": asked or kinds[0]})
    if form.is_bound and form.is_valid():
        file = form.cleaned_data["file"]
        name, content, kind = str(file.name), file.read(), form.cleaned_data["kind"]
        upload = services.receive(kind, name=name, content=content, actor=request.actor, now=timezone.now())
        return redirect("upload", upload.public_id)
    newest = Upload.objects.visible_to(request.actor).defer("content").order_by("-created_at", "-pk")
    return form_page(
        request, "pages/uploads.html", form, uploads=newest[:MAX_UPLOADS], most=Upload.MAX_ROWS, kinds=_labels()
    )


def _labels() -> dict[str, str]:
    return {code: text.phrase(kind.label) for code, kind in KINDS.items()}


@needs_actor
@require_GET
def upload(request: ActorRequest, public_id: Any) -> HttpResponse:
    """How far it is, what it would do, or what became of it; htmx asks again every second while a worker has it."""
    found = _upload(request, public_id)
    if request.htmx:
        name = "pages/upload.html#progress"
        return HttpResponse(headers={"HX-Refresh": "true"}) if not found.is_waiting else _page(request, found, name)
    return _page(request, found, "pages/upload.html")


def _page(request: ActorRequest, found: Upload, template: str) -> HttpResponse:
    shown = found.rows.all()
    counts = _counts(found)
    chosen = request.GET.get("show", "")
    if chosen in counts:
        shown = shown.filter(**{_by(found): chosen})
    after = whole_number(request.GET.get("after")) or 0
    page = list(shown.filter(line__gt=after).order_by("line")[: PAGE_ROWS + 1])
    context = {
        "upload": found,
        "kind": text.phrase(KINDS[found.kind].label),
        "is_uploaded": KINDS[found.kind].is_uploaded,
        "counts": [(code, label, counts[code]) for code, label in _labels_of(found) if counts.get(code)],
        "shown": chosen if chosen in counts else "",
        "rows": [_shown(row) for row in page[:PAGE_ROWS]],
        "after": page[PAGE_ROWS - 1].line if len(page) > PAGE_ROWS else None,
        "later": after,
        "todo": counts.get("create", 0) + counts.get("update", 0),
        "refused": counts.get("refused", 0) + counts.get("stale", 0),
        "errors": [{"line": error["line"], "text": text.text(from_json(error))} for error in found.errors],
        "until": found.created_at + services.KEPT,
    }
    return for_htmx(render(request, template, context))


def _by(found: Upload) -> str:
    return "result" if found.was_carried_out else "outcome"


def _labels_of(found: Upload) -> list[tuple[str, Any]]:
    return list(UploadRow.Result.choices if found.was_carried_out else UploadRow.Outcome.choices)


def _counts(found: Upload) -> dict[str, int]:
    """How many rows would come, or came, to what."""
    return dict(found.rows.values_list(_by(found)).annotate(number=Count("pk")))


def _shown(row: UploadRow) -> dict[str, Any]:
    """A row as the page shows it: its problems by their cells."""
    return {
        "row": row,
        "steps": [text.phrase(label) for label in row.steps],
        "warnings": [text.text(from_json(warning)) for warning in row.warnings],
        "problems": [(problem["field"], text.text(from_json(problem))) for problem in row.problems],
    }


@needs_actor
@require_POST
def confirm(request: ActorRequest, public_id: Any) -> HttpResponse:
    """Have it carried out: each row for itself, or all together."""
    found = _upload(request, public_id)
    if not KINDS[found.kind].may_upload(request.actor):
        raise PermissionDenied
    services.confirm(found, together=request.POST.get("together") == "yes", now=timezone.now())
    return redirect("upload", found.public_id)


@needs_actor
@require_POST
def discard(request: ActorRequest, public_id: Any) -> HttpResponse:
    found = _upload(request, public_id)
    services.discard(found, now=timezone.now())
    return redirect("upload", found.public_id)


@needs_actor
@require_GET
def download(request: ActorRequest, public_id: Any) -> HttpResponse:
    """The rows that were refused, or all, as they were uploaded, with what became of them and a column for each
    problem; new deals have their ids, so the file can be uploaded again."""
    found = get_object_or_404(Upload.objects.visible_to(request.actor), public_id=public_id)
    if found.content is None or found.checked_at is None:
        raise Http404
    kind = "xlsx" if bytes(found.content[:2]) == b"PK" else "csv"
    lines = list(_lines(found, everything=request.GET.get("rows") == ALL))
    width = max(len(line) for line in lines)
    header = [*map(str, lines[0]), *(f"{services.PROBLEM} {n}" for n in range(1, width - len(lines[0]) + 1))]
    padded = ([*line, *[""] * (width - len(line))] for line in lines[1:])
    response = HttpResponse(write_for_editing(kind, header, padded), CONTENT_TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="{KINDS[found.kind].name}-checked.{kind}"'
    return response


def _lines(found: Upload, *, everything: bool) -> Iterator[list[Cell]]:
    """The header, then the rows with their problems at the end."""
    table, id_column = services.read(found), KINDS[found.kind].id_column
    rows = {row.line: row for row in found.rows.all()}
    yield [services.ROW, services.RESULT, *table.columns]
    for line, cells in table.rows:
        row = rows[line]
        if not everything and not row.problems:
            continue
        if row.deal and id_column in cells:
            cells = {**cells, id_column: str(row.deal)}
        said = str(row.get_result_display() or row.get_outcome_display())
        yield [line, said, *(cells[column] for column in table.columns), *map(_problem, row.problems)]


def _problem(problem: dict[str, Any]) -> str:
    said = text.text(from_json(problem))
    return f"{problem['field']}: {said}" if problem["field"] else said


def _upload(request: ActorRequest, public_id: Any) -> Upload:
    found = Upload.objects.visible_to(request.actor).defer("content").annotate(has_content=Q(content__isnull=False))
    return get_object_or_404(found, public_id=public_id)
