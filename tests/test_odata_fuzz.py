"""The API's filter under whatever may be sent (F1.10): it means what it says or is refused, and reveals nothing.

Run it longer with ORTAK_ODATA_EXAMPLES.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import QuerySet
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.accounts.rules import Actor
from portal.api import odata
from portal.demo.cast import Cast
from referrals import rules
from referrals.api import query, wire
from referrals.models import Referral
from referrals.services import favorites
from tests import build
from tests.factories import alike

EXAMPLES = int(os.environ.get("ORTAK_ODATA_EXAMPLES", "200"))
MAX_MESSAGE = 1024  # F1.10
FUZZ = settings(max_examples=EXAMPLES, derandomize=True, deadline=None)

OPERATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "contains": lambda value, part: part in value,
    "startswith": str.startswith,
}
EQUAL, ORDERED, TEXT = ("eq", "ne", "in"), ("gt", "ge", "lt", "le"), ("contains", "startswith")


class World:
    """Contoso's deals of every kind, the other companies' copies of them, and a deal that is Northwind's alone."""

    def __init__(self, cast: Cast) -> None:
        self.actor = cast.actor(build.CONTOSO)
        first = build.accepted(cast, name="Plant", at=build.NOW - 9 * build.DAY)
        self.own = [first, build.won(cast, name="Plant's end")]
        self.own.append(build.deal(cast, name="%_'\\", help_code=rules.NO_HELP, vendor_may_view=False))
        engagements = alike(first.engagement, 3)
        for number, (engagement, substatus) in enumerate(
            zip(engagements, ("Received", "Lost", "Expired"), strict=True)
        ):
            self.own += alike(first, 1, engagement_id=engagement.pk, name=f"Plant {number}", crm_id=f"CRM-{number}")
            at = None if substatus == "Received" else build.NOW
            late = {"closed_at": at, "expires_at": build.NOW, "accepted_at": None, "location": None}
            Referral.objects.filter(pk=self.own[-1].pk).update(substatus=substatus, value=number + 1, **late)
        who = {"company_id": cast.companies["northwind"].pk, "invited_by_id": cast.companies["contoso"].pk}
        for number, own in enumerate(self.own[:2]):
            secret = {"name": "Secret", "crm_id": "secret", "value": Decimal(7)}
            accepted = {"accepted_at": build.NOW} if number else {"accepted_at": None}
            (card,) = alike(own, 1, engagement_id=own.engagement_id, **who, **secret, **accepted)
            alike(own.team.all()[0], 1, referral_id=card.pk, email="secret@northwind.example")
        Referral.objects.filter(pk=self.own[3].pk).update(stage=40, wire_extras={"qualification": "Direct"})
        favorites.set_favorite(first, actor=self.actor, on=True)
        self.stranger = alike(first, 1, engagement_id=alike(first.engagement, 1)[0].pk, company_id=who["company_id"])[0]

    @property
    def seen(self) -> QuerySet[Referral]:
        """What a list may hold: the company's own, and the cards of their other copies (wire.md)."""
        return Referral.objects.filter(engagement__in=[deal.engagement_id for deal in self.own])

    def ask(self, asked: str, **options: str) -> list[int]:
        given = QueryDict(mutable=True)
        given.update({"$filter": asked, **{f"${name}": value for name, value in options.items()}})
        page = odata.read(given, query.referrals(self.actor)).apply(self.seen.values("id"))
        return [row["id"] for row in page.rows]


@pytest.fixture
def world(cast: Cast) -> World:
    return World(cast)


# A second reading of filters, in Python and over rows


@dataclass(frozen=True)
class Facts:
    """A row as the actor may know it."""

    deal: Referral
    own: bool
    starred: bool

    def whole(self, value: Any) -> Any:
        return value if self.own else None

    @property
    def team(self) -> list[Any]:
        return list(self.deal.team.all()) if self.own or self.accepted_at else []

    @property
    def accepted_at(self) -> Any:
        return self.deal.accepted_at or (None if self.deal.is_inbound else self.deal.created_at)


def _midnight(day: Any) -> Any:
    return day and datetime.combine(day, time.min, UTC)


#: When deals were created, and when some of them were accepted.
BORN = (build.NOW, build.NOW - 9 * build.DAY)
#: When most of the deals are to close.
CLOSE = _midnight((build.NOW + 30 * build.DAY).date())


#: By the path: the value of a row, literals with what they mean, and the operators there are.
KNOWN: dict[str, tuple[Callable[[Facts], Any], dict[str, Any], tuple[str, ...]]] = {
    "name": (
        lambda f: f.whole(f.deal.name),
        {"'Plant'": "Plant", "'Plant''s end'": "Plant's end", "'%'": "%", "'\\'": "\\", "''": "", "'Secret'": "Secret"},
        EQUAL + TEXT,
    ),
    "details/dealValue": (
        lambda f: f.whole(f.deal.value),
        {"2": Decimal(2), "'7'": Decimal(7), "4e4": Decimal(40_000), "-1.5": Decimal("-1.5")},
        EQUAL + ORDERED,
    ),
    "details/closingDateTime": (
        lambda f: f.whole(_midnight(f.deal.close_date)),
        {
            "'2027-01-01'": datetime(2027, 1, 1, tzinfo=UTC),
            **{f"{at:%Y-%m-%dT%H:%M}Z": at for at in (CLOSE, CLOSE + timedelta(hours=9), CLOSE - timedelta(hours=9))},
        },
        EQUAL + ORDERED,
    ),
    "closedDateTime": (
        lambda f: f.deal.closed_at,
        {f"{at:%Y-%m-%dT%H:%M:%S}.0000000Z": at for at in (build.NOW, build.NOW - build.DAY)},
        EQUAL + ORDERED,
    ),
    "acceptedDateTime": (lambda f: f.accepted_at, {f"'{at:%Y-%m-%dT%H:%M}'": at for at in BORN}, EQUAL + ORDERED),
    "externalReferenceId": (
        lambda f: f.whole(f.deal.crm_id or None),
        {"'CRM-1'": "CRM-1", "'secret'": "secret", "'CRM'": "CRM"},
        EQUAL + TEXT,
    ),
    "mpnId": (lambda f: f.whole(f.deal.location and f.deal.location.mpn_id), {"'1'": "1", "'x'": "x"}, EQUAL + TEXT),
    "status": (lambda f: f.deal.status, {"'New'": "New", "'closed'": "Closed", "'None'": "-"}, EQUAL),
    "substatus": (lambda f: f.deal.substatus, {"'Pending'": "Received", "'Won'": "Won"}, EQUAL),
    "direction": (lambda f: f.whole(f.deal.is_inbound), {"'Incoming'": True, "'Outgoing'": False}, EQUAL),
    "type": (
        lambda f: f.whole(wire.deal_type(help_code=f.deal.help_code, p2p=f.deal.p2p)),
        {"'Shared'": "Shared", "'independent'": "Independent"},
        EQUAL,
    ),
    "salesStage": (
        lambda f: f.whole(wire.STAGES.get(f.deal.stage)),
        {"'Develop'": "Develop", "40": "Develop", "'100'": "100"},
        EQUAL,
    ),
    "qualification": (
        lambda f: f.whole(f.deal.wire_extras.get("qualification", "SalesQualified")),
        {"'Direct'": "Direct", "'SalesQualified'": "SalesQualified"},
        EQUAL,
    ),
    "organizationId": (
        lambda f: "msft" if f.deal.company.is_vendor else str(f.deal.company.public_id),
        {"'MSFT'": "msft", "0193e4f5-aaaa-bbbb-cccc-0123456789ab": "-"},
        EQUAL,
    ),
    "favorite": (lambda f: f.whole(f.starred), {"true": True, "false": False}, EQUAL),
}
MEMBERS: dict[str, tuple[Callable[[Any], Any], dict[str, Any]]] = {
    "email": (lambda m: m.email, {"'USER@contoso.example'": "user@contoso.example", "'secret@'": "secret@"}),
    "firstName": (lambda m: m.first_name, {"'Umut'": "Umut", "'U'": "U", "'Ü'": "Ü"}),
}

Rule = tuple[str, Callable[[Any], bool]]


def _holds(value: Any, operation: str, meant: list[Any]) -> bool:
    if operation in EQUAL:
        return (value in meant) != (operation == "ne")
    return value is not None and meant[0] is not None and OPERATIONS[operation](value, meant[0])


def _written(path: str, operation: str, literals: list[str]) -> str:
    if operation in TEXT:
        return f"{operation}({path}, {literals[0]})"
    return f"{path} in ({', '.join(literals)})" if operation == "in" else f"{path} {operation} {literals[0]}"


def _rule(path: str, operation: str, chosen: list[str]) -> Rule:
    find, literals, _operations = KNOWN[path]
    meant = [{**literals, "null": None}[text] for text in chosen]
    return _written(path, operation, chosen), lambda facts: _holds(find(facts), operation, meant)


def every_comparison() -> Iterator[Rule]:
    for path, (_find, literals, operations) in KNOWN.items():
        for operation in operations:
            for text in (*literals, "null"):
                asked, holds = _rule(path, operation, [text])
                yield asked, holds
                yield f"not ({asked})", lambda facts, holds=holds: not holds(facts)


@st.composite
def comparison(draw: st.DrawFn) -> Rule:
    path = draw(st.sampled_from(sorted(KNOWN)))
    _find, literals, operations = KNOWN[path]
    operation = draw(st.sampled_from(operations))
    chosen = st.lists(st.sampled_from([*sorted(literals), "null"]), min_size=1, max_size=3 if operation == "in" else 1)
    return _rule(path, operation, draw(chosen))


@st.composite
def of_a_member(draw: st.DrawFn) -> Rule:
    name = draw(st.sampled_from(sorted(MEMBERS)))
    find, literals = MEMBERS[name]
    operation, text = draw(st.sampled_from(EQUAL + TEXT)), draw(st.sampled_from(sorted(literals)))
    return _written(f"t/{name}", operation, [text]), lambda member: _holds(find(member), operation, [literals[text]])


def combined(leaf: st.SearchStrategy[Rule], leaves: int) -> st.SearchStrategy[Rule]:
    def more(inner: st.SearchStrategy[Rule]) -> st.SearchStrategy[Rule]:
        pairs = st.tuples(inner, inner)
        return st.one_of(
            pairs.map(lambda p: (f"({p[0][0]}) and ({p[1][0]})", lambda row: p[0][1](row) and p[1][1](row))),
            pairs.map(lambda p: (f"({p[0][0]} or {p[1][0]})", lambda row: p[0][1](row) or p[1][1](row))),
            inner.map(lambda one: (f"not ({one[0]})", lambda row: not one[1](row))),
        )

    return st.recursive(leaf, more, max_leaves=leaves)


def some_of_the_team(inner: Rule) -> Rule:
    return f"team/any(t: {inner[0]})", lambda row: any(inner[1](member) for member in row.team)


MEMBER = combined(of_a_member(), 3).map(some_of_the_team)
FILTER = combined(st.one_of(comparison(), comparison(), comparison(), MEMBER), 8)


def test_a_filter_means_what_it_says(world: World) -> None:
    """Random filters, read a second time in Python over the rows; nulls, hidden values and `not` included."""
    rows = world.seen.select_related("location", "company").prefetch_related("team")
    own, starred = world.actor.own_company_id, world.own[0].pk
    facts = [Facts(row, row.company_id == own, row.pk == starred) for row in rows]
    assert {fact.own for fact in facts} == {True, False}

    def check(rule: Rule) -> None:
        asked, holds = rule
        assert set(world.ask(asked)) == {fact.deal.pk for fact in facts if holds(fact)}, asked

    for rule in every_comparison():
        check(rule)
    FUZZ(given(FILTER)(check))()


# Anything at all


PIECES = (
    *("'", "''", "(", ")", "((((", ",", "/", ":", " ", "\t", "not ", " and ", " or ", " eq ", " in ", " null ", "true"),
    *(
        "status",
        "id",
        "team/any(",
        "t:t/",
        "contains(",
        "startswith(",
        "password",
        "company_id",
        "pk",
        "__",
        "\0",
        "\ud800",
    ),
    *(
        "2026-02-30",
        "2026-12-31T23:59:59.9999999Z",
        "0193e4f5-aaaa-bbbb-cccc-0123456789ab",
        "1e999",
        "9" * 400,
        "-",
        "+",
    ),
    *(
        "'9999-12-31T23:59:59-14:00'",
        "NaN",
        "'NaN'",
        "é",
        "İ",
        "\u2028",
        "%",
        "\\",
        "\\'",
        ";",
        "--",
        "$",
        "@",
        "é" * 50,
    ),
)
ANY_TEXT = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
COLUMNS = sorted({field.path for field in query.referrals(Actor(kind="client")).fields})
SHAPED = st.builds(
    lambda path, operation, text: f"{path} {operation} {text}",
    st.sampled_from(COLUMNS),
    st.sampled_from(EQUAL + ORDERED),
    st.one_of(
        st.sampled_from(PIECES),
        st.integers().map(str),
        st.floats().map(str),
        st.text(max_size=30).map(lambda text: "'" + text.replace("'", "''") + "'"),
        st.datetimes().map(lambda at: at.isoformat() + "Z"),
        st.decimals().map(lambda number: f"'{number}'"),
    ),
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(FILTER)[0]
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 12)))
        text = text[:start] + draw(st.sampled_from(("", *PIECES))) + text[end:]
    return text


def test_whatever_is_sent_is_answered_or_refused(world: World) -> None:
    """Never an error of ours, never a row beyond the list, and what is refused says where it is wrong."""
    seen = set(world.seen.values_list("pk", flat=True))
    assert world.stranger.pk not in seen
    outcomes = {"answered": 0, "refused": 0}

    @FUZZ
    @given(
        st.one_of(ANY_TEXT, SHAPED, mutated()),
        st.one_of(st.just(""), ANY_TEXT, st.sampled_from(COLUMNS).map(lambda path: f"{path} desc,createdDateTime")),
        st.one_of(st.just("100"), ANY_TEXT),
    )
    def check(asked: str, order: str, top: str) -> None:
        try:
            found, refused = world.ask(asked, orderby=order, top=top), None
        except odata.QueryError as error:
            found, refused = [], error
        outcomes["refused" if refused else "answered"] += 1
        assert set(found) <= seen
        if refused:
            given = {"$filter": asked, "$orderby": order, "$top": top}[refused.target]
            assert refused.position is not None
            assert 0 <= refused.position <= len(given)
            assert len(str(refused)) <= MAX_MESSAGE

    check()
    assert min(outcomes.values()) > EXAMPLES / 50, outcomes


def test_ref_3_what_a_card_hides_changes_no_answer(world: World) -> None:
    """Whatever other companies write into their copies, no filter and no order tells it (ORG-6)."""
    cards = world.seen.exclude(company_id=world.actor.own_company_id)
    before, after = {"name": "Secret", "crm_id": "secret", "value": 7}, {"name": "Plant", "crm_id": "CRM-1", "value": 2}
    hidden = {
        "campaign_id": "CRM-1",
        "currency": "CHF",
        "stage": 40,
        "p2p": True,
        "wire_extras": {"qualification": "Direct"},
        "close_date": build.NOW.date(),
        "location": world.own[0].location,
    }
    orders = ("name", "details/dealValue desc,name", "details/closingDateTime", "createdDateTime")

    @FUZZ
    @given(FILTER, st.sampled_from(orders))
    def check(rule: Rule, order: str) -> None:
        cards.update(**before)
        told = world.ask(rule[0], orderby=order)
        cards.update(**after, **hidden)
        assert world.ask(rule[0], orderby=order) == told

    check()
    cards.update(**before)
    assert cards.count() >= 3
