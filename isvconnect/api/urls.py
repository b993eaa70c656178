"""Addresses of ISV Connect in the API."""

from __future__ import annotations

from isvconnect.api import actions, deals, finding, invoices
from portal.api.http.routes import route

DEALS, INVOICES = finding.DEALS, finding.INVOICES
DEAL, INVOICE = f"{DEALS}/<id>", f"{INVOICES}/<id>"

urlpatterns = [
    route(DEALS, deals.DealsEndpoint.as_view(), name="api_isv_deals"),
    route(f"{DEALS}/check", deals.CheckEndpoint.as_view(), name="api_isv_deal_check"),
    route(DEAL, deals.DealEndpoint.as_view(), name="api_isv_deal"),
    route(f"{DEAL}/actions", actions.Actions.as_view(), name="api_isv_deal_actions"),
    route(INVOICES, invoices.InvoicesEndpoint.as_view(), name="api_isv_invoices"),
    route(INVOICE, invoices.InvoiceEndpoint.as_view(), name="api_isv_invoice"),
    route(f"{INVOICE}/pdf", invoices.InvoicePdfEndpoint.as_view(), name="api_isv_invoice_pdf"),
    route(f"{INVOICE}/csv", invoices.InvoiceCsvEndpoint.as_view(), name="api_isv_invoice_csv"),
]
