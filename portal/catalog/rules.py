"""Which tags a solution may bear (F6.9, ELIG-5, ISV-1). No Django."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from portal.workflow.blockers import Blocker, _

IP = "ip"
SERVICE = "service"
PRODUCT = "product"

NO_BIZ_APPS = ""
STANDARD = "standard"
PREMIUM = "premium"


@dataclass(frozen=True)
class Tags:
    """What the programme says of a solution.

    `published`: in the market. `co_sell_ready`: may be co-sold. `azure_ip`: Azure IP co-sell eligible (ELIG-5).
    `biz_apps`: Business Applications incentive, none, standard or premium (ISV-1).
    """

    published: bool = False
    co_sell_ready: bool = False
    azure_ip: bool = False
    biz_apps: str = NO_BIZ_APPS


#: What decisions about a solution rest on.
SETTLES = ("code", "publisher", "kind")

CODE_TAKEN = Blocker("solution_code_taken", _("Another solution has this id already."), "REF-8", "code")


def settled_blockers(settled: int, changed: Iterable[str]) -> Iterator[Blocker]:
    """What a solution is stays, once something was decided or issued about it (FLOW-7)."""
    message = _(
        "It stays: registrations were decided or invoices issued about this solution as it is (%(count)s in all)."
    )
    for name in changed:
        if settled and name in SETTLES:
            yield Blocker("solution_settled", message, "FLOW-7", name, {"count": settled})


def tag_blockers(kind: str, tags: Tags) -> list[Blocker]:
    """Everything that keeps a solution of this kind from bearing these tags together (F6.9)."""
    blockers = []
    if tags.azure_ip and kind != IP:
        message = _("Only an IP solution can be Azure IP co-sell eligible.")
        blockers.append(Blocker("azure_ip_needs_ip", message, rule="ELIG-5", field="azure_ip"))
    if tags.azure_ip and not tags.co_sell_ready:
        message = _("Only a co-sell ready solution can be Azure IP co-sell eligible.")
        blockers.append(Blocker("azure_ip_needs_ready", message, rule="ELIG-5", field="azure_ip"))
    if tags.co_sell_ready and not tags.published:
        message = _("Only a solution in the market can be co-sell ready: tick “in the market” as well, or neither.")
        blockers.append(Blocker("ready_needs_market", message, rule="ORG-5", field="co_sell_ready"))
    if tags.biz_apps not in (NO_BIZ_APPS, STANDARD, PREMIUM):
        message = _("The tag is standard, premium or none.")
        blockers.append(Blocker("biz_apps_unknown", message, rule="ISV-1", field="biz_apps"))
    return blockers
