"""Writes the search text of deals (REF-20); selectors.search explains how it is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from django.db import connection, transaction

from portal.folding import tokens
from referrals.models import Engagement, Note, Referral, ReferralQuerySet, TeamMember
from referrals.rules.sharing import Party, knows
from referrals.selectors.search import OWN, SHARED, joined

#: PostgreSQL refuses vectors of 1 MB; nobody types the end of such a text.
MAX_INDEXED_WORDS, MAX_INDEXED_BYTES = 10_000, 700_000
BATCH = 500
#: What tells which companies of an engagement know each other.
_PARTY = ("engagement_id", "company__kind", "invited_by_id", "vendor_may_view", "help_code")
#: What else is found of a copy, or decides which notes are.
_FOUND = ("public_id", "name", "crm_id", "campaign_id", "closed_at", "engagement__customer__name")


def index(referrals: Iterable[Referral]) -> None:
    """Update the search text of these copies; six statements for every few hundred of them."""
    pks = iter(sorted({referral.pk for referral in referrals}))
    while batch := list(islice(pks, BATCH)):
        _lock_and_index(batch)


@transaction.atomic(savepoint=False)
def _lock_and_index(pks: Sequence[int]) -> None:
    """Update one batch. Like every verb it locks the engagements first, so that what it reads doesn't change."""
    locked = Engagement.objects.filter(referrals__in=pks).order_by("pk").select_for_update(of=("self",))
    list(locked.values_list("pk", flat=True))
    _index(Referral.objects.filter(pk__in=pks))


def index_engagements(engagement_ids: Collection[int]) -> None:
    """Update the copies of every participant, because a shared note is found by all of them (REF-23).

    For verbs, which have locked the engagements.
    """
    _index(Referral.objects.filter(engagement__in=engagement_ids), everybody=True)


def _index(found: ReferralQuerySet, *, everybody: bool = False) -> None:
    """`everybody`: the copies are all there are of their engagements."""
    copies = list(found.select_related("engagement__customer", "company").only(*_PARTY, *_FOUND))
    notes: dict[int, list[tuple[Note, Party]]] = defaultdict(list)
    engagements = {copy.engagement_id for copy in copies}
    others = Referral.objects.filter(engagement_id__in=engagements).select_related("company").only(*_PARTY)
    authors: Iterable[Referral] = copies if everybody else others
    parties = {(author.engagement_id, author.company_id): author.party for author in authors}
    for note in Note.objects.filter(engagement_id__in=engagements).order_by("-pk"):
        notes[note.engagement_id].append((note, parties[note.engagement_id, note.company_id]))
    team: dict[int, list[TeamMember]] = defaultdict(list)
    for member in TeamMember.objects.filter(referral__in=[copy.pk for copy in copies]).order_by("pk"):
        team[member.referral_id].append(member)
    texts = [search_text(copy, team[copy.pk], notes[copy.engagement_id]) for copy in copies]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE referrals_referral AS kept SET search_text = found.text "
            "FROM unnest(%s::bigint[], %s::text[]) AS found (id, text) "
            "WHERE kept.id = found.id AND kept.search_text <> found.text",
            [[copy.pk for copy in copies], texts],
        )


def search_text(copy: Referral, team: Iterable[TeamMember], notes: Iterable[tuple[Note, Party]]) -> str:
    """The prefixed words of one copy, each once. If there is too much text, the newest notes (given first) win.

    `notes`: with their authors.
    """
    parts = [(SHARED, copy.name), (SHARED, joined(str(copy.public_id))), (SHARED, copy.engagement.customer.name)]
    parts += [(OWN, copy.crm_id), (OWN, copy.campaign_id)]
    parts += [(SHARED, f"{member.first_name} {member.last_name} {member.email}") for member in team]
    for note, author in notes:
        in_time = copy.closed_at is None or note.at <= copy.closed_at  # a closed copy's thread ends with it (REF-11)
        if note.company_id == copy.company_id or (note.shared and in_time and knows(copy.party, author)):
            # What the vendor may not read of another company's closed deal, it doesn't find on this one either.
            vendor_reads = note.shared and (author.is_vendor or author.vendor_may_view)
            parts.append((SHARED if vendor_reads else OWN, note.text))
    # A dict keeps the order and forgets repetitions. The blank before each word tells its beginning (_read).
    marked = dict.fromkeys(f" {mark}{word}" for mark, part in parts for word in tokens(part))
    kept, size = [], 0
    for word in islice(marked, MAX_INDEXED_WORDS):
        size += len(word.encode())
        if size > MAX_INDEXED_BYTES:
            break
        kept.append(word)
    return "".join(kept)
