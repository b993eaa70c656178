"""OData's query options (F1.10): what is understood, what is refused and where, and pages that stay in place."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import factory
import pytest
from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.http import QueryDict
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from portal.accounts.rules import Actor
from portal.api import odata
from portal.api.http import errors
from portal.demo.cast import Cast
from referrals import rules
from referrals.api import query, representation
from referrals.models import Referral, StageName, TeamMember
from referrals.services import favorites
from tests import build, do
from tests.factories import alike

OWNER = build.CONTOSO
ADDRESS = "/v1.0/engagements/referrals"
#: For what is refused before any row is asked for.
SOMEBODY = Actor(kind="client", company_id=1)
MAX_MESSAGE = 1024  # F1.10


class Deals:
    """A company's deals, asked as the API asks."""

    def __init__(self, cast: Cast, by: str = OWNER) -> None:
        self.cast, self.actor = cast, cast.actor(by)

    def read(self, **options: Any) -> odata.Query:
        return odata.read(params(**options), query.referrals(self.actor))

    @property
    def seen(self) -> QuerySet[Referral]:
        return Referral.objects.visible_to(self.actor)

    def page(self, **options: Any) -> odata.Page:
        return self.read(**options).apply(self.seen.values("id", "name"))

    def names(self, filter: str = "", **options: Any) -> list[str]:
        return [row["name"] for row in self.page(filter=filter, **options).rows]


def params(**options: Any) -> QueryDict:
    return QueryDict(urlencode({f"${name}": value for name, value in options.items()}))


def refused(actor: Actor, options: QueryDict) -> tuple[str, int | None]:
    """The option that is refused, and where in it."""
    with pytest.raises(odata.QueryError) as refused:
        odata.read(options, query.referrals(actor))
    assert str(refused.value).startswith(refused.value.target)
    assert len(str(refused.value)) <= MAX_MESSAGE
    return refused.value.target, refused.value.position


def touch(deal: Referral, **columns: Any) -> Referral:
    Referral.objects.filter(pk=deal.pk).update(**columns)
    return deal


@pytest.fixture
def deals(cast: Cast) -> Deals:
    return Deals(cast)


@pytest.fixture
def three(deals: Deals) -> dict[str, Referral]:
    """Own, accepted and of 40,000 EUR; sent and received; won."""
    cast = deals.cast
    return {
        "Own": build.deal(cast, name="Own"),
        "Private": build.deal(cast, name="Private", help_code=rules.NO_HELP, vendor_may_view=False),
        "Won": build.won(cast, name="Won"),
    }


# What Microsoft's clients ask


FILTERS = [
    ("type eq 'Shared' and direction eq 'Incoming'", []),
    ("direction eq 'Incoming' and substatus eq 'Pending'", []),
    ("status eq 'Active' and direction eq 'Outgoing' and type eq 'Shared'", ["Own"]),
    ("type eq 'Independent'", ["Private"]),
    ("status eq 'New' and qualification eq 'SalesQualified'", []),
    ("STATUS eq 'closed'", ["Won"]),
    ("substatus in ('Won', 'Lost')", ["Won"]),
    ("substatus in ('Won')", ["Won"]),
    ("substatus ne 'Won'", ["Own", "Private"]),
    ("not (substatus eq 'Won')", ["Own", "Private"]),
    ("not(substatus eq 'Won') and not name eq 'Own'", ["Private"]),
    ("name eq 'Own' or name eq 'Won' and status eq 'New'", ["Own"]),
    ("(name eq 'Own' or name eq 'Won') and status eq 'Closed'", ["Won"]),
    ("contains(name,'riv')", ["Private"]),
    ("contains(name,'rivate')", ["Private"]),
    ("contains(name,'RIV')", []),
    ("contains(name,'riv') and contains(name,'vat') and contains(name,'ate')", ["Private"]),
    ("not contains(name,'riv')", ["Own", "Won"]),
    ("contains(name,'it''s \\ & | !:* ')", []),
    ("startswith( name , 'W' )", ["Won"]),
    ("contains(name,'%')", []),
    ("customerProfile/address/country eq 'TR'", ["Own", "Private", "Won"]),
    ("customerprofile/ADDRESS/Country eq 'TR'", ["Own", "Private", "Won"]),
    ("team/any(t:t/email eq 'USER@Contoso.example')", ["Own", "Private", "Won"]),
    ("team/any( m : m/firstName eq 'Umut' and m/email eq 'nobody@contoso.example')", []),
    ("team/any()", ["Own", "Private", "Won"]),
    ("email eq 'user@contoso.example'", ["Own", "Private", "Won"]),
    ("email ne 'user@contoso.example'", []),
    ("details/dealValue eq 40000", ["Own", "Private", "Won"]),
    ("details/dealValue gt '40000'", []),
    ("details/dealValue ge 4e4 and details/dealValue lt 40000.01", ["Own", "Private", "Won"]),
    ("closedDateTime eq null", ["Own", "Private"]),
    ("closedDateTime ne null", ["Won"]),
    ("not (closedDateTime gt 2000-01-01)", ["Own", "Private"]),
    ("closedDateTime in (null)", ["Own", "Private"]),
    ("status eq null", []),
    ("externalReferenceId eq null and externalReferenceId eq ''", ["Own", "Private", "Won"]),
    ("organizationName eq 'Contoso' and salesStage eq 'Qualify'", []),
    ("salesStage in (10, '10 %')", ["Own", "Private"]),
    ("salesStage eq null", ["Own", "Private"]),
    ("salesStage eq '100'", ["Won"]),
    ("favorite eq true", []),
    ("favorite eq false", ["Own", "Private", "Won"]),
]


def test_filters(deals: Deals, three: dict[str, Referral]) -> None:
    assert {asked: sorted(deals.names(asked)) for asked, _expected in FILTERS} == dict(FILTERS)


def test_ids_are_quoted_or_bare(deals: Deals, three: dict[str, Referral]) -> None:
    """F1.4: real links have a bare GUID, the documents a quoted one."""
    own = three["Own"]
    for written in (f"{own.engagement.public_id}", f"'{own.engagement.public_id}'", str(own.event_group).upper()):
        assert deals.names(f"engagementId eq {written}") == ["Own"]
    assert deals.names(f"id in ({own.public_id},'{three['Won'].public_id}')", orderby="name") == ["Own", "Won"]


def test_dates_are_quoted_or_bare_with_or_without_time(deals: Deals, three: dict[str, Referral]) -> None:
    touch(three["Own"], updated_at=datetime(2026, 5, 1, 12, 30, 15, 123456, tzinfo=UTC))
    touch(three["Won"], updated_at=datetime(2027, 5, 1, tzinfo=UTC))
    touch(three["Private"], updated_at=datetime(2027, 5, 1, tzinfo=UTC))
    for same in ("2026-05-01T12:30:15.1234560Z", "'2026-05-01T12:30:15.123456'", "2026-05-01T15:30:15.123456+03:00"):
        assert deals.names(f"updatedDateTime eq {same}") == ["Own"]
    for before in ("2026-05-01", "'2026-05-01T12:30Z'", "2026-05-01T12:30:15.1234550Z", "2026-05-01t12:30:15z"):
        assert deals.names(f"updatedDateTime gt {before} and updatedDateTime lt 2026-05-02") == ["Own"]


def test_a_day_is_the_instant_at_which_it_begins(deals: Deals) -> None:
    touch(build.deal(deals.cast, name="Own"), close_date=date(2026, 12, 10))
    day = "details/closingDateTime"
    for true in (
        "eq 2026-12-10",
        "ge 2026-12-10",
        "le 2026-12-10T00:00:00Z",
        "lt 2026-12-10T09:00Z",
        "gt 2026-12-09T09:00Z",
    ):
        assert deals.names(f"{day} {true}") == ["Own"], true
    for false in ("eq 2026-12-10T09:00Z", "gt 2026-12-10", "ge 2026-12-10T09:00Z", "gt 2026-12-10T09:00Z"):
        assert deals.names(f"{day} {false}") == [], false


def test_ref_16_the_companys_own_stage_names_are_taken(deals: Deals) -> None:
    build.deal(deals.cast, name="Own")
    staged = do.set_stage(build.accepted(deals.cast, name="Staged"), stage=40, actor=deals.actor, now=build.NOW)
    StageName.objects.create(company_id=staged.company_id, stage=40, name="Geliştirme")
    for name in ("GELİŞTİRME", "Develop", "40", "40 %"):
        assert deals.names(f"salesStage eq '{name}'") == ["Staged"]
    assert refused(deals.actor, params(filter="salesStage eq 'Nowhere'")) == ("$filter", 14)


def test_ref_19_favorites_are_the_persons_own(deals: Deals) -> None:
    favorites.set_favorite(build.deal(deals.cast, name="Starred"), actor=deals.actor, on=True)
    assert deals.names("favorite eq true") == ["Starred"]
    assert Deals(deals.cast, "viewer@contoso.example").names("favorite eq true") == []


def test_registrations_are_asked_by_their_status(deals: Deals, three: dict[str, Referral]) -> None:
    """F1.5; one that isn't submitted is none, and the vendor reads none of other companies' deals."""
    build.submitted(deals.cast, three["Won"], routed=True)
    assert deals.names("registrationStatus ne 'None'") == ["Won"]
    assert deals.names("registrationStatus in ('approved', 'ReviewPending', 'ActionRequired')") == ["Won"]
    assert deals.names("not (registrationStatus eq 'None') and not registrationStatus eq 'Closed'") == ["Won"]
    assert Deals(deals.cast, build.SELLER).names("registrationStatus ne 'None'") == []


def test_ref_3_own_references_are_not_the_vendors_to_ask(deals: Deals, three: dict[str, Referral]) -> None:
    touch(three["Own"], crm_id="CRM-1", campaign_id="Spring")
    seller = Deals(deals.cast, build.SELLER)
    mine = f"organizationId eq {three['Own'].company.public_id} and substatus eq 'Accepted'"
    assert seller.names(mine) == ["Own"]
    for asked in ("externalReferenceId eq 'CRM-1'", "campaignId ne null", "contains(externalReferenceId,'CRM')"):
        assert deals.names(asked) == ["Own"]
        assert seller.names(asked) == []


def test_org_6_of_one_engagement_the_cards_are_listed(deals: Deals, three: dict[str, Referral]) -> None:
    """wire.md: with `engagementId eq`, and else the company's own only."""
    engagement = three["Own"].engagement.public_id

    def listed(by: str, **options: str) -> list[str]:
        asker = Deals(deals.cast, by)
        asked = asker.read(**options)
        page = asked.apply(query.listed(asked, asker.actor).values("pk"))
        shown = representation.represent([row["pk"] for row in page.rows], asker.actor)
        return sorted(str(asked.selected(item)) for item in shown)

    card = {"select": "organizationId,name"}
    both = [f"{{'organizationId': '{three['Own'].company.public_id}', 'name': 'Own'}}", "{'organizationId': 'msft'}"]
    assert listed(OWNER, filter=f"engagementId eq {engagement}", **card) == sorted(both)
    assert listed(OWNER, filter=f"engagementId eq {engagement} and name eq 'Own'", **card) == both[:1]
    assert listed("referrals@fabrikam.example", filter=f"engagementId eq {engagement}", **card) == []
    assert len(listed(OWNER)) == 3


# What is refused, and where


@pytest.mark.parametrize(
    ("asked", "position"),
    [
        ("name", 4),
        ("name eq", 7),
        ("name eq Own", 8),
        ("name eq 'Own", 8),
        ("name eq 'Own' name eq 'Won'", 14),
        ("name eq 'Own' and", 17),
        ("(name eq 'Own'", 14),
        ("name eq 'Own')", 13),
        ("secret eq 1", 0),
        ("status eq 'Active' and company_id eq 1", 23),
        ("engagement__customer__managed eq true", 0),
        ("name like 'x'", 5),
        ("name gt 'x'", 0),
        ("status eq 'Unheard'", 10),
        ("status eq 'Active' or substatus eq 'Odd'", 35),
        ("favorite gt true", 0),
        ("length(name) eq 3", 0),
        ("contains(name)", 13),
        ("contains(status,'x')", 9),
        ("name eq name", 8),
        ("'Own' eq name", 0),
        ("name in ()", 9),
        ("name in ('a',)", 13),
        ("name in 'a'", 8),
        ("team eq 'x'", 0),
        ("team/email eq 'x'", 0),
        ("name/any(t:t/email eq 'x')", 0),
        ("team/all(t:t/email eq 'x')", 5),
        ("team/any(t:email eq 'x')", 11),
        ("team/any(t:t eq 'x')", 11),
        ("team/any(t:t/phone eq 'x')", 11),
        ("team/any(t:t/referral/name eq 'x')", 11),
        ("team/any(t:status eq 'Active')", 11),
        ("team/any(t:t/team/any(u:u/email eq 'x'))", 18),
        ("id eq 'x'", 6),
        ("id eq '{0193e4f5-aaaa-bbbb-cccc-0123456789ab}'", 6),
        ("createdDateTime eq 2026-02-30", 19),
        ("createdDateTime eq 2026-13-01", 19),
        ("createdDateTime eq 2026-01-01T25:00:00Z", 19),
        ("createdDateTime eq 0000-01-01", 19),
        ("createdDateTime eq '0001-01-01T00:00:00+14:00'", 19),
        ("createdDateTime eq '9999-12-31T23:59:59-14:00'", 19),
        ("createdDateTime eq 'yesterday'", 19),
        ("details/dealValue eq 1e999", 21),
        ("details/dealValue eq 'NaN'", 21),
        ("details/dealValue eq 'Infinity'", 21),
        ("details/dealValue eq '1_000'", 21),
        ("details/dealValue eq '٣'", 21),
        (f"details/dealValue eq {'9' * 5_000}", 21),
        ("details/dealValue eq 1e-999", 21),
        ("details/dealValue eq 12abc", 21),
        ("details/dealValue eq -1 add 1", 24),
        ("name eq 'a\0b'", 10),
        ("name eq 'a\ud800b'", 10),
        ("name eq 'x'; drop table", 11),
        ("name eq " + "'" * 3, 8),
        ("$it/name eq 'x'", 0),
    ],
)
def test_what_is_refused_says_where(asked: str, position: int) -> None:
    options = QueryDict(mutable=True)  # some of these can't be written in an address
    options["$filter"] = asked
    assert refused(SOMEBODY, options) == ("$filter", position)


def test_what_is_refused_is_answered_400_with_the_option_and_the_place() -> None:
    """F1.10: in whatever endpoint it is asked."""
    answer = errors.handle(odata.QueryError("Expected a property.", 7), {})
    assert answer is not None
    error = answer.data["error"]
    assert (answer.status_code, error["code"], error["target"]) == (400, "invalidRequest", "$filter")
    assert error["message"] == "$filter at position 7: Expected a property."


@pytest.mark.parametrize(
    "asked",
    [
        "(" * 21 + "name eq 'x'" + ")" * 21,
        "not " * 21 + "name eq 'x'",
        "(" * 3_000,
        "not " * 1_900,
        "a/" * 3_900 + "b eq 1",
        " or ".join(["name eq 'x'"] * 101),
        "name in (" + ",".join(["'x'"] * 101) + ")",
        "name eq '" + "x" * 8_000 + "'",
        "name eq '" + "''" * 3_990,
        " " * 7_000 + "name eq",
    ],
)
def test_depth_and_cost_are_bounded(asked: str) -> None:
    assert refused(SOMEBODY, params(filter=asked))[0] == "$filter"


def test_up_to_the_bounds_a_filter_is_answered(deals: Deals, three: dict[str, Referral]) -> None:
    assert deals.names("(" * 20 + "name eq 'Own'" + ")" * 20) == ["Own"]
    assert deals.names("not " * 20 + "name eq 'Own'") == ["Own"]
    assert deals.names(" or ".join(["team/any(t:t/lastName eq 'x')"] * 49 + ["name eq 'Own'"])) == ["Own"]
    assert deals.names("name in (" + ",".join(["'x'"] * 99) + ",'Own')") == ["Own"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"top": "-1"}, ("$top", 0)),
        ({"top": "ten"}, ("$top", 0)),
        ({"top": "٣"}, ("$top", 0)),
        ({"top": "9" * 30}, ("$top", 0)),
        ({"skip": "1.5"}, ("$skip", 0)),
        ({"skip": "100001"}, ("$skip", 0)),
        ({"count": "yes"}, ("$count", 0)),
        ({"search": "x"}, ("$search", None)),
        ({"select": "id, secret"}, ("$select", 4)),
        ({"select": "id,customerProfile/name"}, ("$select", 3)),
        ({"orderby": "name desc, secret"}, ("$orderby", 11)),
        ({"orderby": "createdDateTime sideways"}, ("$orderby", 0)),
        ({"orderby": "createdDateTime,createdDateTime desc"}, ("$orderby", 16)),
        ({"orderby": "status"}, ("$orderby", 0)),
        ({"skiptoken": "x"}, ("$skiptoken", None)),
        ({"skiptoken": "é\0"}, ("$skiptoken", None)),
    ],
)
def test_other_options_are_refused(options: dict[str, str], expected: tuple[str, int | None]) -> None:
    assert refused(SOMEBODY, params(**options)) == expected


def test_options_are_given_once_and_what_is_not_odatas_is_left_alone() -> None:
    resource = query.referrals(SOMEBODY)
    with pytest.raises(odata.QueryError, match="more than once"):
        odata.read(QueryDict("$top=1&$Top=2"), resource)
    with pytest.raises(odata.QueryError, match="more than once"):
        odata.read(QueryDict("$filter=a&$filter=b"), resource)
    asked = odata.read(QueryDict("api-version=1&filter=x&$expand=everything&$filter=&$orderby=&$Select="), resource)
    assert (asked.top, asked.skip, asked.counted, asked.tree, asked.select) == (100, 0, False, None, ())


def test_select_takes_names_in_any_case() -> None:
    resource = query.referrals(SOMEBODY)
    assert odata.read(params(select=" ID,customerprofile,id"), resource).select == ("id", "customerProfile")
    assert odata.read(params(select="id,*"), resource).select == ()


def test_what_a_filter_pins_to_one_value(deals: Deals) -> None:
    """`engagementId eq` lists the cards of its other copies too (wire.md)."""
    asked = "0193e4f5-aaaa-bbbb-cccc-0123456789ab"
    for pinning in (f"engagementId eq {asked}", f"status eq 'New' and (name ne 'x' and ENGAGEMENTID eq '{asked}')"):
        assert str(deals.read(filter=pinning).pinned("engagementId")) == asked
    for free in (f"engagementId ne {asked}", f"engagementId eq {asked} or name eq 'x'", f"not engagementId eq {asked}"):
        assert deals.read(filter=free).pinned("engagementId") is None
    assert deals.read(filter="engagementId eq null").pinned("engagementId") is None
    assert deals.read().pinned("engagementId") is None


# Pages


@pytest.fixture
def many(deals: Deals) -> list[Referral]:
    """Twelve deals, of which some have equal and some have no dates and values."""
    first = build.deal(deals.cast, name="Deal")
    engagements = factory.Iterator(engagement.pk for engagement in alike(first.engagement, 11))
    copies = [first, *alike(first, 11, engagement_id=engagements, name=factory.Sequence(lambda n: f"Deal {n % 4}"))]
    for number, deal in enumerate(copies):
        touch(
            deal,
            created_at=build.NOW - (number % 5) * build.DAY,
            updated_at=build.NOW + number * build.DAY,
            expires_at=None if number % 3 else build.NOW - (number % 2) * build.DAY,
            value=Decimal(100 + number % 4),
        )
    return copies


def walk(deals: Deals, **options: Any) -> list[int]:
    """The keys of all rows, page by page along the links."""
    found: list[int] = []
    for _ in range(100):
        page = deals.page(**options)
        found += [row["id"] for row in page.rows]
        link = page.next_link(RequestFactory().get(ADDRESS, {f"${k}": v for k, v in options.items()}))
        if link is None:
            return found
        options = {name.removeprefix("$"): value for name, value in parse_qsl(urlsplit(link).query)}
    raise AssertionError("pages without an end")


ORDERS = [
    "",
    "createdDateTime",
    "updatedDateTime desc",
    "expirationDateTime",
    "expirationDateTime desc",
    "createdDateTime desc,name",
    "name,expirationDateTime desc,createdDateTime",
    "expirationDateTime desc, details/dealValue asc, name desc",
    "details/closingDateTime,details/dealValue desc",
]


def test_pages_are_the_list_in_pieces(deals: Deals, many: list[Referral]) -> None:
    for order in ORDERS:
        whole = [row["id"] for row in deals.page(orderby=order).rows]
        assert sorted(whole) == sorted(deal.pk for deal in many)
        for top in (1, 3, 5):
            assert walk(deals, orderby=order, top=top) == whole, order


def test_nulls_come_first_as_odata_has_it(deals: Deals, many: list[Referral]) -> None:
    dates = dict(Referral.objects.values_list("pk", "expires_at"))
    ascending = [dates[row["id"]] for row in deals.page(orderby="expirationDateTime").rows]
    assert ascending[:8] == [None] * 8
    assert None not in ascending[8:]
    assert [dates[row["id"]] for row in deals.page(orderby="expirationDateTime desc").rows][4:] == [None] * 8


def test_rows_that_come_and_go_shift_nothing(deals: Deals, many: list[Referral]) -> None:
    whole = [row["id"] for row in deals.page().rows]
    first = deals.page(top=4)
    touch(many[-1], created_at=build.NOW + 9 * build.DAY)  # it moves to the top
    Referral.objects.filter(pk=whole[0]).update(created_at=build.NOW + 8 * build.DAY)
    TeamMember.objects.filter(referral=whole[1]).delete()
    second = deals.page(top=4, skiptoken=first.token)
    expected = [pk for pk in whole[4:] if pk != many[-1].pk]
    assert [row["id"] for row in second.rows] == expected[:4]


def test_the_link_to_the_next_page_is_absolute_and_keeps_what_was_asked(deals: Deals, many: list[Referral]) -> None:
    asked = {"$filter": "name ne 'Ünlü & Co'", "api-version": "v1", "$top": "2", "$Skip": "1", "$count": "true"}
    page = odata.read(QueryDict(urlencode(asked)), query.referrals(deals.actor)).apply(deals.seen.values("id"))
    link = urlsplit(page.next_link(RequestFactory().get(ADDRESS, asked)) or "")
    assert f"{link.scheme}://{link.netloc}{link.path}" == settings.BASE_URL + ADDRESS
    kept = dict(parse_qsl(link.query))
    assert kept.pop("$skiptoken") == page.token
    assert kept == {name: value for name, value in asked.items() if name != "$Skip"}


def test_skip_and_top_cut_pages(deals: Deals, many: list[Referral]) -> None:
    whole = [row["id"] for row in deals.page().rows]
    assert [row["id"] for row in deals.page(top=3, skip=2).rows] == whole[2:5]
    assert walk(deals, top=3, skip=2) == whole[2:]
    assert deals.read(top=9999).top == 500
    nothing = deals.page(top=0, count="true")
    assert (nothing.rows, nothing.count, nothing.token) == ([], 12, None)


def test_only_who_asks_for_a_count_pays_for_it_once(deals: Deals, many: list[Referral]) -> None:
    """A page is one query; the count is asked on the first page, and every link takes it along."""
    with CaptureQueriesContext(connection) as asked:
        first = deals.page(top=5)
    assert (first.count, len(asked)) == (None, 1)
    with CaptureQueriesContext(connection) as asked:
        first = deals.page(top=5, count="true")
    assert (first.count, len(asked)) == (12, 2)
    with CaptureQueriesContext(connection) as asked:
        second = deals.page(top=5, count="true", skiptoken=first.token)
    assert (second.count, len(asked)) == (12, 1)
    assert [set(row) for row in second.rows] == [{"id", "name"}] * 5


def test_a_token_is_good_for_its_query_only(deals: Deals, many: list[Referral]) -> None:
    token = deals.page(top=2).token or ""
    assert deals.page(top=2, skiptoken=token).rows
    for other in ({"orderby": "name"}, {"filter": "name eq 'x'"}, {"orderby": "createdDateTime asc"}):
        assert refused(deals.actor, params(skiptoken=token, **other)) == ("$skiptoken", None)
    for changed in (token[:-1], token + "A", token.swapcase(), token.partition(":")[2]):
        assert refused(deals.actor, params(skiptoken=changed)) == ("$skiptoken", None)


def test_models_are_paged_like_values(deals: Deals, many: list[Referral]) -> None:
    first = deals.read(top=5).apply(deals.seen)
    second = deals.read(top=20, skiptoken=first.token).apply(deals.seen)
    assert [deal.pk for deal in first.rows + second.rows] == [row["id"] for row in deals.page().rows]
