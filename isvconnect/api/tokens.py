"""The words of the wire for ISV Connect: the API's tokens for our own, and where each answer of the form stands."""

from __future__ import annotations

from collections.abc import Mapping

from isvconnect.models import Tag
from isvconnect.rules import states

STATUSES: Mapping[str, str] = {
    states.SUBMITTED: "Submitted",
    states.INVOICED: "Invoiced",
    states.COMPLETED: "Completed",
    states.CANCELLED: "Cancelled",
}
KINDS: Mapping[str, str] = {states.INVOICE: "Invoice", states.CREDIT_NOTE: "CreditNote"}
INCENTIVES: Mapping[str, str] = {Tag.STANDARD: "Standard", Tag.PREMIUM: "Premium"}
CUSTOMER = "customerProfile"
#: Where each field of the form stands on the wire.
TARGETS: Mapping[str, str] = {
    "referral": "referralId",
    "location": "mpnId",
    "customer": CUSTOMER,
    "solution": "solution/id",
    "tcv": "contract/value",
    "tcv_currency": "contract/currency",
    "solution_value": "solution/value",
    "solution_value_currency": "solution/currency",
    "deployment": "solution/isDeployedOnAzure",
    "tenant": "solution/primaryDeploymentOn",
    "tenant_guid": "solution/tenantId",
    "signed": "contract/signDateTime",
    "start": "contract/startDateTime",
    "end": "contract/endDateTime",
    "contact_first_name": "contact/firstName",
    "contact_last_name": "contact/lastName",
    "contact_phone": "contact/phoneNumber",
    "contact_email": "contact/email",
}
