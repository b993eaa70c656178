"""What a registration that an approved exception reopened may change, and what it needs (EXC-4, EXC-14)."""

from __future__ import annotations

from collections.abc import Iterator

from dealreg.rules.values import RegistrationInput
from portal.workflow.blockers import Blocker, _

#: What can be corrected after an exception: nothing else (EXC-4, EXC-9).
CORRECTED = ("term", "tcv", "signed", "start", "end")
#: The validation that a corrected claim passes by: proof of execution (EXC-14, FLOW-10).
POE = "poe"


def foreign_corrections(before: RegistrationInput, form: RegistrationInput) -> Iterator[Blocker]:
    """Each answer that differs though the exception opens it to no correction."""
    for name, value in vars(before).items():
        if name not in CORRECTED and value != getattr(form, name):
            message = _("Reopened by an exception, only the term, the contract value and the dates can be corrected.")
            yield Blocker("not_opened_by_exception", message, "EXC-9", name)


def proof_blockers(*, has_document: bool) -> Iterator[Blocker]:
    """Changed contract details are checked against the contract's documents (EXC-14)."""
    if not has_document:
        message = _("Add the signed contract or another proof under Documents before you resubmit.")
        yield Blocker("proof_required", message, "EXC-14", "documents")


def passing_blockers(validated_by: str) -> Iterator[Blocker]:
    """Only proof of execution passes a corrected claim (EXC-14)."""
    if validated_by != POE:
        message = _("A claim that was corrected after an exception passes by proof of execution only.")
        yield Blocker("poe_required", message, "EXC-14", "validated_by")
