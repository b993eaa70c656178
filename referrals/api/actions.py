"""What can be done to a referral, its timeline, its notes, and its star (wire.md)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.accounts.models import Company
from portal.api import rules as scopes
from portal.api.http.actions import ActionsEndpoint, reads
from portal.api.http.binding import bind
from portal.api.http.endpoint import Endpoint, collection
from portal.api.http.errors import ApiError
from portal.api.http.etags import expected_version
from portal.api.http.json import instant
from portal.catalog.models import Solution
from portal.params import whole_number
from portal.workflow import services as workflow
from portal.workflow import timeline
from portal.workflow.blockers import RuleViolation
from portal.workflow.verbs import Verb
from referrals import rules, verbs
from referrals.api import finding, inputs, representation, resolving, schema, wire, writing
from referrals.models import Note, Referral
from referrals.rules import sharing
from referrals.selectors import history, notes, participants
from referrals.services import favorites, stage_names
from referrals.timeline import stages_of

MAX_NOTES = 100


class ContactInput(inputs.MemberInput):
    """The customer's contact, and whether they agreed that the vendor gets these details (REF-5)."""

    consent = serializers.BooleanField(required=False, default=False)


def _solutions(given: Iterable[Mapping[str, Any]]) -> Sequence[Solution]:
    return resolving.solutions(given).solutions


def _partner(given: str) -> Company:
    """A partner by one of its partner ids, or by the id that the API gives out."""
    partners = Company.objects.partners()
    found = partners.filter(locations__mpn_id=given).first()
    if found is None:
        try:
            found = partners.filter(public_id=uuid.UUID(given)).first()
        except ValueError:
            found = None
    if found is None:
        raise RuleViolation([sharing.UNKNOWN_PARTNER])
    return found


reads(Sequence[rules.Member], lambda **given: inputs.MemberInput(many=True, **given), lambda given: [
    inputs.member(one) for one in given
])  # fmt: skip
reads(Sequence[Solution], lambda **given: inputs.SolutionTagInput(many=True, **given), _solutions)
reads(Company, lambda **given: inputs.Text(**{**given, "default": serializers.empty}), _partner)
reads(rules.Contact, ContactInput, lambda given: writing.contact_of(given, consent=given["consent"]))


class _Stage(serializers.Serializer[Any]):
    stage = inputs.Text(required=True, default=serializers.empty)


class Actions(ActionsEndpoint):
    """The actions on a referral: accept, decline, win, lose, closeAsError, setStage, invitePartner, and so on."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": scopes.READ, "POST": scopes.WRITE}
    context = wire.url("v1.0/$metadata#Actions")
    answers: ClassVar[Mapping[str, Any]] = {"GET": schema.PAGE, "POST": schema.ReferralShape}

    def record(self, id: str) -> Referral:
        return finding.referral(id, self.actor)

    def read(self, verb: Verb[Any, Any], record: Referral, data: Mapping[str, Any]) -> Any:
        if verb is verbs.SET_STAGE:  # also by name (REF-16)
            return verbs.Stage(stage_names.stage_of(record.company, bind(_Stage, data)["stage"]))
        if verb is verbs.EDIT_CONTACT:
            given = bind(ContactInput, data)
            return writing.contact_of(given, consent=given["consent"])
        return super().read(verb, record, data)

    def answer(self, record: Referral) -> Response:
        return representation.answer(record.pk, self.actor)


class Timeline(Endpoint):
    """What happened to the deal, newest first; `group` chooses a kind, `before` goes on."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": scopes.READ}
    answers: ClassVar[Mapping[str, Any]] = {"GET": schema.PAGE}

    def get(self, request: Request, id: str) -> Response:
        deal = finding.referral(id, self.actor)
        found = history.events_of(deal, self.actor, participants.others(deal, self.actor))
        group = request.query_params.get("group", "")
        if group and group not in timeline.GROUPS:
            raise ApiError(400, f"There are the groups {', '.join(timeline.GROUPS)}.", target="group")
        shown = found.filter(verb__in=timeline.verbs(group)) if group else found
        before = whole_number(request.query_params.get("before"))
        own = stage_names.of_company(deal.company_id) if deal.company_id == self.actor.company_id else {}
        entries, more = timeline.page(shown, before=before, also=stages_of(deal, own))
        query = f"?group={group}&before={more}" if group else f"?before={more}"
        items = [_entry(entry) for entry in entries]
        address = wire.url(f"{wire.COLLECTION}/{deal.public_id}/timeline")
        return collection(
            items, context=wire.url("v1.0/$metadata#Timeline"), next_link=address + query if more else None
        )


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "dateTime": instant(entry["at"]),
        "event": entry["verb"],
        "text": entry["text"],
        "by": entry["who"],
        "comment": entry["comment"] or None,
        "reasons": entry["reasons"],
    }


class NoteInput(serializers.Serializer[Any]):
    """A new note: for everybody who takes part in the deal, or for the own company only (REF-23)."""

    text = inputs.Text(required=True, default=serializers.empty)
    shared = serializers.BooleanField(required=False, default=True)


class Notes(Endpoint):
    """The notes of a deal, newest first (REF-23)."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": scopes.READ, "POST": scopes.WRITE}
    bodies: ClassVar[Mapping[str, Any]] = {"POST": NoteInput}
    answers: ClassVar[Mapping[str, Any]] = {"GET": schema.PAGE, "POST": {201: schema.NoteShape}}

    def get(self, request: Request, id: str) -> Response:
        deal = finding.referral(id, self.actor)
        found = notes.readable(deal, self.actor, participants.others(deal, self.actor))[:MAX_NOTES]
        return collection([_note(note) for note in found], context=wire.url("v1.0/$metadata#Notes"))

    def post(self, request: Request, id: str) -> Response:
        deal, given = finding.referral(id, self.actor), bind(NoteInput, request.data)
        verb = verbs.ADD_NOTE if given["shared"] else verbs.ADD_PRIVATE_NOTE
        note, version = verbs.NewNote(given["text"]), expected_version(request)
        workflow.run(deal, verb, note, actor=self.actor, now=self.now, expected_version=version)
        own = Note.objects.filter(engagement=deal.engagement, company_id=deal.company_id, shared=given["shared"])
        return Response(_note(own.select_related("author", "company").latest("pk")), 201)


def _note(note: Note) -> dict[str, Any]:
    return {
        "id": str(note.pk),
        "text": note.text,
        "shared": note.shared,
        "createdDateTime": instant(note.at),
        "organizationName": note.company.name,
        "createdBy": note.author.get_full_name() if note.author else None,
    }


class Favorite(Endpoint):
    """A person's star on a deal (REF-19); a program has none."""

    scopes: ClassVar[Mapping[str, str]] = {"PUT": scopes.WRITE, "DELETE": scopes.WRITE}
    answers: ClassVar[Mapping[str, Any]] = {"PUT": {204: None}, "DELETE": {204: None}}

    def put(self, request: Request, id: str) -> Response:
        return self._set(id, on=True)

    def delete(self, request: Request, id: str) -> Response:
        return self._set(id, on=False)

    def _set(self, id: str, *, on: bool) -> Response:
        deal = finding.referral(id, self.actor)
        if self.actor.user_id is None:
            raise ApiError(403, "A star is a person's: use a token that a person gave (authorization code).")
        favorites.set_favorite(deal, actor=self.actor, on=on)
        return Response(status=204)
