"""The wizard's choices, and its last page, which shows what was chosen (REF-7, REF-8, REF-9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import F
from django.forms import BoundField, ModelChoiceField
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.catalog.models import Solution
from portal.customers.rules import fold
from portal.workflow import text
from portal.workflow.blockers import Money
from referrals import rules
from referrals.models import Referral, TeamMember
from referrals.selectors import partners
from referrals.selectors.recipients import reach
from referrals.services import drafts
from referrals.web.forms.deal import BaseTeam
from referrals.web.team import PERSON
from referrals.web.wizard.draft import CUSTOMER, DEAL, HELP, REVIEW, SOLUTIONS, STEPS, TEAM, Wizard
from referrals.web.wizard.forecast import sketch

if TYPE_CHECKING:
    from referrals.selectors.partners import Responsiveness

#: People of earlier deals, and the latest deals they are taken from.
MAX_PEOPLE, LATEST_DEALS, MAX_MEMBERS = 12, 50, 500
#: Third parties' solutions shown at once.
MAX_SOLUTIONS = 20


def people(actor: Actor) -> list[dict[str, str]]:
    """The people on the teams of the latest deals that the actor may see, each once, the latest first (REF-7)."""
    own = Referral.objects.visible_to(actor).filter(company_id=actor.own_company_id)
    latest = own.newest_first().values("pk")[:LATEST_DEALS]
    members = TeamMember.objects.filter(referral__in=latest).order_by("-referral_id", "pk")
    found: dict[str, dict[str, str]] = {}
    for member in members.values("first_name", "last_name", "phone", "email")[:MAX_MEMBERS]:
        found.setdefault(member["email"], {name: member[name] for name in PERSON})  # type: ignore[literal-required]
    return list(found.values())[:MAX_PEOPLE]


def offered(actor: Actor, listed: Iterable[str]) -> list[dict[str, str]]:
    """Those of them who aren't listed yet, by their e-mail addresses."""
    known = set(listed)
    return [person for person in people(actor) if person["email"] not in known]


def beside_team(actor: Actor, team: BaseTeam, *, most: int) -> dict[str, Any]:
    """What stands with the rows of a team: who is added by one click, whether they are all there can be, and who of
    them isn't told (REF-7)."""
    listed = team.addresses()
    return {"offered": offered(actor, listed), "full": len(team.forms) >= most, "reach": reach(actor, listed)}


@dataclass(frozen=True)
class Group:
    """The solutions of one kind, each with whether it is chosen (REF-8)."""

    code: str
    label: str
    solutions: list[tuple[Solution, bool]]
    more: int = 0


def solutions(actor: Actor, query: str, chosen: Sequence[str]) -> list[Group]:
    """The solutions to choose from: the company's own, the vendor's and third parties' (REF-8)."""
    ready = Solution.objects.choosable().order_by("name")
    own, vendors = list(ready.own(actor)), list(ready.of_vendor())
    return [
        _group("own", gettext("Of your company"), own, chosen),
        _group("vendor", text.phrase("Of %(vendor)s"), vendors, chosen),
        third_party(actor, query, chosen),
    ]


def third_party(actor: Actor, query: str, chosen: Sequence[str]) -> Group:
    """The chosen third-party solutions, and further matches by name or company up to the limit. Spelling is folded."""
    others = Solution.objects.choosable().third_party(actor).annotate(company=F("publisher__name")).order_by("name")
    letters, kept = fold(query).strip(), set(chosen)
    found = [s for s in others if letters in fold(f"{s.name} {s.company}")]
    more = [s for s in found if str(s.public_id) not in kept]
    first = [s for s in others if str(s.public_id) in kept]
    shown = [*first, *more[:MAX_SOLUTIONS]]
    return _group("third", gettext("Of third parties"), shown, chosen, more=max(0, len(more) - MAX_SOLUTIONS))


def _group(code: str, label: str, found: Sequence[Solution], chosen: Sequence[str], more: int = 0) -> Group:
    return Group(code, label, [(s, str(s.public_id) in chosen) for s in found], more)


def with_chosen(
    found: list[tuple[Company, Responsiveness]], chosen: Any, *, now: datetime
) -> list[tuple[Company, Responsiveness]]:
    """The partners found, and the chosen one, even if the search no longer matches it."""
    if not chosen or not drafts.is_id(str(chosen)) or str(chosen) in {str(c.public_id) for c, _r in found}:
        return found
    kept = list(partners.ecosystem().filter(public_id=chosen))
    known = partners.responsiveness([c.pk for c in kept], now=now)
    return [*((c, known.get(c.pk, partners.Responsiveness())) for c in kept), *found]


# The last page


def review(pages: Wizard) -> dict[str, Any]:
    """All answers, step by step, with everything that is missing or wrong (REF-5..9)."""
    problems = pages.problems()
    sections = [
        {"step": step, "label": gettext(STEPS[step]), "facts": _facts(pages, step), "problems": problems[step]}
        for step in STEPS
        if step != REVIEW
    ]
    kind = sketch(pages, REVIEW).deal_type
    return {
        "sections": sections,
        "count": sum(len(found) for found in problems.values()),
        "deal_type": gettext(rules.DEAL_TYPES[kind]) if kind else "",
        "invitations": pages.invitations,
    }


_SHOWN = {
    CUSTOMER: ("customer", "contact_name", "contact_phone", "contact_email", "contact_consent"),
    DEAL: ("name", "value", "close_date", "location", "crm_id", "campaign_id", "marketplace_intent", "notes"),
    SOLUTIONS: ("solutions", "assessment", "assessment_location"),
    HELP: ("help_code", "vendor_may_view"),
}
#: Beside its answer a question is said in few words.
_SHORT = {
    "contact_consent": _("Consent to sharing"),
    "marketplace_intent": _("Marketplace purchase"),
    "help_code": _("Help wanted"),
    "vendor_may_view": _("Visible to %(vendor)s"),
}


def _facts(pages: Wizard, step: str) -> list[tuple[str, list[str]]]:
    """The answers of a step as labels and lines, without the empty ones."""
    if step == TEAM:
        team = [_person(row) for row in pages.team]
        return [(gettext("People"), [line for line in team if line])]
    form = pages.validated(step)
    found = {name: _lines(form[name]) for name in _SHOWN[step]}
    if step == HELP and pages.help_code != rules.NO_HELP:  # help implies the view, whatever was answered (REF-1)
        found["vendor_may_view"] = [gettext("Yes")]
    return [(_label(form[name]), lines) for name, lines in found.items() if lines]


def _label(bound: BoundField) -> str:
    return text.phrase(_SHORT[bound.name]) if bound.name in _SHORT else str(bound.label)


def _person(row: dict[str, str]) -> str:
    """The person's name, phone and address, as far as they were typed."""
    first, last, phone, email = (row.get(name, "").strip() for name in PERSON)
    return ", ".join(filter(None, [f"{first} {last}".strip(), phone, email]))


def _lines(bound: BoundField) -> list[str]:
    """An answer as readable text; if it is wrong, exactly what was typed."""
    value = bound.form.cleaned_data.get(bound.name) if not bound.errors else bound.value()
    match value:
        case None | "" | []:
            return []
        case bool():
            if bound.name == "vendor_may_view":
                return [gettext("Yes") if value else gettext("No")]
            return [gettext("Yes")] if value else []
    if bound.errors:
        return [] if isinstance(bound.field, ModelChoiceField) else [str(value)]
    if bound.name == "value":
        return [text.show(Money(value, str(bound.form["currency"].value() or "")))]
    return _said(bound, value)


def _said(bound: BoundField, value: Any) -> list[str]:
    if bound.name == "solutions":
        return [solution.name for solution in value]
    choices = getattr(bound.field, "choices", None)
    if choices is not None and isinstance(value, str):
        return [str(dict(choices).get(value, value))]
    if bound.name == "customer":
        return [value.name, value.place]
    return [text.show(value)] if hasattr(value, "isoformat") else [str(value)]
