"""The cells of deals as the portal holds them: a download has them, and an upload is compared with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from portal import tables
from portal.accounts.rules import Actor
from portal.row_plans import Cell
from referrals import rules
from referrals.models import Note, Referral, ReferralQuerySet
from referrals.rules.sharing import knows
from referrals.services.deal_file import columns as c

STEP = 500


@dataclass
class Held:
    """A deal with what its row shows: the newest note that its participants share, and the vendor's copy."""

    referral: Referral
    note: str = ""
    #: All of these notes, their lines joined by the same character.
    notes: set[str] = field(default_factory=set)
    vendor: Referral | None = None
    cells: dict[str, Cell] = field(default_factory=dict)

    def text(self, column: str) -> str:
        """The cell as text, a day as the file writes it."""
        return cell_text(self.cells.get(column, ""))


def cell_text(cell: Cell) -> str:
    if cell is None or isinstance(cell, str):
        return cell or ""
    return tables.american(cell) if hasattr(cell, "year") else str(cell)  # type: ignore[arg-type]


def load(referrals: ReferralQuerySet, actor: Actor) -> list[Held]:
    """The company's deals with their cells, in six queries."""
    found = referrals.with_context().prefetch_related("team", "solutions__solution")
    held = {referral.engagement_id: Held(referral) for referral in found}
    copies: dict[int, list[Referral]] = defaultdict(list)
    others = Referral.objects.filter(engagement__in=held).exclude(company_id=actor.own_company_id)
    for copy in others.select_related("company").defer("search_text", "search_vector").prefetch_related("team"):
        if knows(held[copy.engagement_id].referral.party, copy.party):
            copies[copy.engagement_id].append(copy)
    for engagement, text in _shared_notes(held, copies):
        held[engagement].note = text  # the newest comes last
        held[engagement].notes.add("\n".join(text.splitlines()))
    for engagement, one in held.items():
        one.vendor = next((copy for copy in copies[engagement] if copy.company.is_vendor), None)
        one.cells = _cells(one)
    return list(held.values())


def _shared_notes(held: Mapping[int, Held], copies: Mapping[int, Sequence[Referral]]) -> Iterator[tuple[int, str]]:
    """The notes of each deal that its participants share (REF-23), of those that one learns of (ORG-6), the newest
    last; a closed copy's thread ends with it (REF-11)."""
    notes = Note.objects.filter(engagement__in=held, shared=True).order_by("pk")
    for note in notes.only("engagement_id", "company_id", "text", "at"):
        referral = held[note.engagement_id].referral
        of = {referral.company_id, *(copy.company_id for copy in copies.get(note.engagement_id, ()))}
        if note.company_id in of and (referral.closed_at is None or note.at <= referral.closed_at):
            yield note.engagement_id, note.text


def _cells(held: Held) -> dict[str, Cell]:
    referral, engagement = held.referral, held.referral.engagement
    customer = engagement.customer
    cells: dict[str, Cell] = {column: getattr(customer, name) for name, column in c.ENTRY.items()}
    cells |= {
        c.ENGAGEMENT: str(engagement.public_id),
        c.ID: str(referral.public_id),
        c.NAME: referral.name,
        c.STATUS: referral.status,
        c.SUBSTATUS: referral.substatus,
        c.VENDOR_STATUS: held.vendor.status if held.vendor else "",
        c.REASON: _reason(referral),
        c.STAGE: referral.stage,
        c.VALUE: referral.value,
        c.CURRENCY: referral.currency,
        c.CLOSE_DATE: referral.close_date,
        c.CRM_ID: referral.crm_id,
        c.CAMPAIGN_ID: referral.campaign_id,
        c.NOTES: held.note,
        c.LOCATION: referral.location.mpn_id if referral.location else "",
        c.INTENT: c.INTENT_NAMES[referral.marketplace_intent],
    }
    return cells | _sharing_cells(held) | _listed_cells(held)


def _sharing_cells(held: Held) -> dict[str, Cell]:
    """Help, visibility and the customer's contact, which whoever started the deal keeps (REF-5)."""
    referral, engagement = held.referral, held.referral.engagement
    cells: dict[str, Cell] = {
        c.HELP_REQUIRED: yes_no(referral.help_code != rules.NO_HELP),
        c.HELP: c.number_of(referral.help_code, c.HELP_CODES),
        c.SHARE: yes_no(referral.vendor_may_view),
        c.HELP_NOTES: held.vendor.invite_notes if held.vendor and not referral.is_inbound else "",
        c.CONSENT: yes_no(engagement.contact_consent),
    }
    if not referral.is_inbound:
        first, _space, last = engagement.contact_name.rpartition(" ")
        cells |= {c.FIRST_NAME: first or last, c.LAST_NAME: last if first else ""}
        cells |= {c.PHONE: engagement.contact_phone, c.EMAIL: engagement.contact_email}
    return cells


def _listed_cells(held: Held) -> dict[str, Cell]:
    solutions = sorted(line.solution.code for line in held.referral.solutions.all())
    team = sorted(held.referral.team.all(), key=lambda member: member.pk)
    people = [tables.joined([m.first_name, m.last_name, m.phone, m.email]) for m in team]
    seller = next(iter(held.vendor.team.all()), None) if held.vendor and held.vendor.accepted_at else None
    return {
        **dict(zip(c.SOLUTIONS, solutions, strict=False)),
        **dict(zip(c.MEMBERS, people, strict=False)),
        c.VENDOR_MEMBER: tables.joined([seller.first_name, seller.last_name, seller.phone, seller.email])
        if seller
        else "",
    }


def _reason(referral: Referral) -> str:
    number = c.number_of(referral.reason_code, c.reasons_of(referral.substatus)) if referral.reason_code else ""
    return f"{number} {referral.reason_note}".strip()


def yes_no(value: bool) -> str:
    return "Yes" if value else "No"


def write(pks: Sequence[int], actor: Actor) -> tuple[Sequence[str], Iterable[Sequence[Cell]]]:
    """Header and lines of a file of these deals, in their order; as many columns for solutions and people as needed."""
    own = Referral.objects.visible_to(actor).filter(pk__in=pks, company_id=actor.own_company_id)
    most = [1, 1]
    for start in range(0, len(pks), STEP):
        for referral in own.filter(pk__in=pks[start : start + STEP]).prefetch_related("team", "solutions").only("pk"):
            most = [max(most[0], len(referral.solutions.all())), max(most[1], len(referral.team.all()))]
    header = [*c.HEADER, *c.SOLUTIONS[: most[0]], *c.MEMBERS[: most[1]], c.VENDOR_MEMBER]
    return header, _lines(own, pks, header, actor)


def _lines(own: ReferralQuerySet, pks: Sequence[int], header: Sequence[str], actor: Actor) -> Iterator[Sequence[Cell]]:
    for start in range(0, len(pks), STEP):
        batch = pks[start : start + STEP]
        found = {held.referral.pk: held for held in load(own.filter(pk__in=batch), actor)}
        for pk in batch:
            if pk in found:
                yield [found[pk].cells.get(column, "") for column in header]
