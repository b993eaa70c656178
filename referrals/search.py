"""What a deal is found by: one folded text per copy, searched by the beginnings of its words (REF-20).

Every word of the text starts with a mark: `s` what everybody who may see the copy may find it by, `o` what only its own
company may (its private notes, CRM id, campaign id). So no search tells the vendor's people what a copy keeps from
them. The mark also keeps PostgreSQL's parser from taking words for numbers: it would split a deal id like 0193e4f5.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice

from django.contrib.postgres.search import SearchQuery
from django.db import connection, transaction
from django.db.models import OuterRef, Q, Subquery

from portal.accounts.rules import Actor
from portal.customers.rules import fold
from referrals.models import Engagement, Note, Referral, ReferralQuerySet, TeamMember
from referrals.participation import Party, know_each_other

SHARED, OWN = "s", "o"
#: Search starts at this many letters: fewer would find nearly everything.
SHORTEST = 3
#: Of what was typed: more tells no deal from another, and a query must stay a quick one.
LONGEST_QUERY, MOST_WORDS = 200, 8
#: PostgreSQL refuses words of 2 KB and vectors of 1 MB; nobody types the end of either.
LONGEST_WORD, MOST_INDEXED_WORDS, MOST_INDEXED_BYTES = 60, 10_000, 700_000
#: How a deal's id, or its beginning, looks.
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{1,27}")
#: What is in more copies than this is read, not looked up.
COMMON = 10_000
BATCH = 500


def words(text: str) -> list[str]:
    """The text's words as they are compared: folded, letters and digits only."""
    folded = "".join(c if c.isalnum() else " " for c in fold(text))
    return [word[:LONGEST_WORD] for word in folded.split()]


# Finding


def is_long_enough(text: str) -> bool:
    """Whether one of the words has the letters a search starts from."""
    return any(len(word) >= SHORTEST for word in _asked(text))


def matching(text: str, *, actor: Actor) -> Q:
    """The copies in which every word of the text begins some word: everything of the own company's copies, of others'
    what they share. Ask is_long_enough first.

    Asks the database and so is asked once. What few copies hold is looked up in the index; what many hold one comes
    across sooner by reading in the list's own order.
    """
    asked = _asked(text)
    if not _is_common(asked):
        found = _visible(asked, _looked_up, actor)
        if ID.fullmatch(text.strip().lower()):
            found |= _beginning(text.strip().lower())
        pks = list(Referral.objects.filter(found).order_by().values_list("pk", flat=True)[: COMMON + 1])
        if len(pks) <= COMMON:
            return Q(pk__in=pks)
    return _visible(asked, _read, actor)


def _visible(asked: Sequence[str], containing: Callable[[Sequence[str], Sequence[str]], Q], actor: Actor) -> Q:
    found = Q(company_id=actor.own_company_id) & containing(asked, (SHARED, OWN))
    return found | containing(asked, (SHARED,)) if actor.is_vendor else found


def _asked(text: str) -> list[str]:
    return words(text[:LONGEST_QUERY])[:MOST_WORDS]


def _is_common(asked: Sequence[str]) -> bool:
    """Whether the words are likely to be in more copies than it is worth looking up.

    The planner knows well how often a text holds a pattern, from a sample, and badly how often a vector does.
    """
    plan = Referral.objects.filter(_read(asked, (SHARED, OWN))).order_by().explain(format="json")
    return json.loads(plan)[0]["Plan"]["Plan Rows"] > COMMON


def _looked_up(asked: Sequence[str], marks: Sequence[str]) -> Q:
    """By the index; short words, which begin too many for it, by reading what the long ones found."""
    # Words hold letters and digits only, so nothing typed becomes an operator of the query language.
    long = [word for word in asked if len(word) >= SHORTEST]
    query = " & ".join("(" + " | ".join(f"'{mark}{word}':*" for mark in marks) + ")" for word in long)
    found = Q(search_vector=SearchQuery(query, config="simple", search_type="raw"))
    return found & _read([word for word in asked if word not in long], marks)


def _read(asked: Sequence[str], marks: Sequence[str]) -> Q:
    """The same by reading the text, in which a blank and a mark stand before every word."""
    found = Q()
    for word in dict.fromkeys(asked):
        found &= Q.create([Q(search_text__contains=f" {mark}{word}") for mark in marks], Q.OR)
    return found


def _beginning(public_id: str) -> Q:
    """By the deal's id, which is one word however it is parted: else its parts would be found by hexadecimal words."""
    return Q(search_vector=SearchQuery(f"'{SHARED}{_joined(public_id)}':*", config="simple", search_type="raw"))


def _joined(public_id: str) -> str:
    return public_id.replace("-", "")


# Keeping the text


def index(referrals: Iterable[Referral]) -> None:
    """Bring the search text of these copies up to date; five statements for every few hundred of them."""
    pks = iter(sorted({referral.pk for referral in referrals}))
    while batch := list(islice(pks, BATCH)):
        _lock_and_index(batch)


@transaction.atomic(savepoint=False)
def _lock_and_index(pks: Sequence[int]) -> None:
    """One batch. The engagements are locked first, as by every verb: nobody changes what is being read."""
    locked = Engagement.objects.filter(referrals__in=pks).order_by("pk").select_for_update(of=("self",))
    list(locked.values_list("pk", flat=True))
    _index(Referral.objects.filter(pk__in=pks))


def index_engagements(engagement_ids: Collection[int]) -> None:
    """Bring every participant's copy up to date: a shared note is found by all of them (REF-23).

    For verbs, which hold the engagements' locks.
    """
    _index(Referral.objects.filter(engagement__in=engagement_ids))


def _index(found: ReferralQuerySet) -> None:
    copies = list(found.with_context())
    notes: dict[int, list[Note]] = defaultdict(list)
    invited_by = Referral.objects.filter(engagement=OuterRef("engagement"), company=OuterRef("company"))
    engagements = {copy.engagement_id for copy in copies}
    written = Note.objects.filter(engagement_id__in=engagements).select_related("company").order_by("-pk")
    for note in written.annotate(invited_by_id=Subquery(invited_by.values("invited_by"))):
        notes[note.engagement_id].append(note)
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


def search_text(copy: Referral, team: Iterable[TeamMember], notes: Iterable[Note]) -> str:
    """The marked words of one copy, each once; of endless notes (newest first) the newest count."""
    parts = [(SHARED, copy.name), (SHARED, _joined(str(copy.public_id))), (SHARED, copy.engagement.customer.name)]
    parts += [(OWN, copy.crm_id), (OWN, copy.campaign_id)]
    parts += [(SHARED, f"{member.first_name} {member.last_name} {member.email}") for member in team]
    for note in notes:
        if _is_read(note, copy):
            parts.append((SHARED if note.shared else OWN, note.text))
    # A dict keeps the order and forgets repetitions. The blank before each word tells its beginning (_read).
    marked = dict.fromkeys(f" {mark}{word}" for mark, part in parts for word in words(part))
    kept, size = [], 0
    for word in islice(marked, MOST_INDEXED_WORDS):
        size += len(word.encode())
        if size > MOST_INDEXED_BYTES:
            break
        kept.append(word)
    return "".join(kept)


def _is_read(note: Note, copy: Referral) -> bool:
    """Whether the copy's company reads the note on its page (REF-23)."""
    if note.company_id == copy.company_id:
        return True
    author = Party(note.company_id, note.invited_by_id, note.company.is_vendor)  # type: ignore[attr-defined]
    return note.shared and know_each_other(author, copy.party)
