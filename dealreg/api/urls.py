"""Addresses of registrations and of marketplace transactions in the API."""

from __future__ import annotations

from dealreg.api import actions, checking, documents, registrations, transactions
from portal.api.http.routes import route
from portal.bodies import accepts_upload
from referrals.api import wire

REFERRAL = f"{wire.COLLECTION}/<id>"
ALL = "v1.0/registrations"
ONE = f"{ALL}/<id>"
SALES = transactions.ADDRESS
upload = accepts_upload(documents.upload_limit)(documents.DocumentsEndpoint.as_view())

urlpatterns = [
    route(f"{REFERRAL}/eligibility", checking.EligibilityEndpoint.as_view(), name="api_eligibility"),
    route(f"{REFERRAL}/registrations/check", checking.CheckEndpoint.as_view(), name="api_registration_check"),
    route(ALL, registrations.RegistrationsEndpoint.as_view(), name="api_registrations"),
    route(ONE, registrations.RegistrationEndpoint.as_view(), name="api_registration"),
    route(f"{ONE}/actions", actions.Actions.as_view(), name="api_registration_actions"),
    route(f"{ONE}/documents", upload, name="api_registration_documents"),
    route(f"{ONE}/documents/<document_id>", documents.DocumentEndpoint.as_view(), name="api_registration_document"),
    route(SALES, transactions.TransactionsEndpoint.as_view(), name="api_transactions"),
    route(f"{SALES}/<path:id>/actions", transactions.ActionsEndpoint.as_view(), name="api_transaction_actions"),
    route(f"{SALES}/<path:id>", transactions.TransactionEndpoint.as_view(), name="api_transaction"),
]
