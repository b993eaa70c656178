"""The pictures in docs/ are those of the code (REF-11, FLOW-5), and what the documents point to exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from portal.workflow import services as workflow
from portal.workflow.management.commands import draw_machines

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_ref_11_flow_5_the_diagrams_are_those_of_the_code() -> None:
    assert draw_machines.TARGET == ROOT / "docs/workflows.md"
    drawn = draw_machines.TARGET.read_text(encoding="utf-8")
    assert drawn == draw_machines.document(), "the machines changed: run `python manage.py draw_machines`"


def test_ref_11_flow_5_every_move_of_the_models_is_drawn() -> None:
    """A check of the drawing itself, from names that it doesn't compute."""
    text = draw_machines.document()
    for line in (
        "    [*] --> Received",
        "    Received --> Accepted: accept",
        "    Won --> [*]",
        "    registration_pending --> approved: route",
        "    registration_pending --> marketplace_pending: route",
        "| `submit` | Register now | registration_pending | (stays) | `registration.submitted` |",
        "    marketplace_pending --> action_required: reopen, require_action",
        "    action_required --> closed: fail_unanswered, replace, withdraw",
        "    in_review --> denied: vote",
        "    evidence_requested --> in_review: answer_evidence, evidence_unanswered",
    ):
        assert f"{line}\n" in text
    assert "[*] --> Won" not in text
    verbs = {verb.name for machine in workflow.machines() for verb in machine.verbs}
    assert all(f"| `{verb}` |" in text for verb in verbs)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_links_to_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s#]+)[^)]*\)", text)
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert missing == []
