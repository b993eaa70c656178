"""Parts of the reviewers' pages: the internal notes, and the texts that fill a comment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.utils.text import Truncator
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.rules import Actor
from portal.desk import notes
from portal.desk.models import COMMENTED, CommentTemplate, InternalNote
from portal.params import whole_number
from portal.workflow import text
from portal.workflow.blockers import RuleViolation
from portal.workflow.models import Record


class NoteForm(forms.Form):
    """An internal note; what is wrong with it, its service says."""

    note = forms.CharField(
        label=_("Internal note"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Read by the people of the administration only, never by a partner."),
    )

    def write(self, record: Record, kind: str, *, actor: Actor, now: datetime) -> bool:
        """Whether it was written; else the reason stands at its field. Raises PermissionDenied."""
        if not self.is_valid():
            return False
        try:
            notes.add(record, kind, self.cleaned_data["note"], actor=actor, now=now)
        except RuleViolation as violation:
            for blocker in violation.blockers:
                self.add_error("note", text.text(blocker))
            return False
        return True


@dataclass(frozen=True)
class Notes:
    """A record's notes, and the form for another."""

    rows: list[InternalNote]
    form: NoteForm


def notes_of(record: Record, kind: str, actor: Actor, form: NoteForm | None = None) -> Notes | None:
    """None for whoever may not read them."""
    if not notes.may_read(actor, record):
        return None
    return Notes(list(InternalNote.objects.of(kind, record.pk)), form or NoteForm())


# Texts that fill a comment

#: The name of the button that fills the comment and decides nothing.
FILL = "fill"
PICK = "template"


def offer_templates(form: forms.Form, used_for: str) -> None:
    """Give the form the choice of the texts there are for this decision, in the reader's language; none, no field."""
    offered = list(CommentTemplate.objects.offered(used_for))
    if not offered:
        return
    language, reasons = get_language() or "", COMMENTED[used_for].reasons
    choices = [(str(one.pk), _title(one, language, reasons.get(one.reason_code, ""))) for one in offered]
    form.fields[PICK] = forms.ChoiceField(label=_("Text"), choices=[("", _("Choose a text")), *choices], required=False)


def _title(template: CommentTemplate, language: str, reason: str) -> str:
    start = Truncator(" ".join(template.text_in(language).split())).chars(70)
    return f"{gettext(reason)} · {start}" if reason else start


def filled(posted: Any, used_for: str, comment: str, language: str) -> Any:
    """What was posted, with the chosen text below what was typed into `comment`, in the partner's language; its reason
    where none was chosen."""
    given = posted.copy()
    chosen = whole_number(given.get(PICK))
    template = CommentTemplate.objects.offered(used_for).filter(pk=chosen or 0).first()
    if template is not None:
        typed = given.get(comment, "").rstrip()
        given[comment] = "\n\n".join(part for part in (typed, template.text_in(language)) if part)
        if template.reason_code and not given.get("reason_code"):
            given["reason_code"] = template.reason_code
    given[PICK] = ""
    return given
