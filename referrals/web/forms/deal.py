"""The forms of referrals: forms parse, rules check, services write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.selectors import vendor_name
from portal.catalog.models import Solution
from portal.customers.rules import fold
from portal.days import DayField
from portal.money.forms import AmountField, currency_choices
from portal.policy.rules import RANGES
from portal.ui.forms import TextArea
from portal.workflow import text
from portal.workflow.blockers import Money
from referrals import rules
from referrals.rules import stage_names


class MoneyMixin(forms.Form):
    """A form with the deal's amount and currency."""

    value = AmountField(label=_("Estimated value"))
    currency = forms.ChoiceField(label=_("Currency"), choices=currency_choices)

    def money(self) -> Money:
        return Money(self.cleaned_data["value"], self.cleaned_data["currency"])


class MemberForm(forms.Form):
    """One row of the team; a row without any text is nobody (REF-7)."""

    first_name = forms.CharField(label=_("First name"), max_length=100, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=100, required=False)
    phone = forms.CharField(label=_("Phone"), max_length=50, required=False)
    email = forms.EmailField(label=_("E-mail"), max_length=254, required=False)

    @property
    def address(self) -> str:
        """The typed e-mail address in the form that accounts use; empty if it isn't one yet."""
        typed = str(self["email"].value() or "").strip().lower()
        return typed if "@" in typed else ""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        missing = [name for name in self.fields if not data.get(name) and name not in self.errors]
        if len(missing) < len(self.fields):
            for name in missing:
                self.add_error(name, _("Every team member needs first name, last name, phone and e-mail."))
        return data


class BaseTeam(forms.BaseFormSet):
    label = _("Team")

    def addresses(self) -> list[str]:
        return [member.address for member in self]

    def go_on_in_last(self) -> None:
        """The page opens where the row is typed that was just added, if there is any."""
        for member in self.forms[-1:]:
            member.fields["first_name"].widget.attrs["data-focus"] = True

    def members(self) -> list[rules.Member]:
        return [
            rules.Member(data["first_name"], data["last_name"], data["phone"], data["email"])
            for data in self.cleaned_data
            if data.get("email")
        ]


#: More than the policy can allow, so that the rule itself says how many are too many (REF-7).
MAX_ROWS = RANGES["max_team_members"][1] + 10
TeamFormSet = forms.formset_factory(MemberForm, formset=BaseTeam, extra=0, max_num=MAX_ROWS, absolute_max=MAX_ROWS)


class TeamMixin(forms.Form):
    """A form with the deal's team below it; valid only together with it (REF-7)."""

    def __init__(self, *args: Any, people: Iterable[dict[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What was sent stands for itself: a row that is still as it was filled in is a person, too.
        given = {"data": self.data} if self.is_bound else {"initial": list(people)}
        self.team: Any = TeamFormSet(prefix="team", **given)

    def clean(self) -> dict[str, Any]:
        if not self.team.is_valid():
            self.add_error(None, _("Check the people of the team below."))
        return super().clean() or self.cleaned_data

    def members(self) -> list[rules.Member]:
        members: list[rules.Member] = self.team.members()
        return members


class SolutionField(forms.ModelMultipleChoiceField):
    """Solutions by name; which ones, the form says when it is made."""

    def __init__(self, **kwargs: Any) -> None:
        given = {"queryset": Solution.objects.none(), "label": _("Solutions"), "required": False, **kwargs}
        super().__init__(to_field_name="public_id", widget=forms.CheckboxSelectMultiple, **given)

    def label_from_instance(self, obj: Solution) -> str:
        return obj.name


class ReferencesForm(forms.Form):
    """The company's own ids of a deal."""

    crm_id = forms.CharField(label=_("CRM id"), max_length=100, required=False)
    campaign_id = forms.CharField(label=_("Marketing campaign id"), max_length=100, required=False)


class AcceptForm(TeamMixin, MoneyMixin, ReferencesForm):
    """The form for accepting a deal (REF-12)."""

    name = forms.CharField(label=_("Deal name"), max_length=200)
    close_date = DayField(label=_("Estimated close date"))
    notes = TextArea()

    field_order = ["name", "value", "currency", "close_date", "crm_id", "campaign_id", "notes"]


class ReasonForm(forms.Form):
    """A reason code and, for some codes, an explanation (REF-12, REF-17)."""

    reason_code = forms.ChoiceField(label=_("Reason"), widget=forms.RadioSelect)
    comment = TextArea()

    def __init__(self, *args: Any, reasons: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(code, gettext(label) % {"vendor": vendor_name()}) for code, label in reasons.items()]
        self.fields["reason_code"].choices = choices  # type: ignore[attr-defined]


class WinForm(forms.Form):
    """The day the contract was signed, where known (REF-18)."""

    signed_on = DayField(
        label=_("Contract signed on"),
        required=False,
        help_text=_("If you know it: the time to register the deal counts from this day."),
    )


class StageField(forms.TypedChoiceField):
    """A stage, given as a percentage, by its name on the wire, or by one of the company's own `names` (REF-16)."""

    names: Mapping[str, int] = {}

    def to_python(self, value: Any) -> str:
        stage = stage_names.stage_of(value or "", self.names)
        return super().to_python(value if stage is None else stage)


class StageForm(forms.Form):
    """The stage that the sale has reached (REF-14)."""

    stage = StageField(label=_("Sales stage"), coerce=int, widget=forms.RadioSelect)

    def __init__(
        self, *args: Any, stages: dict[int, str], own: Mapping[int, Iterable[str]] | None = None, **kwargs: Any
    ) -> None:
        """`own`: the company's own names for the stages (REF-16)."""
        super().__init__(*args, **kwargs)
        given = {fold(name): stage for stage, names in (own or {}).items() for name in names}
        self.fields["stage"].names = given  # type: ignore[attr-defined]
        self.fields["stage"].choices = [  # type: ignore[attr-defined]
            (str(p), " · ".join([f"{gettext(n)} ({text.percent(p)})", *(own or {}).get(p, ())]))
            for p, n in stages.items()
        ]


class StageNameForm(forms.Form):
    """A new CRM name for a stage (REF-16)."""

    name = forms.CharField(label=_("Name in your CRM"), max_length=stage_names.MAX_LENGTH)
    stage = forms.TypedChoiceField(
        label=_("Stands for"),
        coerce=int,
        choices=lambda: [
            (stage, f"{gettext(rules.STAGES[stage])} ({text.percent(stage)})") for stage in stage_names.NAMED
        ],
    )


class NoteForm(forms.Form):
    """REF-23: shared with the deal's participants, or for the own company only; the latter alone once the deal is
    closed (REF-11)."""

    READERS = (("yes", _("Everyone on the deal")), ("no", _("Only my company")))

    text = forms.CharField(label=_("Note"), widget=forms.Textarea(attrs={"rows": 1, "placeholder": _("Write a note…")}))
    shared = forms.TypedChoiceField(
        label=_("Who reads it"),
        choices=READERS,
        coerce=lambda value: value == "yes",
        initial="yes",
    )

    def __init__(self, *args: Any, closed: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if closed:
            shared = self.fields["shared"]
            self.initial["shared"] = "no"
            shared.help_text = _("The deal is closed: what its participants share no longer changes.")
            # Not the field's own: who sends *yes* from an older page is told why not.
            shared.widget.choices = self.READERS[1:]
