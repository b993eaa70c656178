"""Every verb of every machine: where pages, the administration and the API offer it (architecture, one way to act)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLResolver, get_resolver

from dealreg.models import Registration
from exceptions_council.models import ExceptionRequest
from isvconnect.models import IsvDeal
from licensing.models import Invitation, Licences, Relationship
from portal.api.http.actions import ActionsEndpoint
from portal.workflow import services as workflow
from referrals.models import Referral
from referrals.web.actions import PAGES

#: Where a verb is offered, by the names of the addresses: in pages, in the administration, in the API.
Places = tuple[str, str, str]

DEAL, REGISTRATION, EXCEPTION = "api_referral_actions", "api_registration_actions", "api_exception_actions"
ISV_DEAL = "api_isv_deal_actions"
INVITATION, LICENCES = "api_invitation_actions", "api_licences"
REVIEW, COUNCIL = "admin:dealreg_registration_change", "admin:exceptions_council_exceptionrequest_change"
#: Of a customer's admin, who has no account and so no client of the API (LIC-4, LIC-8).
BY_LINK = {"consent", "customer_plan", "revoke_consent"}
#: Run by workers only, or by what a reaction does: no surface offers it.
NOBODY: Places = ("", "", "")
SURFACES: dict[type[Any], dict[str, Places]] = {
    Referral: {
        "create": ("new_deal", "", "api_referrals"),
        "send": ("send_deal", "", "api_referrals"),
        "receive": NOBODY,
        "expire": NOBODY,
        "end_win_plan": NOBODY,
        "edit_details": ("edit_details", "", DEAL),
        "edit_team": ("edit_team", "", DEAL),
        "edit_solutions": ("edit_solutions", "", DEAL),
        "add_note": ("add_note", "", DEAL),
        "add_private_note": ("add_note", "", DEAL),
        "invite_partner": ("invite_partner", "", DEAL),
        **dict.fromkeys(("accept", "decline", "set_stage", "edit_contact", "share_with_vendor"), ("act", "", DEAL)),
        **dict.fromkeys(("request_help", "schedule_win", "cancel_win", "close_as_error"), ("act", "", DEAL)),
        **dict.fromkeys(("lose", "win", "set_references"), ("act", "", DEAL)),
    },
    Registration: {
        "open": NOBODY,
        "submit": ("registration", "", REGISTRATION),
        "resubmit": ("registration", "", REGISTRATION),
        "close_unregistered": ("close_unregistered", "", REGISTRATION),
        "register_after_all": ("register_after_all", "", REGISTRATION),
        "withdraw": ("withdraw", "", REGISTRATION),
        "revalidate": ("revalidate", "", REGISTRATION),
        **dict.fromkeys(("pass_review", "require_action", "fail_review"), ("", REVIEW, REGISTRATION)),
        **dict.fromkeys(("match", "no_match", "select_for_review", "retract"), ("", REVIEW, REGISTRATION)),
        **dict.fromkeys(("route", "fail_unanswered", "close", "reopen", "open_anew", "replace"), NOBODY),
    },
    ExceptionRequest: {
        "ask": ("ask_exception", "", "api_exceptions"),
        "answer_evidence": ("answer_exception", "", EXCEPTION),
        **dict.fromkeys(("vote", "ask_evidence", "declare_conflict"), ("", COUNCIL, EXCEPTION)),
        # What the votes come to.
        **dict.fromkeys(("approved", "denied"), NOBODY),
        **dict.fromkeys(("evidence_unanswered", "note_overdue", "note_too_few"), NOBODY),
    },
    IsvDeal: {
        "report": ("report_isv_deal", "", "api_isv_deals"),
        "correct": ("isv_deal_action", "", ISV_DEAL),
        "cancel": ("isv_deal_action", "admin:isvconnect_isvdeal_change", ISV_DEAL),
        **dict.fromkeys(("set_fees", "issue_invoices"), NOBODY),
    },
    Invitation: {
        "invite": ("isv_invite_customer", "", "api_invitations"),
        "withdraw": ("isv_withdraw_invitation", "", INVITATION),
        **dict.fromkeys(("accept", "refuse"), ("consent", "", "")),
        "expire": NOBODY,
    },
    Relationship: {"revoke": ("revoke_consent", "", "")},
    Licences: {
        **dict.fromkeys(("give", "update_licences"), ("isv_licences", "", LICENCES)),
        "remove_plan": ("isv_remove_plan", "", "api_licences_of_plan"),
        **dict.fromkeys(("assign", "unassign"), ("customer_plan", "", "")),
        **dict.fromkeys(("freeze", "resumed"), NOBODY),
    },
}


def addresses(patterns: list[Any], space: str = "") -> Iterator[tuple[str, Any]]:
    """The name of every address, with its view."""
    for entry in patterns:
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from addresses(entry.url_patterns, inner)
        elif entry.name:
            yield f"{space}{entry.name}", entry.callback


NAMED = dict(addresses(get_resolver().url_patterns))


def test_every_verb_has_its_place() -> None:
    """A new verb belongs into the table, with a page or the administration, and the API."""
    for machine in workflow.machines():
        known = {verb.name for verb in machine.every}
        assert set(SURFACES[machine.model]) == known, machine.model
        for verb in machine.verbs:
            page, admin, api = SURFACES[machine.model][verb.name]
            assert verb.by_worker == ((page, admin, api) == NOBODY), verb.name
            assert verb.by_worker or ((page or admin) and (api or page in BY_LINK)), verb.name


def test_every_place_is_an_address() -> None:
    places = {place for verbs in SURFACES.values() for found in verbs.values() for place in found if place}
    assert places <= set(NAMED)


def test_the_place_offers_the_verb() -> None:
    """Verbs with a page of their kind are those that it knows; the API's actions are those of the machine."""
    acted = {name for name, (page, _admin, _api) in SURFACES[Referral].items() if page == "act"}
    assert acted == set(PAGES)
    for name in (DEAL, REGISTRATION, EXCEPTION, ISV_DEAL, INVITATION):
        view = NAMED[name].cls
        assert issubclass(view, ActionsEndpoint)
        assert {"GET", "POST"} <= set(view.scopes)
