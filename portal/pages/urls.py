"""Addresses of the pages composed of several apps."""

from __future__ import annotations

from django.urls import path

from portal.pages import (
    views,
    views_deadlines,
    views_help,
    views_home,
    views_palette,
    views_rows,
    views_saved,
    views_selection,
    views_uploads,
)

urlpatterns = [
    path("", views_home.home, name="home"),
    path("changes/", views_home.changes, name="changes"),
    path("first-steps/hide/", views_home.hide_steps, name="hide_steps"),
    path("search/", views.search, name="search"),
    path("palette/", views_palette.palette, name="palette"),
    path("co-sell/", views.deals, name="deals"),
    path("co-sell/star/", views.star_row, name="star_row"),
    path("co-sell/selected/", views_selection.change_selected, name="change_selected"),
    path("co-sell/<uuid:public_id>/", views.deal, name="deal"),
    path("co-sell/<uuid:public_id>/row/", views_rows.edit_row, name="edit_row"),
    path("co-sell/<uuid:public_id>/notes/", views.add_note, name="add_note"),
    path("co-sell/<uuid:public_id>/favorite/", views.favorite, name="favorite"),
    path("deadlines/", views_deadlines.page, name="deadlines"),
    path("deadlines/address/", views_deadlines.change_calendar, name="change_calendar"),
    path("calendar/<str:token>/deadlines.ics", views_deadlines.feed, name="calendar"),
    path("insights/", views.insights, name="insights"),
    path("insights/deals/", views.insights_deals, name="insights_deals"),
    path("insights/<slug:code>.csv", views.insights_csv, name="insights_csv"),
    path("help/refusals/", views_help.refusals_page, name="refusals"),
    path("lists/<slug:code>/suggestions/", views.list_suggestions, name="list_suggestions"),
    path("lists/<slug:code>/columns/", views.choose_columns, name="choose_columns"),
    path("lists/<slug:code>/views/", views_saved.save_view, name="save_view"),
    path("lists/views/<uuid:public_id>/", views_saved.saved_view, name="saved_view"),
    path("lists/<slug:code>/export/", views.export_list, name="export_list"),
    path("exports/", views.exports, name="exports"),
    path("exports/<uuid:public_id>/", views.export, name="export"),
    path("exports/<uuid:public_id>/download/", views.download_export, name="download_export"),
    path("uploads/", views_uploads.uploads, name="uploads"),
    path("uploads/<uuid:public_id>/", views_uploads.upload, name="upload"),
    path("uploads/<uuid:public_id>/confirm/", views_uploads.confirm, name="confirm_upload"),
    path("uploads/<uuid:public_id>/discard/", views_uploads.discard, name="discard_upload"),
    path("uploads/<uuid:public_id>/rows/", views_uploads.download, name="download_upload"),
    path("language/", views.set_language, name="set_language"),
    path("theme/", views.set_theme, name="set_theme"),
    path("company/", views.switch_company, name="switch_company"),
]
