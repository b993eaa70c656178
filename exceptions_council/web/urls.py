"""Addresses of requests for exceptions."""

from __future__ import annotations

from django.urls import path

from exceptions_council.web import asking, letter, views

urlpatterns = [
    path("exceptions/", views.exceptions, name="exceptions"),
    path("exceptions/<uuid:public_id>/", views.exception, name="exception"),
    path("co-sell/<uuid:public_id>/exception/", asking.ask, name="ask_exception"),
    path("co-sell/<uuid:public_id>/exception/check/", asking.check, name="exception_check"),
    path("co-sell/<uuid:public_id>/exception/answer/", views.answer, name="answer_exception"),
    path("co-sell/<uuid:public_id>/decision-letter/", letter.letter, name="exception_letter"),
]
