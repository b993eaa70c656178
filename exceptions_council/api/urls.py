"""Addresses of requests for exceptions in the API."""

from __future__ import annotations

from dealreg.api.documents import upload_limit
from exceptions_council.api import actions, documents, exceptions, finding
from portal.api.http.routes import route
from portal.bodies import accepts_upload

ALL = finding.ADDRESS
ONE = f"{ALL}/<id>"
upload = accepts_upload(upload_limit)(documents.DocumentsEndpoint.as_view())

urlpatterns = [
    route(ALL, exceptions.ExceptionsEndpoint.as_view(), name="api_exceptions"),
    route(f"{ALL}/check", exceptions.ExceptionCheckEndpoint.as_view(), name="api_exception_check"),
    route(ONE, exceptions.ExceptionEndpoint.as_view(), name="api_exception"),
    route(f"{ONE}/actions", actions.Actions.as_view(), name="api_exception_actions"),
    route(f"{ONE}/documents", upload, name="api_exception_documents"),
    route(f"{ONE}/documents/<document_id>", documents.DocumentEndpoint.as_view(), name="api_exception_document"),
]
