"""The columns of a file of co-sell opportunities, as the programme's CSV names them (F3.1)."""

from __future__ import annotations

from collections.abc import Mapping

from referrals import rules
from referrals.models import Referral

ID, ENGAGEMENT = "Referral ID", "Engagement ID"
NAME, VALUE, CURRENCY, CLOSE_DATE = "Deal Name", "Estimated Deal Value", "Currency", "Estimated Close Date"
CUSTOMER, ADDRESS1, ADDRESS2 = "Customer Name", "Customer Address Line 1", "Customer Address Line 2"
CITY, STATE, POSTAL_CODE = "Customer City", "Customer State", "Customer Postal code"
COUNTRY, DUNS = "Customer Country", "Customer D-U-N-S ID"
FIRST_NAME, LAST_NAME = "Customer Contact First Name", "Customer Contact Last Name"
PHONE, EMAIL = "Customer Contact Phone", "Customer Contact Email"
STATUS, SUBSTATUS = "Partner Referral Status", "Partner Referral Substatus"
VENDOR_STATUS, REASON, STAGE = "Microsoft Referral Status", "Declined/Lost/Error reason", "Sales Stage"
CRM_ID, CAMPAIGN_ID, NOTES = "CRM ID", "Marketing Campaign ID", "Notes"
HELP_REQUIRED, HELP = "Microsoft help required?", "What specific help from Microsoft?"
SHARE, HELP_NOTES = "Share with Microsoft sales team", "Notes to Microsoft"
CONSENT = "Consent to share Customer/Partner contact"
LOCATION, INTENT = "PartnerID (MPN ID)", "Marketplace Purchase Intent"
SOLUTION, MEMBER, VENDOR_MEMBER = "Solution", "Team member", "Microsoft team member 1"

#: In the order of the file, before the solutions and people.
HEADER = (
    *("Errors", ENGAGEMENT, ID, NAME, CUSTOMER, ADDRESS1, ADDRESS2, CITY, STATE, POSTAL_CODE, COUNTRY, DUNS),
    *(FIRST_NAME, LAST_NAME, PHONE, EMAIL, STATUS, SUBSTATUS, VENDOR_STATUS, REASON, STAGE, VALUE, CURRENCY),
    *(CLOSE_DATE, CRM_ID, CAMPAIGN_ID, NOTES, HELP_REQUIRED, HELP, SHARE, HELP_NOTES, CONSENT),
    *("IoT: CLA Number", "IoT: Device Category", "IoT: Silicon Type", "IoT: Azure Certified Device"),
    *("IoT: Attach Services", "Microsoft MSX ID", "Migrated PSC Deal ID", LOCATION, INTENT, "Customer Domain Name"),
    *("Final Matched Customer Account", "Managed Account 1", "Managed Account 2", "Unmanaged Account 1"),
    *("Unmanaged Account 2", "DUNS Account 1", "DUNS Account 2"),
)
#: F3.1; the policy may allow fewer (REF-7, REF-8).
MOST = 50
SOLUTIONS = tuple(f"{SOLUTION} {number}" for number in range(1, MOST + 1))
MEMBERS = tuple(f"{MEMBER} {number}" for number in range(1, MOST + 1))
KNOWN = (*HEADER, *SOLUTIONS, *MEMBERS, VENDOR_MEMBER)

#: The entry of the directory, by its fields.
ENTRY = {
    "name": CUSTOMER,
    "address_line1": ADDRESS1,
    "address_line2": ADDRESS2,
    "city": CITY,
    "state": STATE,
    "postal_code": POSTAL_CODE,
    "country": COUNTRY,
    "duns": DUNS,
}
#: Where what the rules say of a field stands.
AT = {
    "name": NAME,
    "value": VALUE,
    "currency": CURRENCY,
    "close_date": CLOSE_DATE,
    "location": LOCATION,
    "team": f"{MEMBER} 1",
    "solutions": f"{SOLUTION} 1",
    "contact_name": FIRST_NAME,
    "contact_phone": PHONE,
    "contact_email": EMAIL,
    "contact_consent": CONSENT,
    "help_code": HELP,
    "notes": NOTES,
    "help_notes": HELP_NOTES,
    "text": NOTES,
    "stage": STAGE,
    "reason_code": REASON,
    "customer": CUSTOMER,
}

#: What the cells may hold (F3.1); help and reasons by number, in the order of the rules.
HELP_CODES: Mapping[str, str] = {str(n): code for n, code in enumerate(list(rules.HELP)[1:], 1)}
CLOSE_REASONS: Mapping[str, str] = {str(n): code for n, code in enumerate(rules.CLOSE_REASONS, 1)}
ERROR_REASONS: Mapping[str, str] = {str(n): code for n, code in enumerate(rules.ERROR_REASONS, 1)}
STATUSES = {name.casefold(): name for name in ("New", "Active", "Closed")}
SUBSTATUSES = {name.casefold(): name for name in rules.SUBSTATUSES} | {"pending": rules.RECEIVED}
INTENTS = {
    "yes": Referral.Intent.YES,
    "no": Referral.Intent.NO,
    "have not decided": Referral.Intent.UNDECIDED,
    "havenotdecided": Referral.Intent.UNDECIDED,
}
INTENT_NAMES = {"yes": "Yes", "no": "No", "undecided": "Have not decided"}


def number_of(code: str, numbers: Mapping[str, str]) -> str:
    """The number that the file has for a code."""
    return next((number for number, held in numbers.items() if held == code), "")


def reasons_of(substatus: str) -> Mapping[str, str]:
    """The numbers of the reasons with which a deal gets this substatus (REF-17)."""
    return ERROR_REASONS if substatus == rules.ERROR else CLOSE_REASONS
