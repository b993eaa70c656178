"""Which proof documents a deal may have: their types, how many, how large, and until when they may be removed
(REG-16)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, _
from referrals import rules as referral_rules

#: The field of the form that holds the files.
FIELD = "documents"
#: Bytes of a megabyte, as people's own machines count them.
MB = 1024 * 1024
#: Of a name that somebody gave their file, the characters kept for display.
MAX_NAME = 255


@dataclass(frozen=True)
class Kind:
    """A type of file: what it is served as, how its name ends, and whether a browser may show it in a page."""

    content_type: str
    suffixes: tuple[str, ...]
    inline: bool = False


_OFFICE = "application/vnd.openxmlformats-officedocument"
#: The types that are taken.
KINDS = {
    "pdf": Kind("application/pdf", (".pdf",), inline=True),
    "png": Kind("image/png", (".png",), inline=True),
    "jpeg": Kind("image/jpeg", (".jpg", ".jpeg", ".jpe", ".jfif"), inline=True),
    "docx": Kind(f"{_OFFICE}.wordprocessingml.document", (".docx",)),
    "xlsx": Kind(f"{_OFFICE}.spreadsheetml.sheet", (".xlsx",)),
}


def file_name(name: str, kind: str) -> str:
    """The name that a download gets: as it was given, ending as its contents do."""
    suffixes = KINDS[kind].suffixes
    return name if name.lower().endswith(suffixes) else f"{name}{suffixes[0]}"


def size_blockers(size: int, policy: Policy) -> Iterator[Blocker]:
    """What is wrong with a file of so many bytes (REG-16)."""
    if not size:
        yield Blocker("document_empty", _("The file is empty."), "REG-16", FIELD)
    if size > policy.max_document_mb * MB:
        message = _("The file is larger than %(most)s MB.")
        yield Blocker("document_too_large", message, "REG-16", FIELD, {"most": policy.max_document_mb})


def type_refused() -> Blocker:
    """For contents of another type, whatever the file is called."""
    message = _("The file's contents are not a PDF, PNG, JPEG, Word (.docx) or Excel (.xlsx) document.")
    return Blocker("document_type", message, "REG-16", FIELD)


def unreadable() -> Blocker:
    """For a file of a known type that is damaged, or would unpack to something huge."""
    message = _("The file is damaged and can't be opened. Save it again, and try once more.")
    return Blocker("document_unreadable", message, "REG-16", FIELD)


def infected(virus: str) -> Blocker:
    """For a file in which the scanner found this."""
    message = _("The virus scanner refused the file: %(virus)s.")
    return Blocker("document_infected", message, "REG-16", FIELD, {"virus": virus})


def deal_blockers(substatus: str) -> Iterator[Blocker]:
    """Only deals that are under way or won need proof (REG-16)."""
    if substatus not in {referral_rules.ACCEPTED, referral_rules.WON}:
        message = _("Documents are added to deals that are accepted or won.")
        yield Blocker("document_deal_state", message, "REG-16", FIELD)


def adding_blockers(sha256: str, held: Collection[str], policy: Policy) -> Iterator[Blocker]:
    """What keeps one more document from a deal that holds these, named by their hashes (REG-16)."""
    if sha256 in held:
        yield Blocker("document_duplicate", _("This very file is there already."), "REG-16", FIELD)
    elif len(held) >= policy.max_documents:
        message = _("The deal has as many documents as it may have: %(most)s.")
        yield Blocker("document_limit", message, "REG-16", FIELD, {"most": policy.max_documents})


def removal_blockers(
    *, added_at: datetime, submitted_at: datetime | None, with_partner: bool, asked_at: datetime | None = None
) -> Iterator[Blocker]:
    """Whether a document is evidence that stays (REG-16, *decision*).

    `submitted_at` is when the registration was last sent; `with_partner`: whether nobody but the partner has to act
    on it, so that it is neither being looked at nor decided. What was sent with a submission stays.
    `asked_at`: when the partner last sent something to the exception council, which decides on what there was then.
    """
    sent = max((at for at in (submitted_at, asked_at) if at is not None), default=None)
    if not with_partner or (sent is not None and added_at <= sent):
        message = _("The document belongs to what was submitted, and stays.")
        yield Blocker("document_is_evidence", message, "REG-16", FIELD)


def gone() -> Blocker:
    """For a document that somebody removed meanwhile."""
    return Blocker("document_gone", _("The document was removed already."), "REG-16")
