"""Addresses of the registration form, and of what the deal page asks."""

from __future__ import annotations

from django.urls import path

from dealreg.web import documents, ending, views

urlpatterns = [
    path("co-sell/<uuid:public_id>/state/", views.deal_state, name="deal_state"),
    path("co-sell/<uuid:public_id>/registration/", views.registration, name="registration"),
    path("co-sell/<uuid:public_id>/registration/check/", views.check, name="registration_check"),
    path("co-sell/<uuid:public_id>/registration/withdraw/", ending.end, {"verb": "withdraw"}, name="withdraw"),
    path(
        "co-sell/<uuid:public_id>/registration/after-all/",
        ending.end,
        {"verb": "register_after_all"},
        name="register_after_all",
    ),
    path("co-sell/<uuid:public_id>/registration/revalidate/", ending.end, {"verb": "revalidate"}, name="revalidate"),
    path(
        "co-sell/<uuid:public_id>/registration/close/",
        ending.end,
        {"verb": "close_unregistered"},
        name="close_unregistered",
    ),
    path("co-sell/<uuid:public_id>/documents/", documents.documents, name="documents"),
    path("co-sell/<uuid:public_id>/documents/<uuid:document_id>/", documents.document, name="document"),
    path(
        "co-sell/<uuid:public_id>/documents/<uuid:document_id>/remove/",
        documents.remove_document,
        name="remove_document",
    ),
]
