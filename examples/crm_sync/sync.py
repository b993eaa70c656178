"""Keeps both sides equal: field by field, against the values on which they last agreed.

Whoever changed a field since then wins; if both did, the portal. Nothing is written where nothing differs, so the echo
of one's own change ends by itself. Each step may be repeated or cut off anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from examples.crm_sync.crm import FIELDS, REFUSED, Crm, Opportunity
from examples.crm_sync.portal import Changed, Portal, Refused

#: How each field is changed in the portal. The end of a deal is two operations that land together.
PATHS = {
    "value": "/details/dealValue",
    "currency": "/details/currency",
    "close": "/details/closingDateTime",
    "campaign": "/campaignId",
    "stage": "/salesStage",
}
ENDINGS = {"won": "Won", "lost": "Lost"}


class Sync:
    """One company's CRM and its deals."""

    def __init__(self, crm: Crm, portal: Portal, template: Mapping[str, Any]) -> None:
        """`template`: what the portal needs to create a deal and the CRM doesn't know (customer, solutions, team)."""
        self.crm, self.portal, self.template = crm, portal, template

    def run_once(self) -> int:
        """Catch up in both directions; returns how much there was to do."""
        return self.read_feed() + self.read_inbox() + self.push()

    def read_feed(self) -> int:
        """Note every deal that changed since the stored place. Webhooks only make this sooner."""
        count = 0
        while True:
            page = self.portal.events(self.crm.place("feed"))
            own = [item for item in page["value"] if item["resourceName"] == "referral" and not item["related"]]
            more = page.get("@odata.nextLink")
            with self.crm.transaction():
                self.crm.note([str(item["resourceId"]) for item in own])
                self.crm.remember("feed", more or page["@odata.deltaLink"])
            count += len(own)
            if not more:
                return count

    def read_inbox(self) -> int:
        """Take over what changed in the portal."""
        waiting = self.crm.inbox()
        for referral, seen in waiting:
            found = self.portal.read(referral)
            with self.crm.transaction():
                if found is not None and found["organizationId"] == self.template["organizationId"]:
                    self._take(found)
                self.crm.done(referral, seen)
        return len(waiting)

    def push(self) -> int:
        """Bring what changed in the CRM to the portal."""
        waiting = self.crm.to_push()
        for opportunity in waiting:
            try:
                found, sent = self._send(opportunity)
            except Changed:
                self._again(opportunity)
                continue
            except Refused as refused:
                self._refused(opportunity, str(refused))
                continue
            with self.crm.transaction():
                self._take(found, sent)
        return len(waiting)

    def _send(self, opportunity: Opportunity) -> tuple[dict[str, Any], Mapping[str, str]]:
        """The deal as the portal has it afterwards, and the values that were sent."""
        if opportunity.referral is None:
            values = self.crm.begin(opportunity)
            return self.portal.create(self._new(opportunity, values), opportunity.key), values
        changes = operations(opportunity.changes)
        return self.portal.patch(opportunity.referral, changes, opportunity.etag), opportunity.mine

    def _new(self, opportunity: Opportunity, mine: Mapping[str, str]) -> dict[str, Any]:
        details = {
            **self.template["details"],
            "dealValue": mine["value"],
            "currency": mine["currency"],
            "closingDateTime": f"{mine['close']}T00:00:00Z",
        }
        own = {
            "name": opportunity.name,
            "externalReferenceId": str(opportunity.id),
            "campaignId": mine["campaign"],
            "details": details,
        }
        known = {name: value for name, value in self.template.items() if name != "organizationId"}
        return {**known, **own}

    def _take(self, referral: Mapping[str, Any], sent: Mapping[str, str] | None = None) -> None:
        """Merge the portal's values into the CRM's; `sent`: those that were just pushed."""
        theirs = values_of(referral)
        known = self.crm.with_referral(str(referral["id"])) or self._created_here(referral)
        if known is None:
            opportunity, mine = self.crm.add(str(referral["name"]), theirs), theirs
        else:
            base = {**known.base, **(sent or {})}
            opportunity, mine = known.id, merged(known.mine, base, theirs)
        self.crm.agree(opportunity, str(referral["id"]), str(referral["eTag"]), base=theirs, mine=mine)

    def _created_here(self, referral: Mapping[str, Any]) -> Opportunity | None:
        """The opportunity that the deal was made from, if the answer to its creation got lost."""
        own = str(referral["externalReferenceId"] or "")
        return next((o for o in self.crm.opportunities() if o.referral is None and str(o.id) == own), None)

    def _again(self, opportunity: Opportunity) -> None:
        with self.crm.transaction():
            self.crm.note([str(opportunity.referral)])

    def _refused(self, opportunity: Opportunity, why: str) -> None:
        """The portal's values stand; a person reads why."""
        with self.crm.transaction():
            self.crm.refuse(opportunity.id, opportunity.changes, why)
            self.crm.change(opportunity.id, dict(opportunity.base) or {"status": REFUSED})


def merged(mine: Mapping[str, str], base: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, str]:
    """The CRM's values with the portal's changes in them; where both changed a field, the portal's."""
    return {name: mine[name] if theirs[name] == base.get(name) else theirs[name] for name in FIELDS}


def values_of(referral: Mapping[str, Any]) -> dict[str, str]:
    """What both sides keep equal, as the CRM writes it."""
    details = referral["details"]
    endings = {token: ending for ending, token in ENDINGS.items()}
    return {
        "value": f"{Decimal(str(details['dealValue'])):.2f}",
        "currency": details["currency"],
        "close": details["closingDateTime"][:10],
        "campaign": referral["campaignId"] or "",
        "stage": referral["salesStage"] or "",
        "status": endings.get(referral["substatus"], "open" if referral["status"] != "Closed" else "closed"),
    }


def operations(changes: Mapping[str, str]) -> list[dict[str, Any]]:
    """The JSON Patch for what changed in the CRM."""
    found: list[dict[str, Any]] = []
    for name, value in changes.items():
        if name in PATHS:
            sent = f"{value}T00:00:00Z" if name == "close" else value
            found.append({"op": "replace", "path": PATHS[name], "value": sent})
    if (ending := ENDINGS.get(changes.get("status", ""))) is not None:
        found.append({"op": "replace", "path": "/status", "value": "Closed"})
        found.append({"op": "replace", "path": "/substatus", "value": ending})
    return found
