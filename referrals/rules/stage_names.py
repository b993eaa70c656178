"""Finds the stage for a percentage, a wire name, or a name of the company's own CRM (REF-16). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from portal.customers.rules import fold
from portal.workflow.blockers import Blocker, _
from referrals import rules

#: What a company's own names may stand for: the first stage is where every deal begins, the last is won.
NAMED = tuple(rules.STAGE_NAMES.values())
MAX_LENGTH = 100


def stage_of(token: str | int, names: Mapping[str, int]) -> int | None:
    """The stage, in per cent, for a percentage, a wire name or one of the company's own `names` (folded); or None.

    A company's own name is looked up first; name_blockers keeps it from contradicting a wire name.
    """
    folded = fold(str(token))
    if folded in names:
        return names[folded]
    wire = {fold(name): stage for name, stage in rules.STAGE_NAMES.items()}
    if folded in wire:
        return wire[folded]
    return _percentage(folded)


def _percentage(folded: str) -> int | None:
    """The stage for 20, 20 %, 20% or %20; None for any number that is no stage."""
    number = folded.strip("% ")
    stages = {str(stage): stage for stage in rules.STAGES if stage < rules.WON_STAGE}
    return stages.get(number)


def name_blockers(name: str, stage: int, *, names: Mapping[str, int]) -> Iterator[Blocker]:
    """Every reason against a new name: each name must stand for one stage only, for everybody (REF-16)."""
    folded = fold(name)
    if not folded:
        yield Blocker("name_required", _("Write the name as your CRM has it."), "REF-16", "name")
        return
    if stage not in NAMED:
        yield Blocker("unknown_stage", _("Choose one of the stages from the list."), "REF-16", "stage")
    if folded in names:
        message = _("One of your stages has this name already; remove it there first.")
        yield Blocker("name_taken", message, "REF-16", "name")
    elif folded.strip("% ").isdecimal() or not folded.strip("% "):
        message = _("A number is read as a percentage; choose a name with letters.")
        yield Blocker("name_is_number", message, "REF-16", "name")
    elif stage_of(folded, {}) not in (None, stage):
        message = _("“%(name)s” is the programme's own name for another stage.")
        yield Blocker("name_reserved", message, "REF-16", "name", {"name": name.strip()})
