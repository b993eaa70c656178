"""Where on the wire the fields are that refusals name."""

from __future__ import annotations

from collections.abc import Mapping

TARGETS: Mapping[str, str] = {
    "value": "details/dealValue",
    "currency": "details/currency",
    "close_date": "details/closingDateTime",
    "crm_id": "externalReferenceId",
    "campaign_id": "campaignId",
    "marketplace_intent": "details/requirements/additionalRequirements/attributes",
    "notes": "details/notes",
    "help_notes": "inviteContext/notes",
    "text": "details/notes",
    "solutions": "details/requirements/solutions",
    "stage": "salesStage",
    "reason_code": "statusReason",
    "comment": "statusReason",
    "location": "mpnId",
    "help_code": "inviteContext/assistanceRequestCode",
    "partner": "inviteContext/invitedMpnId",
    "contact_name": "customerProfile/team",
    "contact_phone": "customerProfile/team",
    "contact_email": "customerProfile/team",
    "contact_consent": "consent/consentToToShareInfoWithOthers",
    "signed_on": "signedOn",
}
