"""`manage.py draw_machines`: docs/workflows.md from the transitions in the code, so that the picture can't lie."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.utils import translation
from django_fsm import FSMField

from portal.workflow import services as workflow
from portal.workflow.verbs import Machine, Verb

TARGET = Path(__file__).resolve().parents[4] / "docs/workflows.md"
HEAD = """\
# The state machines

Drawn by `manage.py draw_machines` from the `@transition` decorators of the models and their verbs;
a test compares this file with the code. These moves say which state can follow which; whether one may be made at this
moment is for the rules ([rules.md](rules.md)), and who may make it for the app's `policies.py`. Verbs that leave the
state as it is stand in the tables only.
"""


@dataclass(frozen=True)
class Move:
    """One arrow: a verb takes a record from one state to another, or leaves it where it is."""

    source: str
    target: str
    verb: str


class Command(BaseCommand):
    help = "Write docs/workflows.md: every state machine as a diagram and a table."

    def handle(self, *args: Any, **options: Any) -> None:
        TARGET.write_text(document(), encoding="utf-8")
        self.stdout.write(f"Wrote {TARGET.name}.")


def document() -> str:
    """The whole file, in English, whatever the reader's language."""
    with translation.override("en"):
        known = {machine.model: machine for machine in workflow.machines()}
        ordered = [known[model] for model in apps.get_models() if model in known]
        return "\n".join([HEAD, *(line for machine in ordered for line in _section(machine))])


def moves(machine: Machine) -> list[Move]:
    """Every move the model's decorators allow, in the order of the states; none for a record without states."""
    field = _field(machine)
    if field is None:
        return []
    order = {state: number for number, (state, _label) in enumerate(_states(field))}
    found = {
        Move(str(transition.source), str(target), transition.name)
        for transition in field.get_all_transitions(machine.model)
        for target in _targets(transition)
    }
    return sorted(found, key=lambda move: (order[move.source], order[move.target], move.verb))


def _field(machine: Machine) -> FSMField | None:
    return next((field for field in machine.model._meta.concrete_fields if isinstance(field, FSMField)), None)


def _states(field: FSMField) -> list[tuple[str, str]]:
    return [(str(state), str(label)) for state, label in field.flatchoices]


def _targets(transition: Any) -> list[Any]:
    """Where it leads: one state, one of several, or (None) nowhere else."""
    if transition.target is None:
        return [transition.source]
    return list(getattr(transition.target, "allowed_states", None) or [transition.target])


def _section(machine: Machine) -> Iterator[str]:
    field, every = _field(machine), moves(machine)
    offered = [move for move in every if move.verb in machine.by_name]
    yield f"## {str(machine.model._meta.verbose_name).capitalize()}\n"
    if field is None:
        yield "Without states of its own.\n"
    else:
        yield from _diagram(field, [move for move in offered if move.target != move.source])
    yield from _table(machine, offered)
    if later := sorted({move.verb for move in every} - machine.by_name.keys()):
        names = ", ".join(f"`{verb}`" for verb in later)
        yield f"The model knows these moves too, but nothing offers them yet: {names}.\n"


def _diagram(field: FSMField, offered: list[Move]) -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    for state, label in _states(field):
        yield f'    state "{label}" as {state}'
    reached, left = {move.target for move in offered}, {move.source for move in offered}
    for state, _label in _states(field):
        if state == field.default or state not in reached:
            yield f"    [*] --> {state}"
    arrows = defaultdict(list)
    for move in offered:
        arrows[move.source, move.target].append(move.verb)
    for (source, target), verbs in arrows.items():
        yield f"    {source} --> {target}: {', '.join(verbs)}"
    for state, _label in _states(field):
        if state not in left:
            yield f"    {state} --> [*]"
    yield "```\n"


def _table(machine: Machine, offered: list[Move]) -> Iterator[str]:
    yield "| Verb | On the button | From | To | Event |"
    yield "|---|---|---|---|---|"
    for verb in machine.verbs:
        own = [move for move in offered if move.verb == verb.name]
        sources = _unique(move.source for move in own)
        targets = _unique("(stays)" if move.target == move.source else move.target for move in own)
        yield f"| `{verb.name}` | {_button(verb)} | {sources} | {targets} | `{verb.event}` |"
    yield ""


def _button(verb: Verb) -> str:
    return "none: the workers do it" if verb.by_worker else verb.label.replace("%(vendor)s", "the vendor")


def _unique(states: Iterator[str]) -> str:
    return ", ".join(dict.fromkeys(states))
