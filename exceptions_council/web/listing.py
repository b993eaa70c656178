"""The list of requests: filters, search, pages by key, and the file of what is listed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext

from exceptions_council.models import ExceptionRequest, ExceptionRequestQuerySet
from exceptions_council.rules import states
from portal import paging
from portal.accounts.rules import Actor
from portal.params import whole_number
from portal.workflow import text
from portal.workflow.blockers import _
from referrals.models import Referral
from referrals.selectors import search

SIZE = 50
#: Rows of a file; a company asks once for each deal.
MAX_FILE = 10_000
MAX_COUNTED = 1_000
#: The filters by name: their label, and what can be chosen.
FILTERS = {"status": (_("Status"), states.STATES), "kind": (_("Kind"), states.KINDS)}
#: The tabs by name, with the states they stand for.
TABS = {"": _("All"), "open": _("Open"), "decided": _("Decided")}


@dataclass(frozen=True)
class ListQuery:
    """What an address of the list asks for; what can't be meant is left out. `after`: a row's key."""

    tab: str = ""
    query: str = ""
    chosen: dict[str, tuple[str, ...]] = field(default_factory=dict)
    after: int | None = None

    @classmethod
    def of(cls, params: QueryDict) -> ListQuery:
        chosen = {
            name: tuple(c for c in known if c in params.getlist(name)) for name, (_label, known) in FILTERS.items()
        }
        tab = params.get("tab", "")
        return cls(
            tab if tab in TABS else "",
            params.get("q", "").strip()[: search.MAX_QUERY],
            {name: codes for name, codes in chosen.items() if codes},
            whole_number(params.get("after")),
        )

    def address(self, **changes: object) -> str:
        """The address of this query with some changes, from the top of the list unless `after` is given."""
        changed = replace(self, **{"after": None, **changes})  # type: ignore[arg-type]
        given = [("tab", changed.tab), ("q", changed.query), ("after", changed.after)]
        pairs = [(name, value) for name, value in given if value]
        return "?" + urlencode([*pairs, *((name, c) for name, codes in changed.chosen.items() for c in codes)])

    @property
    def is_narrowed(self) -> bool:
        return bool(self.query or self.chosen)


def of_actor(actor: Actor) -> ExceptionRequestQuerySet:
    """Those of the company's own deals; of the vendor's people, who decides or reads sees all (EXC-10)."""
    found = ExceptionRequest.objects.visible_to(actor)
    return found if actor.is_vendor else found.filter(referral__company_id=actor.own_company_id)


def listed(actor: Actor, asked: ListQuery) -> ExceptionRequestQuerySet:
    """What search and filters find, in any tab."""
    rows = of_actor(actor)
    if search.is_long_enough(asked.query):
        found = search.matching(asked.query, actor=actor)
        deals = Referral.objects.filter(found, pk__in=rows.values("referral"))
        rows = rows.filter(referral__in=deals)
    for name, codes in asked.chosen.items():
        rows = rows.filter(**{f"{name}__in": codes})
    return rows


def of_tab(rows: ExceptionRequestQuerySet, tab: str) -> ExceptionRequestQuerySet:
    return {"open": rows.open, "decided": rows.decided}.get(tab, rows.all)()


def page(actor: Actor, asked: ListQuery) -> tuple[list[ExceptionRequest], str]:
    """One page, the newest first, and the address of the next one."""
    rows = of_tab(listed(actor, asked), asked.tab).with_context()
    items, last = paging.newest(rows, "created_at", after=asked.after, limit=SIZE)
    return items, asked.address(after=last) if last else ""


def tabs(actor: Actor, asked: ListQuery) -> list[dict[str, object]]:
    rows = listed(actor, asked)
    counts = {tab: of_tab(rows, tab).order_by()[: MAX_COUNTED + 1].count() for tab in TABS}
    return [
        {
            "label": gettext(label),
            "url": asked.address(tab=tab),
            "count": min(counts[tab], MAX_COUNTED),
            "and_more": counts[tab] > MAX_COUNTED,
            "active": tab == asked.tab,
        }
        for tab, label in TABS.items()
    ]


def menus(asked: ListQuery) -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "label": gettext(label),
            "active": name in asked.chosen,
            "choices": [(code, gettext(said), code in asked.chosen.get(name, ())) for code, said in known.items()],
        }
        for name, (label, known) in FILTERS.items()
    ]


def active(asked: ListQuery) -> list[dict[str, str]]:
    """The filters in force, each with the address without it."""
    return [
        {
            "label": gettext(FILTERS[name][0]),
            "summary": ", ".join(gettext(FILTERS[name][1][code]) for code in codes),
            "url": asked.address(chosen={n: c for n, c in asked.chosen.items() if n != name}),
        }
        for name, codes in asked.chosen.items()
    ]


def table(requests: Iterable[ExceptionRequest]) -> tuple[Sequence[str], list[Sequence[object]]]:
    """The file: a line for each request, in the reader's language."""
    heads = [
        *(_("Deal id"), _("Deal name"), _("Customer"), _("Company"), _("Kind"), _("Status"), _("Requested (UTC)")),
        *(_("Due"), _("Decided (UTC)"), _("Open until")),
    ]
    return [text.phrase(head) for head in heads], [_line(request) for request in requests]


def _line(request: ExceptionRequest) -> list[object]:
    deal = request.referral
    open_until: date | None = request.open_until
    return [
        *(str(deal.public_id), deal.name, deal.engagement.customer.name, deal.company.name),
        *(request.get_kind_display(), request.get_status_display(), request.created_at),
        *(request.due_on, request.decided_at, open_until),
    ]
