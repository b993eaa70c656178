"""What is done to a request on its page: the forms of the council's verbs, run with the stale version protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exceptions_council import verbs
from exceptions_council.models import ExceptionRequest, Vote
from exceptions_council.rules import states
from exceptions_council.services.desk import EXCEPTION
from portal.accounts.rules import Actor
from portal.days import DayField
from portal.desk.forms import filled, offer_templates
from portal.desk.models import COMMENTED, Commented
from portal.policy import services as policies
from portal.policy.calendar import due_day
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.blockers import RuleViolation


class ActionForm(forms.Form):
    """Reads what a verb takes; the verb checks it. `version`: that of the request which the page showed."""

    verb: ClassVar[Any]
    #: What the button says.
    button: ClassVar[Any]
    done: ClassVar[Any]
    #: The field that the partner reads, which a text of the managers' may fill (FLOW-16).
    comment: ClassVar[str] = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": f"{self.verb.name}_%s", **kwargs})
        if self.comment:
            offer_templates(self, self.used_for())

    @classmethod
    def used_for(cls) -> str:
        return f"{EXCEPTION}.{cls.verb.name}"

    @classmethod
    def filled(cls, posted: QueryDict, request: ExceptionRequest) -> ActionForm:
        """With the chosen text in its comment, in the language of who asked; nothing is done yet."""
        language = request.submitted_by.language if request.submitted_by else ""
        return cls(filled(posted, cls.used_for(), cls.comment, language))

    @classmethod
    def fresh(cls, request: ExceptionRequest, actor: Actor, now: datetime) -> ActionForm:
        """As the page first shows it."""
        return cls()

    def inputs(self) -> Any:
        raise NotImplementedError

    def run(self, request: ExceptionRequest, *, seen_version: int, actor: Actor, now: datetime) -> bool:
        """Whether it was done; else every reason against it stands at its field. Raises PermissionDenied."""
        if not self.is_valid():
            return False
        try:
            workflow.run_from_page(request, self.verb, self.inputs(), seen_version=seen_version, actor=actor, now=now)
        except RuleViolation as violation:
            for blocker in violation.blockers:
                self.add_error(blocker.field if blocker.field in self.fields else None, text.text(blocker))
            if isinstance(violation, workflow.Stale):
                for line in _meanwhile(violation.changes):
                    self.add_error(None, line)
            return False
        return True


def _meanwhile(changes: Mapping[str, tuple[object, object]]) -> list[str]:
    """What happened since the page was opened, as far as it matters to who decides."""
    lines = []
    if "status" in changes:
        was, now = (gettext(states.STATES.get(str(value), "–")) for value in changes["status"])
        lines.append(gettext("State: %(was)s → %(now)s") % {"was": was, "now": now})
    if "approve" in changes or "deny" in changes:
        lines.append(gettext("Another member voted meanwhile; the votes are on this page."))
    return lines


class VoteForm(ActionForm):
    verb, button, done = verbs.VOTE, _("Vote"), _("Your vote counts.")
    comment = "rationale"
    choice = forms.ChoiceField(
        label=_("Your vote"),
        required=False,
        choices=[(choice, _(label)) for choice, label in states.CHOICES.items()],
        widget=forms.RadioSelect,
    )
    rationale = forms.CharField(
        label=_("Rationale"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("If your side decides, it appears in the letter to the partner."),
    )

    @classmethod
    def fresh(cls, request: ExceptionRequest, actor: Actor, now: datetime) -> ActionForm:
        """With the member's own vote, which may be changed until the decision (EXC-8)."""
        own = Vote.objects.filter(request=request, member_id=actor.user_id).first()
        return cls(initial={"choice": own.choice, "rationale": own.rationale} if own else None)

    def inputs(self) -> verbs.Ballot:
        return verbs.Ballot(self.cleaned_data["choice"], self.cleaned_data["rationale"])


class EvidenceForm(ActionForm):
    verb, button, done = verbs.ASK_EVIDENCE, _("Ask the partner"), _("The partner was asked.")
    comment = "text"
    text = forms.CharField(label=_("What is asked for"), required=False, widget=forms.Textarea(attrs={"rows": 4}))
    due_on = DayField(label=_("Answer by"), required=False)

    @classmethod
    def fresh(cls, request: ExceptionRequest, actor: Actor, now: datetime) -> ActionForm:
        policy = policies.current(now)
        return cls(initial={"due_on": due_day(now.date(), policy.exception_evidence_days, policy)})

    def inputs(self) -> verbs.EvidenceQuestion:
        return verbs.EvidenceQuestion(self.cleaned_data["text"], self.cleaned_data["due_on"])


class ConflictForm(ActionForm):
    verb, button = verbs.DECLARE_CONFLICT, _("Stand aside")
    done = _("You stand aside from this decision.")
    reason = forms.CharField(
        label=_("What the conflict is"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "You no longer vote on this request; a vote that you gave doesn't count any more. This can't be undone."
        ),
    )

    def inputs(self) -> verbs.Interest:
        return verbs.Interest(self.cleaned_data["reason"])


FORMS: Mapping[str, type[ActionForm]] = {form.verb.name: form for form in (VoteForm, EvidenceForm, ConflictForm)}
for place, kind in enumerate(form for form in FORMS.values() if form.comment):
    COMMENTED.add(kind.used_for(), Commented(kind.verb.label), order=40 + place)


@dataclass(frozen=True)
class Choice:
    """A verb on the page: with its form, or with the reasons why it can't be used."""

    action: workflow.Action[ExceptionRequest]
    form: ActionForm | None


def choices(request: ExceptionRequest, actor: Actor, now: datetime, posted: ActionForm | None = None) -> list[Choice]:
    """What this person may do to it; what its state doesn't allow only where they just tried."""
    found = []
    for action in workflow.available_actions(request, actor, now):
        if action.name not in FORMS:
            continue
        if posted is not None and posted.verb is action.verb:
            found.append(Choice(action, posted))
        elif not action.wrong_state:
            found.append(Choice(action, FORMS[action.name].fresh(request, actor, now) if action.enabled else None))
    return found
