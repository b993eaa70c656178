"""Carries out a write by the verbs that pages use, all of it or nothing (wire.md, PATCH)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, replace
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from rest_framework import serializers

from portal import once
from portal.accounts.rules import Actor
from portal.customers.rules import fold
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, RuleViolation
from portal.workflow.verbs import Verb
from referrals import rules, verbs
from referrals.api import finding, inputs, resolving, wire
from referrals.api.parts import PATCH_ROOTS
from referrals.api.patch import Wanted
from referrals.models import Referral
from referrals.policies import may_change
from referrals.rules import sharing
from referrals.selectors import participants
from referrals.selectors.notes import readable
from referrals.services import stage_names

STATUS_OF = {"Received": "New", "Accepted": "Active", **dict.fromkeys(rules.TERMINAL, "Closed")}


def as_writer(actor: Actor, values: Mapping[str, Any]) -> Actor:
    """The actor with what the client says of this write: by these a connector knows its own echo (F9)."""
    return replace(actor, via=values.get("lastModifiedVia") or actor.via, run_id=values.get("lastRunId") or "")


@transaction.atomic
@once.scope()
def change(public_id: str, wanted: Wanted, *, actor: Actor, now: datetime, expected_version: int | None) -> int:
    """Write what is wanted of a referral and return its primary key. Values that are so already change nothing.

    Raises Http404, PermissionDenied, Stale, and RuleViolation with all that is refused; then nothing is written.
    """
    record = finding.locked(public_id, actor)
    if not may_change(actor, record):
        raise PermissionDenied
    workflow.check_version(record, expected_version)
    _Writing(record, wanted, as_writer(actor, wanted.values), now).run()
    return record.pk


class _Writing:
    """The steps of one write, each a verb; each sees the deal as the step before left it."""

    def __init__(self, record: Referral, wanted: Wanted, actor: Actor, now: datetime) -> None:
        self.record, self.wanted, self.actor, self.now = record, wanted, actor, now
        self.values = wanted.values
        self.untouched = True
        self.named: resolving.Named | None = None
        self.blockers: list[Blocker] = []

    def run(self) -> None:
        ending = self._target()
        steps = [self._sections, self._stage, self._share, self._note]
        if ending == rules.ACCEPTED:
            steps.insert(0, self._accept)
        elif ending is not None:
            steps.append(lambda: self._end(ending))
        for step in [*steps, self._roots]:
            try:
                step()
            except RuleViolation as refused:
                self.blockers += [blocker for blocker in refused.blockers if blocker not in self.blockers]
                if step == self._accept:  # what follows would only say that the deal isn't accepted
                    break
        if self.blockers:
            raise RuleViolation(self.blockers)

    def _run(self, verb: Verb[Referral, Any], given: Any = None) -> None:
        run = workflow.run_on_locked if self.untouched else workflow.run
        self.record = run(self.record, verb, given, actor=self.actor, now=self.now)
        self.untouched = False

    # The status (F1.8)

    def _target(self) -> str | None:
        """The substatus to reach; None if nothing is said, or the deal is there. Raises ValidationError."""
        status, substatus = (_text_given(self.values.get(name)) for name in ("status", "substatus"))
        held = self.record.substatus
        wanted = {"Pending": rules.RECEIVED}.get(substatus or "", substatus)
        if wanted is None and status is not None:
            if STATUS_OF[held] == status:
                return None
            wanted = {"New": rules.RECEIVED, "Active": rules.ACCEPTED}.get(status)
            if wanted is None:
                raise serializers.ValidationError({"substatus": "Say how it was closed: Won, Lost, Declined or Error."})
        elif wanted is not None and status not in (None, STATUS_OF[wanted]):
            raise serializers.ValidationError({"substatus": f"{substatus} is no substatus of {status}."})
        if wanted == rules.RECEIVED and held != wanted:
            raise RuleViolation([workflow.wrong_state(rules.SUBSTATUSES[held])])
        return None if wanted == held else wanted

    def _accept(self) -> None:
        """With name, value and date as received: Microsoft's API asks for no more (REF-12)."""
        held = self.record
        terms = verbs.Acceptance(
            held.name, held.money, held.close_date, held.crm_id, held.campaign_id, team=self._team()
        )
        self._run(verbs.ACCEPT, terms)

    def _end(self, substatus: str) -> None:
        if substatus == rules.WON:
            self._run(verbs.WIN, verbs.Signing())
        elif substatus == rules.EXPIRED:
            self._run(verbs.EXPIRE)
        else:
            reason = wire.read_reason(self.values.get("statusReason"), error=substatus == rules.ERROR)
            self._run(CLOSING[substatus], verbs.Reason(*reason))

    # The sections (REF-21)

    def _sections(self) -> None:
        """Solutions, details, team and contact: every refusal of all four."""
        refused: list[Blocker] = []
        for section in (self._edit_solutions, self._edit_details, self._edit_team, self._edit_contact):
            try:
                section()
            except RuleViolation as violation:
                refused += violation.blockers
        if refused:
            raise RuleViolation(refused)

    def _edit_solutions(self) -> None:
        self.named = self._named_solutions()
        if self.named is not None and set(self.named.solutions) != set(verbs.copies.held_solutions(self.record)):
            self._run(verbs.EDIT_SOLUTIONS, verbs.Solutions(tuple(self.named.solutions)))

    def _edit_details(self) -> None:
        held = verbs.details_of(self.record)
        extras = self._extras()
        wanted = replace(held, **self._details(), extras=None if extras == self.record.wire_extras else extras)
        if wanted == held:
            return
        own = verbs.References(wanted.crm_id, wanted.campaign_id)
        only_own = wanted == replace(held, crm_id=own.crm_id, campaign_id=own.campaign_id)
        if only_own and self.record.substatus == rules.RECEIVED:
            self._run(verbs.SET_REFERENCES, own)
        else:
            self._run(verbs.EDIT_DETAILS, wanted)

    def _details(self) -> dict[str, Any]:
        found = {name: self.values[path] for path, name in DETAILS.items() if path in self.values}
        if "currency" in found:
            found["currency"] = found["currency"].upper()
        for intent in wire.intents(self.values.get(ATTRIBUTES, ())):
            found["marketplace_intent"] = intent
        return found

    def _named_solutions(self) -> resolving.Named | None:
        path = "details/requirements/solutions"
        if not self.wanted.says(path):
            return None
        held = [{"id": solution.code, **self.record.wire_extras.get(wire.TAGS, {}).get(solution.code, {})}
                for solution in verbs.copies.held_solutions(self.record)]  # fmt: skip
        held += self.record.wire_extras.get(wire.CATEGORIES, [])
        return resolving.solutions(self.wanted.list(path, held))

    def _extras(self) -> dict[str, Any]:
        found = {path: self.values[path] for path in wire.KEPT if path in self.values}
        if self.named is not None:
            found |= self.named.kept
        if ATTRIBUTES in self.values:
            found[wire.ATTRIBUTES] = [a for a in self.values[ATTRIBUTES] if a["type"] != wire.INTENT_TYPE]
        if self.wanted.says(CUSTOMER_TEAM):
            contacts = self.wanted.list(CUSTOMER_TEAM, self._held_contacts())
            found[wire.CONTACTS] = [wire.person(*wire.parts(contact)) for contact in contacts[1:]]
        return kept(found, self.record.wire_extras)

    def _team(self) -> tuple[rules.Member, ...] | None:
        """The team that shall be; None where nothing is said of it."""
        if not self.wanted.says("team"):
            return None
        held = [] if "team" in self.values else [wire.member(member) for member in self.record.team.all()]
        return tuple(inputs.member(given) for given in self.wanted.list("team", held))

    def _edit_team(self) -> None:
        team = self._team()
        if team is not None and sorted(map(astuple, team)) != sorted(map(_person, self.record.team.all())):
            self._run(verbs.EDIT_TEAM, verbs.Team(team))

    # The rest

    def _stage(self) -> None:
        given = _text_given(self.values.get("salesStage"))
        if given is None or fold(given) == fold(wire.STAGES.get(self.record.stage, "")):
            return
        if fold(given).strip("% ") == str(rules.WON_STAGE) and self._wins():
            return
        stage = stage_names.stage_of(self.record.company, given)
        if stage != self.record.stage:
            self._run(verbs.SET_STAGE, verbs.Stage(stage))

    def _wins(self) -> bool:
        return rules.WON in (self.values.get("substatus"), self.record.substatus)

    def _share(self) -> None:
        wanted = self.values.get("consent/consentToShareReferralWithMicrosoftSellers")
        if wanted is False and self.record.vendor_may_view:
            raise RuleViolation(sharing.sharing_blockers(inbound=False, vendor_may_view=True))
        if wanted and not self.record.vendor_may_view:
            self._run(verbs.SHARE_WITH_VENDOR)

    def _note(self) -> None:
        text = _text_given(self.values.get("details/notes"))
        if text is None:
            return
        copies = participants.others(self.record, self.actor)
        newest = readable(self.record, self.actor, copies).filter(shared=True).values_list("text", flat=True).first()
        if text.strip() != newest:
            self._run(verbs.ADD_NOTE, verbs.NewNote(text))

    def _held_contacts(self) -> list[dict[str, Any]]:
        engagement = self.record.engagement
        first = wire.contact(engagement.contact_name, engagement.contact_phone, engagement.contact_email)
        return [first, *self.record.wire_extras.get(wire.CONTACTS, [])] if engagement.contact_email else []

    def _edit_contact(self) -> None:
        contacts = self.wanted.list(CUSTOMER_TEAM, self._held_contacts())
        if not contacts or not self.wanted.says(CUSTOMER_TEAM):
            return
        held = verbs.copies.contact_of(self.record.engagement)
        contact = contact_of(contacts[0], consent=held.consent)
        if contact != held:
            self._run(verbs.EDIT_CONTACT, contact)

    def _roots(self) -> None:
        refused: list[Blocker] = []
        for root, operations in self.wanted.roots.items():
            try:
                PATCH_ROOTS[root](self.record, operations, self.actor, self.now)
            except RuleViolation as violation:
                refused += violation.blockers
        if refused:
            raise RuleViolation(refused)


CLOSING = {rules.LOST: verbs.LOSE, rules.DECLINED: verbs.DECLINE, rules.ERROR: verbs.CLOSE_AS_ERROR}
ATTRIBUTES = "details/requirements/additionalRequirements/attributes"
CUSTOMER_TEAM = "customerProfile/team"
#: The details by their paths.
DETAILS = {
    "name": "name",
    "details/dealValue": "value",
    "details/currency": "currency",
    "details/closingDateTime": "close_date",
    "externalReferenceId": "crm_id",
    "campaignId": "campaign_id",
}


def _text_given(value: Any) -> str | None:
    """The text that was given; nothing, an empty text and `None` say nothing."""
    return None if value in (None, "", "None") else str(value)


def kept(found: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept after a write: of what says nothing beyond what stands there without, nothing."""
    merged = {**held, **found}
    return {name: value for name, value in merged.items() if value != wire.KEPT.get(name) and value not in ([], {})}


def _person(held: Any) -> tuple[str, ...]:
    return held.first_name, held.last_name, held.phone, held.email, held.title


def contact_of(given: Mapping[str, Any], *, consent: bool = False) -> rules.Contact:
    """The customer's contact of a Member."""
    member = inputs.member(given)
    return rules.Contact(f"{member.first_name} {member.last_name}".strip(), member.phone, member.email, consent)
