"""What to do next about each refusal and reason, by code. Whoever adds a code adds it to one of the two here: to NEXT,
or to SAYS_ITSELF where every one of its texts tells it already. Then `manage.py write_refusals`."""

from __future__ import annotations

from collections.abc import Mapping

from portal.workflow.blockers import _

_REVIEW = _("You need not do anything: a reviewer decides, and you are told.")
_DONE = _("Nothing is left to do: it is so already.")
_CORRECT = _("Correct the registration and resubmit it; the reviewer's comment says more.")
_FAILED = _("The registration has failed. The reviewer's comment says more, and the deal page what can still be done.")
_EITHER = _("If the registration came back to you, correct it and resubmit; the reviewer's comment says more.")
_CLOSED = _("The deal stays closed. If there is a sale after all, create a new deal.")
_FILE = _("Correct it in the file, or at the field, and send it again.")
_FIELD = _("Change what you entered at the field, and send the form again.")
_CRITERION = _("The deal page says who can settle this, and until when.")
_STAYS = _("The registration stays as it is; the deal page says what can still be done.")
_INVITER = _("Ask whoever invited you to send a new invitation.")

NEXT: Mapping[str, str] = {
    # A reviewer looks at it
    **dict.fromkeys(
        [
            "acv_above_review_limit",
            "additional_review",
            "corrected",
            "pay_as_you_go",
            "registered_before",
            "several_partners",
            "won_early",
        ],
        _REVIEW,
    ),
    **dict.fromkeys(
        ["marketplace_sale", "marketplace_search"],
        _("You need not do anything: the transaction is looked for, and you are told."),
    ),
    "not_submitted": _("Wait until the partner has filed it."),
    **dict.fromkeys(["not_due", "selected_too_early", "still_time"], _("Wait until then.")),
    **dict.fromkeys(["revalidated_already", "revalidation_payg_only", "revalidation_year_over"], _STAYS),
    # Reasons of reviewers
    **dict.fromkeys(
        [
            "dates_do_not_match_contract",
            "hardware_in_value",
            "marketplace_transaction_unclear",
            "term_does_not_match_contract",
            "value_does_not_match_contract",
        ],
        _CORRECT,
    ),
    **dict.fromkeys(["contract_missing_names", "evidence_missing"], _EITHER),
    **dict.fromkeys(
        [
            "duplicate_registration",
            "no_marketplace_transaction",
            "signed_before_sharing",
            "unanswered",
            "value_below_minimum",
            "won_too_early",
        ],
        _FAILED,
    ),
    "other": _("Read the comment beside it."),
    # Documents
    "document_deal_state": _("Accept the deal first; one that has ended takes no documents."),
    **dict.fromkeys(["document_duplicate", "document_gone"], _DONE),
    "document_empty": _("Choose the file again: nothing arrived in it."),
    "document_infected": _("Find out where the file comes from, and add a clean one."),
    "document_is_evidence": _("Add a corrected document beside it."),
    "document_limit": _("Remove a document that is not needed, or put several into one file."),
    "document_too_large": _("Save it smaller or in parts, and add it again."),
    "document_type": _("Save it as one of these types, and add it again."),
    # Reasons of partners
    **dict.fromkeys(
        [
            "budget",
            "connector",
            "customer_match",
            "data",
            "duplicate",
            "duplicate_from_vendor",
            "duplicate_upload",
            "no_response",
            "not_a_customer",
            "other_vendor",
            "requirement_not_met",
            "solution",
            "spam",
            "test",
            "timeline",
        ],
        _CLOSED,
    ),
    # Criteria of eligibility
    **dict.fromkeys(
        [
            "deal_type",
            "ip_solution",
            "managed_customer",
            "minimum_value",
            "not_assessment",
            "vendor_accepted",
            "won",
        ],
        _CRITERION,
    ),
    # Imports and the catalogue
    **dict.fromkeys(
        [
            "columns",
            "control_character",
            "country_missing",
            "country_unknown",
            "currency",
            "duns_invalid",
            "empty",
            "encoding",
            "future_month",
            "header",
            "managed_unclear",
            "month",
            "name_missing",
            "rate",
            "repeated",
            "too_long",
            "unreadable",
        ],
        _FILE,
    ),
    # Marketplace transactions
    **dict.fromkeys(
        [
            "amount_not_positive",
            "amount_unreadable",
            "customer_unknown",
            "date_unreadable",
            "name_ambiguous",
            "not_a_partner",
            "partner_unknown",
            "solution_unknown",
            "transaction_differs",
            "transaction_id_required",
            "transaction_id_too_long",
            "transaction_id_unprintable",
            "transaction_in_future",
            "unknown_currency",
        ],
        _FILE,
    ),
    "transaction_matched": _("Retract the decision on its registration first, while that can still be done."),
    "transaction_voided": _DONE,
    **dict.fromkeys(["known", "transaction_known"], _("Use the entry that is there.")),
    **dict.fromkeys(["azure_ip_needs_ip", "azure_ip_needs_ready"], _("Give the solution the other tag first.")),
    # Values out of range
    **dict.fromkeys(
        [
            "biz_apps_unknown",
            "close_date_past",
            "member_incomplete",
            "member_twice",
            "name_is_number",
            "name_reserved",
            "notes_too_long",
            "payg_year_value_not_positive",
            "solution_value_not_positive",
            "tcv_not_positive",
            "team_too_large",
            "too_many_solutions",
            "value_not_positive",
            "value_too_large",
            "wrong_role",
            "wrong_values",
        ],
        _FIELD,
    ),
    # It is so already
    **dict.fromkeys(["already_shared", "help_asked", "not_scheduled", "same_stage"], _DONE),
    "already_invited": _("Open the deal: its page lists the partners and what they answered."),
    # Invitations and roles
    "invite_accepted": _("Sign in with the account with which it was accepted."),
    **dict.fromkeys(["invite_expired", "invite_revoked"], _INVITER),
    "client_revoked": _("Add another API client in the settings, and give its secret to your program."),
    "key_unreadable": _("Export the public key again, without the private one, and paste all of it."),
    "keeper_everywhere": _("Give the role for the entire company."),
    # Deals
    "answered_too_late": _("Ask whoever sent the deal to send it again."),
    "assessment_fixed": _("If it is the wrong one, close the deal as an error and create another."),
    "inbound_deal": _("Ask the company that sent you the deal."),
    "own_company": _("Choose another company."),
    "inviter_not_on_team": _("Add yourself to the team, then invite."),
    "wrong_state": _("Open the page anew: it shows what can be done in this state."),
}

#: Each of their texts says what to do.
SAYS_ITSELF = frozenset(
    {
        "account_exists",
        "acv_not_above_minimum",
        "already_scheduled",
        "assessment_alone",
        "assessment_location_required",
        "assessments_not_approved",
        "being_checked",
        "comment_required",
        "conflict",
        "consent_required",
        "contact_required",
        "contract_names_missing",
        "deployment_required",
        "document_unreadable",
        "end_before_start",
        "end_date_required",
        "foreign_location",
        "foreign_renewal",
        "foreign_solution",
        "fx_rate_missing",
        "help_required",
        "invitations_spent",
        "invite_of_another",
        "invited_already",
        "last_keeper",
        "marketplace_date_required",
        "marketplace_date_too_far",
        "marketplace_pracr_only",
        "marketplace_required",
        "member_already",
        "member_deactivated",
        "mpn_taken",
        "name_required",
        "name_taken",
        "no_co_sell_ready_solution",
        "not_deployed_on_azure",
        "not_early",
        "not_eligible",
        "not_revalidated",
        "note_required",
        "own_access",
        "own_registration",
        "payg_dates_differ",
        "payg_end_in_future",
        "payg_perpetual",
        "payg_signed_too_late",
        "payg_year_value_exceeds_tcv",
        "pricing_required",
        "reason_note_required",
        "redirect_missing",
        "redirect_refused",
        "reason_required",
        "registration_closed_period",
        "renewal",
        "revalidation_value_too_low",
        "role_missing",
        "scope_missing",
        "selected_at_random",
        "selected_for_review",
        "signed_before_referral",
        "signed_in_future",
        "signed_required",
        "signed_too_old",
        "solution_not_ready",
        "solution_required",
        "solution_value_exceeds_tcv",
        "solution_value_required",
        "stage_out_of_order",
        "stages_incomplete",
        "stale",
        "start_required",
        "start_too_old",
        "taken",
        "tcv_required",
        "team_required",
        "tenant_required",
        "term_required",
        "unknown_help",
        "unknown_partner",
        "unknown_stage",
        "validated_by_required",
    }
)
