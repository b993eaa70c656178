"""Which tags a solution may bear (F6.9, ELIG-5, ISV-1). No Django."""

from __future__ import annotations

from dataclasses import dataclass

IP = "ip"
SERVICE = "service"
PRODUCT = "product"

NO_BIZ_APPS = ""
STANDARD = "standard"
PREMIUM = "premium"


def _(message: str) -> str:
    """Mark a message for translation; the edge that shows it translates it."""
    return message


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


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a set of tags; `message` is a msgid."""

    code: str
    message: str
    field: str


def faults_of(kind: str, tags: Tags) -> list[Fault]:
    """Everything that keeps a solution of this kind from bearing these tags together (F6.9)."""
    faults = []
    if tags.azure_ip and kind != IP:
        message = _("Only an IP solution can be Azure IP co-sell eligible.")
        faults.append(Fault("azure_ip_needs_ip", message, "azure_ip"))
    if tags.azure_ip and not tags.co_sell_ready:
        message = _("Only a co-sell ready solution can be Azure IP co-sell eligible.")
        faults.append(Fault("azure_ip_needs_ready", message, "azure_ip"))
    if tags.biz_apps not in (NO_BIZ_APPS, STANDARD, PREMIUM):
        faults.append(Fault("biz_apps_unknown", _("The tag is standard, premium or none."), "biz_apps"))
    return faults
