"""What the addresses of lists may ask for: declared filters, shown columns, search, and nothing else.

A look-up on a column that isn't shown is an oracle: `?password__regex=^a` answers one bit of the hash each time.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.sessions.models import Session
from django.db.models import Field, Model
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse

from isvconnect import sweeps
from portal.accounts.admin_site import PortalAdmin, PortalInline, site
from portal.accounts.models import Invite, User
from portal.accounts.rules import Actor
from portal.demo.cast import Cast
from portal.money.models import MonthlyRate
from tests import build, exceptions, isv
from tests.edge import Live, parse
from tests.test_house import CODE, dotted, nodes

ROLES = {"reviewer": build.REVIEWER, "council member": "council1@vendor.example", "manager": "manager@vendor.example"}


def dates(name: str) -> set[str]:
    return {f"{name}__gte", f"{name}__lt"}


def known(*names: str) -> set[str]:
    return {f"{name}__{lookup}" for name in names for lookup in ("exact", "isnull")}


#: All that an address of each list may filter by. Whoever adds a filter adds it here, and thinks of who reads the list.
DECLARED: dict[str, set[str]] = {
    "accounts.company": known("kind"),
    "accounts.membership": known("is_active", "grants__role"),
    "accounts.user": known("is_active"),
    "catalog.assessmenttype": set(),
    "catalog.solution": known("kind", "published", "co_sell_ready", "azure_ip", "biz_apps"),
    "customers.customer": known("managed"),
    "dealreg.marketplacetransaction": {*("state", "date__year", "date__month", "date__day"), *known("source")},
    "dealreg.registration": {"status", "outcome", "reason"},
    "desk.case": set(),
    "desk.commenttemplate": set(),
    "events.event": {"verb", "before", "company__id__exact", "company__isnull", *dates("at")},
    "exceptions_council.exceptionrequest": {"state", "attention", "mine", "age", "partner", *known("kind")},
    "exceptions_council.lettertemplate": set(),
    "isvconnect.feerate": known("tag"),
    "isvconnect.invoice": {"partner", "run", "issued_at__year", "issued_at__month", "issued_at__day", *known("kind")},
    "isvconnect.invoicerun": {"started_at__year", "started_at__month", "started_at__day"},
    "isvconnect.isvdeal": {"state", "next", "partner", "run", "rated", *known("tag")},
    "money.monthlyrate": {
        *("source", "source__isnull", "currency", "currency__isnull"),
        *("month__year", "month__month", "month__day"),
    },
    "notify.notice": {"state", *dates("created_at")},
    "policy.policyversion": set(),
    "referrals.referral": {*known("substatus"), *dates("created_at")},
}
#: Columns that nobody may read in any way.
SECRETS: dict[type[Model], set[str]] = {
    User: {"password"},
    Invite: {"public_id", "token_hash"},
    Session: {"session_key", "session_data"},
}
#: A value for a filter, by how its name ends; else 1.
VALUES = {"__gte": "2026-01-01 00:00Z", "__lt": "2026-02-01 00:00Z", "__isnull": "False", "__year": "2026"}
ADMINS = sorted(site._registry.values(), key=lambda kept: kept.opts.label_lower)


def label(kept: PortalAdmin) -> str:
    return kept.opts.label_lower


def changelist(kept: PortalAdmin) -> str:
    return reverse(f"admin:{kept.opts.app_label}_{kept.opts.model_name}_changelist")


def paths(model: type[Model], depth: int, before: str = "") -> Iterator[tuple[str, Field | None]]:
    """Every column and relation that a query on the model can name, this many relations far."""
    for field in model._meta.get_fields(include_hidden=True):
        yield before + field.name, field if isinstance(field, Field) else None
        if isinstance(field, Field) and field.attname != field.name:
            yield before + field.attname, field
        if field.is_relation and field.related_model and depth:
            yield from paths(field.related_model, depth - 1, f"{before}{field.name}__")


#: Of relations that are no columns of their own.
RELATED = ("exact", "in", "gt", "gte", "lt", "lte", "isnull")


def lookups(kept: PortalAdmin) -> Iterator[str]:
    """Every column and relation, two relations far, with every look-up and transform that is registered for it."""
    yield "pk"
    yield "pk__in"
    for path, field in paths(kept.model, 2):
        yield path
        for lookup in field.get_lookups() if field else RELATED:
            yield f"{path}__{lookup}"


@pytest.fixture
def live(once: Callable[[Callable[[Cast], Live]], Live]) -> Live:
    return once(rows)


def rows(cast: Cast) -> Live:
    """A row at least in each list that an attack reads."""
    live = Live(cast)
    live.in_review()
    exceptions.asked(cast, live.won(customer=exceptions.unmanaged()), now=live.now)
    isv.deal(cast, now=live.ago(3), signed=live.day(-4), start=live.day(-4))
    isv.rates(cast, now=live.now)
    sweeps.issue_due(now=live.now)
    return live


@pytest.fixture
def clients(live: Live) -> dict[str, Client]:
    return {role: live.browser(email) for role, email in ROLES.items()}


Person = tuple[User, Actor]


def person(cast: Cast, role: str) -> Person:
    return cast.users[ROLES[role]], cast.actor(ROLES[role])


def asking(who: Person, **query: str) -> HttpRequest:
    request = RequestFactory().get("/", query)
    request.user, request.actor = who  # type: ignore[attr-defined]
    return request


def test_every_list_is_known_here_and_refuses_by_the_one_rule() -> None:
    assert {label(kept) for kept in ADMINS} == set(DECLARED)
    for kept in ADMINS:
        assert isinstance(kept, PortalAdmin)
        assert type(kept).lookup_allowed is PortalAdmin.lookup_allowed, label(kept)
        assert type(kept).to_field_allowed is PortalAdmin.to_field_allowed, label(kept)
        assert type(kept).get_list_filter is admin.ModelAdmin.get_list_filter, label(kept)


@pytest.mark.parametrize("role", ROLES)
def test_only_declared_filters_are_look_ups(live: Live, role: str) -> None:
    """Every column and relation with every look-up, for every role."""
    tried, request = 0, asking(person(live.cast, role))
    for kept in ADMINS:
        asked = set(lookups(kept))
        allowed = {name for name in asked if kept.lookup_allowed(name, "1", request)}
        assert allowed <= DECLARED[label(kept)], label(kept)
        for name in DECLARED[label(kept)]:
            assert kept.lookup_allowed(name, "1", request), f"{label(kept)}: {name}"
        tried += len(asked)
    assert tried > 20_000


def test_a_refused_look_up_reads_nothing(live: Live, django_assert_num_queries: Any) -> None:
    """The list itself, as Django builds it, with each look-up one relation far: it is refused before any query."""
    manager = person(live.cast, "manager")
    for kept in ADMINS:
        kept.lookup_allowed("pk", "1")  # what is declared is worked out once
        refused = {path for path, _field in paths(kept.model, 1)}
        requests = [asking(manager, **{f"{path}__regex": "^a"}) for path in refused]
        with django_assert_num_queries(0):
            for request in requests:
                with pytest.raises(DisallowedModelAdminLookup):
                    kept.get_changelist_instance(request)


#: As they were found: the list, what it was asked, and what it gave away.
ATTACKS = [
    ("accounts_user", {"email__exact": build.REVIEWER, "password__regex": "^pbkdf2"}),
    ("accounts_user", {"password__startswith": "md5"}),
    ("accounts_user", {"memberships__company__invites__public_id__gte": "0"}),
    ("accounts_membership", {"user__password__regex": "^."}),
    ("accounts_company", {"invites__public_id__startswith": "0"}),
    ("notify_notice", {"link__regex": "^/invite/"}),
    ("notify_notice", {"user__password__regex": "^."}),
    ("notify_notice", {"state": "waiting", "params__contains": "{}"}),
    ("referrals_referral", {"crm_id__startswith": "O"}),
    ("referrals_referral", {"search_text__contains": "a"}),
    ("dealreg_registration", {"status": "all", "referral__crm_id__startswith": "O"}),
    ("dealreg_registration", {"referral__search_text__contains": "a"}),
    ("exceptions_council_exceptionrequest", {"state": "all", "justification__startswith": "a"}),
    ("exceptions_council_exceptionrequest", {"votes__member__password__regex": "^."}),
    ("events_event", {"after__crm_id": '"OPP-1"'}),
    ("events_event", {"actor_user__password__regex": "^."}),
    ("money_monthlyrate", {"month__gte": "2026-01-01"}),
    ("policy_policyversion", {"created_by__password__regex": "^."}),
    ("isvconnect_isvdeal", {"contact_email__startswith": "a"}),
    ("isvconnect_isvdeal", {"submitted_by__password__regex": "^."}),
    ("isvconnect_invoice", {"parties__customer": '"x"'}),
    ("isvconnect_invoice", {"deal__contact_phone__startswith": "+"}),
    ("isvconnect_invoicerun", {"issued__gte": "1"}),
    ("isvconnect_feerate", {"percent__gte": "1"}),
    ("customers_customer", {"search_text__contains": "a"}),
]


@pytest.mark.parametrize("role", ROLES)
def test_what_was_read_by_look_ups_is_refused_over_http(clients: dict[str, Client], role: str) -> None:
    for name, query in ATTACKS:
        page = reverse(f"admin:{name}_changelist")
        assert clients[role].get(page, query).status_code == 400, (name, query)
        disguised = {**query, "_popup": "1", "_to_field": "id", "e": "1", "q": "a", "_facets": "True", "all": ""}
        assert clients[role].get(page, disguised).status_code == 400, (name, query)
    act = {"action": "send_again", "_selected_action": "1"}
    assert clients[role].post(reverse("admin:notify_notice_changelist") + "?link__regex=.", act).status_code == 400


def sample(name: str) -> str:
    return next((value for end, value in VALUES.items() if name.endswith(end)), "1")


@pytest.mark.parametrize("role", ROLES)
def test_every_declared_filter_filters(live: Live, role: str) -> None:
    who = person(live.cast, role)
    for kept in ADMINS:
        for name in DECLARED[label(kept)]:
            found = kept.get_changelist_instance(asking(who, **{name: sample(name)}))
            assert found.has_active_filters or name.startswith(f"{kept.date_hierarchy}__"), (label(kept), name)
    people = site._registry[User]
    active, closed = (people.get_changelist_instance(asking(who, is_active__exact=value)) for value in ("1", "0"))
    assert (active.result_count, closed.result_count) == (User.objects.count(), 0)


def test_every_address_that_a_list_links_to_is_taken(clients: dict[str, Client]) -> None:
    """The choices of its filters, over HTTP."""
    for kept in ADMINS:
        page = parse(clients["manager"].get(changelist(kept), {"_facets": "True"}))
        links = {link.attrs["href"] for link in page.all("a") if link.attrs.get("href", "").startswith("?")}
        assert bool(links) or not DECLARED[label(kept)], label(kept)
        newest = max(links, key=len, default="?")
        assert clients["manager"].get(changelist(kept) + newest).status_code == 200, newest


#: Values that a filter can't mean. The answer is a page, a clear refusal or the list without the filter.
STRANGE = ["", "x", "²", "-1", "9" * 30, "9999", "10000", "0", "9999-12-31 23:59-14:00", "0001-01-01 00:00+14:00"]


def answers(kept: PortalAdmin, request: HttpRequest) -> bool:
    """Whether the list answers; else the look-up is refused clearly. Anything else is a fault."""
    try:
        return kept.get_changelist_instance(request).result_count >= 0
    except (DisallowedModelAdminLookup, IncorrectLookupParameters):
        return False


def test_no_value_of_a_filter_is_a_fault(live: Live) -> None:
    manager = person(live.cast, "manager")
    for kept in ADMINS:
        for name in sorted(DECLARED[label(kept)]):
            for value in STRANGE:
                answers(kept, asking(manager, **{name: value}))
    rates = site._registry[MonthlyRate]
    for year, month, day, taken in (
        ("2026", "1", "31", True),
        ("9998", "12", "31", True),
        ("9999", "12", "31", False),
        ("9998", "13", "1", False),
        ("2026", "2", "30", False),
    ):
        asked = asking(manager, month__year=year, month__month=month, month__day=day)
        assert answers(rates, asked) == taken, year


def test_lists_are_ordered_by_what_they_show(live: Live) -> None:
    """`o` counts columns; there is no order by any other."""
    reviewer = person(live.cast, "reviewer")
    for kept in ADMINS:
        usual = {str(part).lstrip("-") for part in kept.ordering}
        for order in ("password", "-password", "99", "-99.98", "²"):
            found = kept.get_changelist_instance(asking(reviewer, o=order))
            assert {str(part).lstrip("-") for part in found.queryset.query.order_by} - {"pk"} <= usual, label(kept)


def test_nothing_in_the_administration_is_made_of_a_secret() -> None:
    """Neither shown nor searched nor ordered by, in a list, on a page or in rows on it."""
    assert not set(site._registry) & {Invite, Session}
    for kept in ADMINS:
        inlines = [inline for inline in kept.inlines if issubclass(inline, PortalInline)]
        assert inlines == list(kept.inlines)
        assert not {inline.model for inline in inlines} & {Invite, Session}
        named = {*kept.search_fields, *kept.ordering, *map(str, kept.list_display), *kept.list_filter}
        orders = {getattr(shown, "admin_order_field", "") for shown in kept.list_display}
        for model, columns in SECRETS.items():
            assert not columns & {str(name).split("__")[-1] for name in named | orders}, (label(kept), model)
            assert kept.model is not model or not columns & set(kept.fields or ())


def test_rows_are_named_by_their_number_only(clients: dict[str, Client], live: Live) -> None:
    """`_to_field` finds or shows a row by another column."""
    person = live.cast.users[build.REVIEWER]
    pages = [reverse("admin:accounts_user_changelist"), reverse("admin:accounts_user_change", args=[person.pk])]
    for client in clients.values():
        for page in pages:
            for column in ("password", "email", "last_login", "memberships", "nothing"):
                for query in ({"_to_field": column}, {"_to_field": column, "_popup": "1"}):
                    assert client.get(page, query).status_code == 400, (page, query)
            assert client.get(page, {"_to_field": "id", "_popup": "1"}).status_code == 200


def test_autocompletion_is_for_the_fields_that_declare_it(clients: dict[str, Client]) -> None:
    """Numbers and names of what the lists show anyway; no look-up beside the term."""
    address, person = reverse("admin:autocomplete"), {"app_label": "accounts", "model_name": "membership"}
    for role, client in clients.items():
        found = client.get(address, {**person, "field_name": "user", "term": "reviewer@", "password__regex": "^no"})
        assert found.status_code == 200, role
        assert [set(row) for row in found.json()["results"]] == [{"id", "text"}]
        for asked in (
            {"app_label": "accounts", "model_name": "invite", "field_name": "company"},
            {"app_label": "accounts", "model_name": "user", "field_name": "memberships"},
            {"app_label": "notify", "model_name": "notice", "field_name": "user"},
            {"app_label": "sessions", "model_name": "session", "field_name": "session_key"},
            {**person, "field_name": "password"},
            {},
        ):
            assert client.get(address, {"term": "a", **asked}).status_code == 403, (role, asked)


def test_no_address_asks_for_rows_of_any_kind_by_number(clients: dict[str, Client]) -> None:
    """Django's *view on site* tells whether a row exists, of every model; nothing here needs it."""
    with pytest.raises(NoReverseMatch):
        reverse("admin:view_on_site", args=[1, 1])
    assert {client.get("/admin/r/1/1/").status_code for client in clients.values()} == {404}


#: Pages of the portal itself that take something from their address, with what they take.
PAGES = {
    "deals": {"q": "fırın", "sort": "-value"},
    "exceptions": {"q": "fırın", "sort": "-due"},
    "isv_deals": {"q": "fırın", "sort": "-value"},
    "insights": {"period": "3"},
    "search": {"q": "con"},
    "notices": {"after": "1"},
    "people": {"before": ""},
}
LOOK_UPS = {
    "crm_id__startswith": "X", "search_text__contains": "X", "company__name": "X", "user__password__regex": "^X",
    "team__email__contains": "X", "id__in": "0", "order_by": "password", "notes__body__contains": "X",
}  # fmt: skip


def test_the_portal_s_own_lists_take_no_look_ups(live: Live) -> None:
    """A column in the address changes nothing of what a page finds."""
    for email in (build.CONTOSO, "admin@contoso.example", build.SELLER):
        client = live.browser(email)
        for name, query in PAGES.items():
            plain = client.get(reverse(name), query)
            asked = client.get(reverse(name), {**query, **LOOK_UPS})
            assert asked.status_code == plain.status_code, (email, name)
            if plain.status_code == 200:
                assert parse(asked).one("main").text == parse(plain).one("main").text, (email, name)


#: Where a query's columns are not written out in its call: none of them comes from a request.
WRITTEN_ELSEWHERE = {
    "portal/pages/services/exports.py": "the person's own rows",
    "referrals/selectors/figures.py": "the figures' own columns",
    "referrals/services/favorites.py": "the person's own rows",
    "portal/bulk.py": "every column of a model",
    "portal/notify/reminders.py": "the path that a model names",
    "portal/pages/home/steps.py": "the conditions of the steps, none of them given by anybody",
    "portal/ui/deadlines.py": "the column that a kind names",
    "isvconnect/verbs/writing.py": "the columns of an invoice's parties",
    "portal/ui/listing/filters.py": "the filter's own column",
    "portal/ui/listing/left.py": "the person's own rows",
    "portal/pages/views_uploads.py": "the column of a row's fate",
    "portal/api/odata/fields.py": "the column by which a field's rows are linked",
    "portal/api/odata/orders.py": "the columns that a resource declares for sorting",
    "portal/api/views.py": "no query: the library's own view",
}
#: Columns written out once, beside the query: COLUMNS, Sale._fields.
CONSTANT = re.compile(r"(^|\.)(_?[A-Z][A-Z_]*|_fields)$")


def test_queries_name_their_columns() -> None:
    """`filter(**given)` would let whoever gives it ask for any column."""
    asking = re.compile(r"\.(filter|exclude|get|order_by|values|values_list)$|^Q$")
    found = {
        place.partition(":")[0]
        for place, call in nodes(CODE, ast.Call)
        if asking.search(dotted(call.func))
        and (any(not word.arg for word in call.keywords) or any(_is_computed(arg) for arg in call.args))
    }
    assert found == set(WRITTEN_ELSEWHERE)


def _is_computed(arg: ast.expr) -> bool:
    return isinstance(arg, ast.Starred) and not CONSTANT.search(dotted(arg.value))
