"""The wizard's view of a draft: its steps' forms, their problems, and the deal they make (REF-1..9)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django import forms as django_forms
from django.db import transaction
from django.http import QueryDict

from portal.accounts import selectors as accounts
from portal.accounts.models import Location
from portal.accounts.rules import Actor, writing_scope
from portal.catalog.models import Solution
from portal.ui.forms import add_blockers, kept_answer, of_draft, without_errors
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.blockers import Blocker, Money, RuleViolation, _
from referrals import rules, verbs
from referrals.models import Draft, Referral
from referrals.rules import sharing
from referrals.selectors import partners
from referrals.services import creation, drafts
from referrals.web import team
from referrals.web.forms.editing import InviteForm
from referrals.web.wizard.forms import CustomerStep, DealStep, HelpStep, SolutionsStep, Step, StepContext, TeamStep

CUSTOMER, DEAL, TEAM, SOLUTIONS, HELP, REVIEW = "customer", "deal", "team", "solutions", "help", "review"
STEPS: Mapping[str, str] = {
    CUSTOMER: _("Customer"),
    DEAL: _("Deal"),
    TEAM: _("Team"),
    SOLUTIONS: _("Solutions"),
    HELP: _("Help and visibility"),
    REVIEW: _("Review"),
}
FORMS: Mapping[str, type[Step]] = {
    CUSTOMER: CustomerStep,
    DEAL: DealStep,
    TEAM: TeamStep,
    SOLUTIONS: SolutionsStep,
    HELP: HelpStep,
}
Fields = Mapping[str, django_forms.Field]
#: Of what is typed, so that a draft can't grow without end; rules and forms refuse far less.
MAX_INVITATIONS = 60


class Unfinished(Exception):
    """The draft still has missing or wrong answers; its review lists them."""


# What was typed, kept and shown again


def typed(step: str, posted: QueryDict) -> Any:
    """The part of a sent step that is saved: its own fields."""
    return team.rows(posted) if step == TEAM else _kept(posted, FORMS[step].base_fields, FORMS[step].base_fields)


def _kept(posted: QueryDict, names: Iterable[str], fields: Fields) -> dict[str, list[str]]:
    return {n: [kept_answer(fields.get(n), typed) for typed in posted.getlist(n)] for n in names if n in posted}


def _query(values: Mapping[str, list[str]], fields: Fields) -> Any:
    """What a draft kept, as a form with these fields is sent."""
    data: Any = QueryDict(mutable=True)
    for name, found in values.items():
        data.setlist(name, [of_draft(fields.get(name), kept) for kept in found])
    return data


@dataclass(frozen=True)
class Invitation:
    """One invited partner of the draft, as it was typed (REF-9)."""

    key: str
    form: InviteForm
    problems: list[str]

    @property
    def partner(self) -> str:
        partner = self.form.cleaned_data.get("partner")
        return partner.name if partner else ""


class Wizard:
    """A draft for its author. Each form is made on first use and then reused."""

    def __init__(self, draft: Draft, *, actor: Actor, now: datetime) -> None:
        self.draft, self.actor, self.now = draft, actor, now
        self.context = workflow.context_of(actor, now)
        self._forms: dict[str, Step] = {}
        self._judged: set[str] = set()
        #: The answers of the steps that can be read, whatever the rules say of them.
        self._values: dict[str, dict[str, Any]] = {}

    @cached_property
    def places(self) -> list[Location]:
        return creation.creatable_locations(self.actor)

    @cached_property
    def tried(self) -> set[str]:
        """The steps that the person has tried to leave; their errors are shown from then on."""
        return {CUSTOMER, DEAL, TEAM, SOLUTIONS, HELP} & set(self.draft.data.get("tried", []))

    @property
    def team(self) -> list[dict[str, str]]:
        return list(self.draft.data.get(TEAM, []))

    def form(self, step: str) -> Step:
        """The step's form with what was typed, without errors."""
        form = self._new_form(step)
        if form.is_bound:
            without_errors(form)
        return form

    def validated(self, step: str) -> Step:
        """The step's form with all its errors; a step never filled in is validated as if it were empty."""
        form = self._parsed(step)
        if step not in self._judged:
            self._judged.add(step)
            add_blockers(form, form.blockers(self.step_context))
        return form

    def answers(self, step: str) -> dict[str, Any]:
        """What can be read of the step's answers, whatever is wrong with the others."""
        return self._parsed(step).cleaned_data if step in self.draft.data else {}

    def _parsed(self, step: str) -> Step:
        """The step's form with what was typed, parsed but not checked by the rules."""
        if step not in self._forms:
            form = self._forms[step] = self._new_form(step, bound=True)
            if form.is_valid():
                self._values[step] = {**form.cleaned_data, **({TEAM: form.members()} if step == TEAM else {})}  # type: ignore[attr-defined]
        return self._forms[step]

    @property
    def step_context(self) -> StepContext:
        return StepContext(today=self.now.date(), policy=self.context.policy, help_code=self.help_code)

    @property
    def help_code(self) -> str:
        """The kind of help chosen on the last step, if the choice is valid."""
        asked = (self.draft.data.get(HELP, {}).get("help_code") or [rules.NO_HELP])[-1]
        return asked if asked in rules.HELP else rules.NO_HELP

    def _new_form(self, step: str, *, bound: bool = False) -> Step:
        kind, kept = FORMS[step], self.draft.data.get(step)
        data = None
        if step == TEAM:
            data = _query(team.as_sent(self.team), {})
        elif kept is not None or bound:
            data = _query(kept or {}, kind.base_fields)
        return kind(data, **self._needs(step))

    def _needs(self, step: str) -> dict[str, Any]:
        match step:
            case "customer":
                return {"initial": {"country": self.places[0].country if self.places else ""}}
            case "deal":
                return {"locations": self.places}
            case "solutions":
                return {"choosable": Solution.objects.choosable(), "may_assess": self.may_assess}
        return {}

    @cached_property
    def may_assess(self) -> bool:
        """Whether the author's company creates solution assessments (ORG-7)."""
        return accounts.may_assess(self.actor, today=self.now.date())

    # Partners to invite (REF-9)

    def kept_invitations(self) -> list[dict[str, Any]]:
        return list(self.draft.data.get("invitations", []))

    @property
    def invitation_keys(self) -> set[str]:
        return {invitation["key"] for invitation in self.kept_invitations()}

    @property
    def fit(self) -> partners.Fit:
        """What an invited partner has to fit, as far as it is chosen yet (REF-22)."""
        country = (self.draft.data.get(CUSTOMER, {}).get("country") or [""])[0]
        chosen = filter(drafts.is_id, self.draft.data.get(SOLUTIONS, {}).get("solutions") or [])
        return partners.sought(country, partners.kinds(Solution.objects.filter(public_id__in=list(chosen))))

    def invite_form(self, key: str, *, values: Mapping[str, list[str]] | None = None) -> InviteForm:
        """The invitation's form with what was typed, or with initial values if it is new."""
        kept = next((i["values"] for i in self.kept_invitations() if i["key"] == key), None)
        data = values if values is not None else kept
        deal = self.draft.data.get(DEAL, {})
        first = {name: (deal.get(name) or [""])[0] for name in ("value", "currency", "close_date")}
        return InviteForm(
            None if data is None else _query(data, InviteForm.base_fields),
            partners=partners.ecosystem(),
            solutions=Solution.objects.choosable().order_by("name"),
            people=self.team,
            initial=first,
        )

    def judge_invitation(self, key: str, form: InviteForm) -> bool:
        """Add the invitation's errors at their fields: own company, a partner invited twice, wrong terms."""
        if not form.is_valid():
            return False
        invitation = form.invitation()
        blockers = sharing.invitation_blockers(invitation.terms, today=self.now.date(), policy=self.context.policy)
        add_blockers(form, [*self._partner_blockers(key, invitation), *blockers])
        return not form.errors

    def _partner_blockers(self, key: str, invitation: verbs.Invitation) -> Iterable[Blocker]:
        partner = invitation.partner
        if partner.pk == self.actor.company_id:
            yield sharing.OWN_COMPANY
        others = [i["values"].get("partner", []) for i in self.kept_invitations() if i["key"] != key]
        if [str(partner.public_id)] in others:
            named = {"partner": partner.name}
            message = _("%(partner)s is invited to this deal already; change that invitation instead.")
            yield Blocker("already_invited", message, "REF-9", "partner", named)

    @cached_property
    def invitations(self) -> list[Invitation]:
        """All invitations, validated."""
        found = []
        for kept in self.kept_invitations():
            form = self.invite_form(kept["key"])
            self.judge_invitation(kept["key"], form)
            found.append(Invitation(kept["key"], form, form_errors(form)))
        return found

    # The deal they make

    def deal(self) -> verbs.NewDeal | None:
        """The input for create_deal; every step must be parsed."""
        for step in FORMS:
            self._parsed(step)
        if len(self._values) < len(FORMS):
            return None
        customer, deal, solutions, help_ = (self._values[step] for step in (CUSTOMER, DEAL, SOLUTIONS, HELP))
        names = ("location", "name", "close_date", "crm_id", "campaign_id", "notes", "marketplace_intent")
        return verbs.NewDeal(
            customer=customer["customer"],
            contact=rules.Contact(
                customer["contact_name"],
                customer["contact_phone"],
                customer["contact_email"],
                consent=customer["contact_consent"],
            ),
            **{name: deal[name] for name in names},
            value=Money(deal["value"], deal["currency"]),
            team=self._values[TEAM][TEAM],
            solutions=list(solutions["solutions"]),
            assessment=solutions["assessment"],
            assessment_location=solutions["assessment_location"],
            help_code=help_["help_code"],
            vendor_may_view=help_["vendor_may_view"],
            key=self.draft.creation_key,
        )

    def problems(self) -> dict[str, list[str]]:
        """Every reason against creating the deal, by step (REF-5..9)."""
        found = {step: form_errors(self.validated(step)) for step in FORMS}
        for invitation in self.invitations:
            found[HELP] += [f"{invitation.partner or '–'}: {problem}" for problem in invitation.problems]
        deal = self.deal()
        if deal is not None:
            for blocker in workflow.creation_blockers(verbs.CREATE, deal, self.context):
                _add(found[_step_of(blocker)], blocker)
            for blocker in self.inviter_blockers(deal):
                _add(found[_step_of(blocker)], blocker)
        return found

    def inviter_blockers(self, deal: verbs.NewDeal) -> Iterable[Blocker]:
        """Nobody invites to an assessment (REF-8); an author who works on the deal only as a team member must be on its
        team to invite others (ORG-2, REF-9)."""
        if self.kept_invitations() and deal.assessment is not None:
            yield sharing.ASSESSMENT_ALONE
        listed = self.actor.email.lower() in {member.email.lower() for member in deal.team}
        if self.kept_invitations() and not listed and not writing_scope(self.actor).covers(deal.location.pk):
            message = _("You invite partners to this deal, so you have to be on its team yourself.")
            yield Blocker("inviter_not_on_team", message, "REF-9", "team")


def form_errors(form: django_forms.Form) -> list[str]:
    """The errors of a form, each with its field's label."""
    found = [str(error) for error in form.non_field_errors()]
    found += [f"{_asked(bound.label)} {error}" for bound in form for error in bound.errors]
    team = getattr(form, "team", None)
    for number, errors in enumerate(team.errors if team is not None else [], start=1):
        found += [f"{number}. {error}" for name in errors for error in errors[name]]
    return list(dict.fromkeys(found))


def _asked(label: Any) -> str:
    """The label of a field, as it stands before its error."""
    return str(label) if str(label).endswith("?") else f"{label}:"


_FIELD_STEPS = {
    name: step for step, form in FORMS.items() for name in [*form.base_fields, *([TEAM] if step == TEAM else [])]
}


def _step_of(blocker: Blocker) -> str:
    return _FIELD_STEPS.get(blocker.field, HELP)


def _add(found: list[str], blocker: Blocker) -> None:
    sentence = text.text(blocker)
    if not any(sentence in known for known in found):
        found.append(sentence)


# Changing and finishing it


def change_step(step: str, posted: QueryDict, *, tried: bool) -> Callable[[drafts.Data], drafts.Data]:
    """The draft's data with this step replaced by what was sent."""

    def change(data: drafts.Data) -> drafts.Data:
        if step in FORMS:
            data = {**data, step: typed(step, posted)}
        if tried:
            data["tried"] = sorted({*data.get("tried", []), step})
        return data

    return change


def is_key(text: str) -> bool:
    """Whether the text can be the key of an invitation."""
    return bool(re.fullmatch(r"[0-9a-f]{12}", text))


def change_invitation(key: str, posted: QueryDict | None) -> Callable[[drafts.Data], drafts.Data]:
    """The draft's data with this invitation replaced by what was sent, or removed."""

    def change(data: drafts.Data) -> drafts.Data:
        kept = list(data.get("invitations", []))
        place = next((n for n, invitation in enumerate(kept) if invitation["key"] == key), len(kept))
        values = {}
        if posted is not None:
            names = [n for n in posted if n in InviteForm.base_fields or n.startswith("team-")]
            values = _kept(posted, names, InviteForm.base_fields)
        kept[place : place + 1] = [{"key": key, "values": values}] if posted is not None else []
        return {**data, "invitations": kept[:MAX_INVITATIONS]}

    return change


@transaction.atomic
def finish(public_id: uuid.UUID, *, base: str | None = None, actor: Actor, now: datetime) -> Referral:
    """Create the deal with the vendor's copy and the partners' invitations, and delete the draft (REF-9, REF-10).

    `base`: the stamp of the draft that the page showed. Raises DraftGone, WrittenElsewhere, Unfinished, RuleViolation;
    then nothing was written.
    """
    draft = drafts.lock(public_id, actor)
    if base is not None and base != drafts.stamp(draft):
        raise drafts.WrittenElsewhere
    wizard = Wizard(draft, actor=actor, now=now)
    deal = wizard.deal()
    if deal is None or any(invitation.problems for invitation in wizard.invitations):
        raise Unfinished
    if blockers := list(wizard.inviter_blockers(deal)):
        raise RuleViolation(blockers)
    referral = creation.create_deal(deal, actor=actor, now=now)
    for invitation in wizard.invitations:
        workflow.run(referral, verbs.INVITE_PARTNER, invitation.form.invitation(), actor=actor, now=now)
    drafts.close(draft)
    return referral
