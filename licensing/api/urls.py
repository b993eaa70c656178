"""Addresses of consents and licences in the API."""

from __future__ import annotations

from licensing.api import consents, finding, licences
from portal.api.http.routes import route

INVITATION = f"{finding.INVITATIONS}/<id>"

urlpatterns = [
    route(finding.RELATIONSHIPS, consents.RelationshipsEndpoint.as_view(), name="api_relationships"),
    route(f"{finding.RELATIONSHIPS}/<id>", consents.RelationshipEndpoint.as_view(), name="api_relationship"),
    route(finding.INVITATIONS, consents.InvitationsEndpoint.as_view(), name="api_invitations"),
    route(INVITATION, consents.InvitationEndpoint.as_view(), name="api_invitation"),
    route(f"{INVITATION}/actions", consents.InvitationActions.as_view(), name="api_invitation_actions"),
    route(finding.LICENCES, licences.LicencesEndpoint.as_view(), name="api_licences"),
    route(f"{finding.LICENCES}/<plan_id>", licences.PlanEndpoint.as_view(), name="api_licences_of_plan"),
]
