"""Addresses of ISV Connect deals and their invoices."""

from __future__ import annotations

from django.urls import path

from isvconnect.web import actions, listing, reporting, views

urlpatterns = [
    path("isvconnect/deals/", listing.isv_deals, name="isv_deals"),
    path("isvconnect/deals/new/", reporting.report, name="report_isv_deal"),
    path("isvconnect/deals/<uuid:public_id>/", views.isv_deal, name="isv_deal"),
    path("isvconnect/deals/<uuid:public_id>/invoices.csv", views.invoices_csv, name="isv_invoices_csv"),
    path("isvconnect/deals/<uuid:public_id>/do/<slug:verb>/", actions.act, name="isv_deal_action"),
    path("isvconnect/invoices/<uuid:public_id>/pdf/", views.invoice, name="isv_invoice"),
    path("isvconnect/invoices/<uuid:public_id>/csv/", views.invoice_csv, name="isv_invoice_csv"),
    path("co-sell/<uuid:public_id>/report-isv/", reporting.report_of, name="report_isv_deal_of"),
]
