"""Full-text search of deals: each copy has one folded text, searched by the beginnings of its words (REF-20).

Every word of the text has a prefix: `s` if everybody who sees the copy may find it by this word, `o` if only its own
company may (private notes, CRM id, campaign id). A search therefore never reveals to the vendor's people what a copy
hides from them. The prefix also keeps PostgreSQL's parser from splitting a deal id like 0193e4f5 as a number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from django.contrib.postgres.search import SearchQuery, SearchQueryField
from django.db.models import BooleanField, Func, Q, Value
from django.db.models.functions import Cast

from portal.accounts.rules import Actor
from portal.folding import tokens
from portal.policy import services as policies
from referrals.models import Referral
from referrals.models.expressions import NAME_PARTS, PART

SHARED, OWN = "s", "o"
#: Of what was typed: more tells no deal from another, and a query must stay a quick one.
MAX_QUERY, MAX_WORDS = 200, 8
#: How a deal's id, or its beginning, looks.
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{1,27}")
#: Words that are in more copies than this are looked for in the text itself, not in the index.
COMMON = 10_000


# Finding


def shortest() -> int:
    """Search starts at this many letters of a word, the policy's: fewer would find nearly everything."""
    return policies.by_database_clock().search_min_letters


def is_long_enough(text: str) -> bool:
    """Whether at least one word has enough letters to search for."""
    longest = max(map(len, _search_words(text)), default=0)
    return bool(longest) and longest >= shortest()


def matching(text: str, *, actor: Actor) -> Q:
    """The copies that contain, for every word of `text`, a word that begins with it.

    Of the own company's copies everything is searched, of others' only what they share. Check is_long_enough first. The
    function itself makes up to two queries, so call it once. Rare words are looked up in the index; common words are
    compared while the list is read in its own order, which then finds a page sooner.
    """
    asked = _search_words(text)
    if not _is_common(_read(asked, (SHARED, OWN))):
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


def _search_words(text: str) -> list[str]:
    return tokens(text[:MAX_QUERY])[:MAX_WORDS]


def name_contains(text: str) -> Q:
    """The deals whose names contain the text as it is written. Makes a query, so call it once.

    What is rare is looked up in an index of parts of words; what is common fills a page soon anyway.
    """
    found = Q(name__contains=text)
    parts = {text[at : at + PART] for at in range(len(text) - PART + 1)}
    if not parts or _is_common(found):
        return found
    escaped = (part.replace("\\", "\\\\").replace("'", "''") for part in sorted(parts))
    query = Cast(Value(" & ".join(f"'{part}'" for part in escaped)), SearchQueryField())
    return found & Q(
        Func(NAME_PARTS, query, template="%(expressions)s", arg_joiner=" @@ ", output_field=BooleanField())
    )


def _is_common(found: Q) -> bool:
    """Whether these are probably more copies than are worth an index look-up.

    By the planner's estimate, which is good for a pattern in the text and poor for a search vector.
    """
    plan = Referral.objects.filter(found).order_by().explain(format="json")
    return json.loads(plan)[0]["Plan"]["Plan Rows"] > COMMON


def _looked_up(asked: Sequence[str], marks: Sequence[str]) -> Q:
    """Search by index. Short words match too much there; they are compared in the text of what the long ones found."""
    # Words hold letters and digits only, so nothing typed becomes an operator of the query language.
    least = shortest()
    long = [word for word in asked if len(word) >= least]
    query = " & ".join("(" + " | ".join(f"'{mark}{word}':*" for mark in marks) + ")" for word in long)
    found = Q(search_vector=SearchQuery(query, config="simple", search_type="raw"))
    return found & _read([word for word in asked if word not in long], marks)


def _read(asked: Sequence[str], marks: Sequence[str]) -> Q:
    """The same condition without the index: in the text, a blank and the prefix come before every word."""
    found = Q()
    for word in dict.fromkeys(asked):
        found &= Q.create([Q(search_text__contains=f" {mark}{word}") for mark in marks], Q.OR)
    return found


def _beginning(public_id: str) -> Q:
    """Search by the beginning of a deal's id; it is indexed as one word, so other searches don't match its parts."""
    return Q(search_vector=SearchQuery(f"'{SHARED}{joined(public_id)}':*", config="simple", search_type="raw"))


def joined(public_id: str) -> str:
    return public_id.replace("-", "")
