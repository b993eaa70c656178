"""Addresses of the settings, and of the links that invite."""

from __future__ import annotations

from django.urls import path

from portal.people import views, views_api, views_invite

urlpatterns = [
    path("settings/", views.settings, name="settings"),
    path("settings/people/", views.people, name="people"),
    path("settings/people/invite/", views.invite_person, name="invite_person"),
    path("settings/people/<int:pk>/", views.member, name="member"),
    path("settings/people/<int:pk>/deactivate/", views.deactivate_member, name="deactivate_member"),
    path("settings/people/<int:pk>/reactivate/", views.reactivate_member, name="reactivate_member"),
    path("settings/invitations/<uuid:public_id>/resend/", views.resend_invite, name="resend_invite"),
    path("settings/invitations/<uuid:public_id>/revoke/", views.revoke_invite, name="revoke_invite"),
    path("settings/locations/", views.locations, name="locations"),
    path("settings/locations/add/", views.add_location, name="add_location"),
    path("settings/locations/<int:pk>/", views.edit_location, name="edit_location"),
    path("settings/api-clients/", views_api.api_clients, name="api_clients"),
    path("settings/api-clients/add/", views_api.add_api_client, name="add_api_client"),
    path("settings/api-clients/<uuid:public_id>/", views_api.api_client, name="api_client"),
    path("settings/api-clients/<uuid:public_id>/access/", views_api.api_client_access, name="api_client_access"),
    path("settings/api-clients/<uuid:public_id>/rotate/", views_api.rotate_api_client, name="rotate_api_client"),
    path("settings/api-clients/<uuid:public_id>/revoke/", views_api.revoke_api_client, name="revoke_api_client"),
    path("settings/profile/", views.profile, name="profile"),
    path("invite/<str:token>/", views_invite.invite, name="invite"),
]
