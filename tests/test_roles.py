"""Who may open and do what (ORG-1 to ORG-6): one table of every address there is, for everybody of a fixed cast."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from http.cookies import SimpleCookie
from typing import Any
from unittest.mock import patch

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseNotFound
from django.urls import URLResolver, get_resolver, reverse
from django.views.defaults import page_not_found, permission_denied

from dealreg.models import Document
from dealreg.rules.marketplace import Details
from dealreg.services import marketplace
from dealreg.services.marketplace import NewTransaction
from exceptions_council.models import LetterTemplate
from isvconnect.models import FeeRate, InvoiceRun
from isvconnect.web import actions as isv_actions
from portal import urls
from portal.accounts import invites
from portal.accounts.rules import Actor, Grant
from portal.api.services import clients
from portal.demo import papers
from portal.demo.cast import ANKARA, ISTANBUL, PASSWORD, Cast
from portal.desk.models import CommentTemplate
from portal.notify.models import Notice
from portal.pages.services import calendar, exports, uploads
from portal.policy import services as policies
from portal.programme import services as programme
from portal.ui import services as views
from portal.webhooks.services import registration as webhooks
from portal.webhooks.services import signing
from referrals.models import Draft, Referral
from referrals.services import stage_names
from referrals.web import actions
from tests import build, do, exceptions, isv, licences
from tests.edge import Live
from tests.strict import faults

#: The table's columns. `owner` is a referrals admin of the entire company, `team` a referrals user whom the deals of
#: Istanbul list and those of Ankara don't, `ankara` a referrals admin of that location only (ORG-1, ORG-2).
ACTORS = {
    "owner": "referrals@contoso.example",
    "team": "user@contoso.example",
    "ankara": "ankara@contoso.example",
    "viewer": "viewer@contoso.example",
    "admin": "admin@contoso.example",
    "strang": "referrals@fabrikam.example",
    "north": "referrals@northwind.example",
    "seller": "seller@vendor.example",
    "review": "reviewer@vendor.example",
    "counc": "council1@vendor.example",
    "manag": "manager@vendor.example",
    "anon": None,
}
GROUPS = [["owner", "team", "ankara", "viewer"], ["admin", "strang", "north", "anon"]]
GROUPS.append([actor for actor in ACTORS if actor not in {*GROUPS[0], *GROUPS[1]}])

#: An address, a method, what it is about, and the answer to each actor. `in`: they are sent to sign in. An admin page
#: sends whoever may not see it to the admin's own sign-in page; the answer is what they get there.
TABLE = """
home                                  GET  -         200 200 200 200 200 200 200 200 200 200 200  in
changes                               GET  -         200 200 200 200 200 200 200 200 200 200 200  in
hide_steps                            POST -         302 302 302 302 302 302 302 302 302 302 302  in
search                                GET  -         200 200 200 200 200 200 200 200 200 200 200  in
palette                               GET  -         200 200 200 200 200 200 200 200 200 200 200  in
deals                                 GET  -         200 200 200 200 200 200 200 200 200 200 200  in
list_suggestions                      GET  -         200 200 200 200 200 200 200 200 200 200 200  in
star_row                              POST -         404 404 404 404 404 404 404 404 404 404 404  in
change_selected                       POST -         302 302 302 302 302 302 302 302 302 302 302  in
choose_columns                        POST -         302 302 302 302 302 302 302 302 302 302 302  in
favorite                              POST istanbul  302 302 404 302 302 404 404 302 302 302 302  in
favorite                              POST ankara    302 404 302 302 302 404 404 302 302 302 302  in
favorite                              POST private   302 302 404 302 302 404 404 404 404 404 404  in
save_view                             GET  -         200 200 200 200 200 200 200 200 200 200 200  in
save_view                             POST -         302 302 302 302 302 302 302 302 302 302 302  in
saved_view                            GET  view      200 404 404 404 404 404 404 404 404 404 404  in
saved_view                            POST view      302 404 404 404 404 404 404 404 404 404 404  in
edit_row                              GET  istanbul  200 200 404 403 403 404 404 403 403 403 403  in
edit_row                              GET  private   200 200 404 403 403 404 404 404 404 404 404  in
edit_row                              POST istanbul  302 302 404 403 403 404 404 403 403 403 403  in
edit_row                              POST ankara    302 404 302 403 403 404 404 403 403 403 403  in
export_list                           POST -         302 302 302 302 302 302 302 302 302 302 302  in
exports                               GET  -         200 200 200 200 200 200 200 200 200 200 200  in
export                                GET  export    200 404 404 404 404 404 404 404 404 404 404  in
download_export                       GET  export    302 404 404 404 404 404 404 404 404 404 404  in
uploads                               GET  -         200 200 200 403 403 200 200 403 403 403 403  in
uploads                               POST -         422 422 422 403 403 422 422 403 403 403 403  in
upload                                GET  upload    200 404 404 404 404 404 404 404 404 404 404  in
confirm_upload                        POST upload    302 404 404 404 404 404 404 404 404 404 404  in
discard_upload                        POST upload    302 404 404 404 404 404 404 404 404 404 404  in
download_upload                       GET  upload    200 404 404 404 404 404 404 404 404 404 404  in
deadlines                             GET  -         200 200 200 200 200 200 200 200 200 200 200  in
change_calendar                       POST -         302 302 302 302 302 302 302 302 302 302 302  in
calendar                              GET  feed      200 200 200 200 200 200 200 200 200 200 200 200
refusals                              GET  -         200 200 200 200 200 200 200 200 200 200 200 200
insights                              GET  -         200 200 200 200 200 200 200 200 200 200 200  in
insights_deals                        GET  -         200 200 200 200 200 200 200 200 200 200 200  in
insights_csv                          GET  -         200 200 200 200 200 200 200 200 200 200 200  in
deal                                  GET  istanbul  200 200 404 200 200 404 404 200 200 200 200  in
deal                                  GET  ankara    200 404 200 200 200 404 404 200 200 200 200  in
deal                                  GET  private   200 200 404 200 200 404 404 404 404 404 404  in
deal                                  GET  inbound   200 404 404 200 200 404 404 200 200 200 200  in
deal                                  GET  vendor    404 404 404 404 404 404 404 200 200 200 200  in
deal                                  GET  sent-back 200 200 404 200 200 404 404 200 200 200 200  in
deal_state                            GET  istanbul  200 200 404 200 200 404 404 200 200 200 200  in
deal_state                            GET  private   200 200 404 200 200 404 404 404 404 404 404  in
deal_state                            GET  checking  204 204 404 204 204 404 404 200 200 200 200  in
add_note                              POST istanbul  302 302 404 403 403 404 404 403 403 403 403  in
add_note                              POST ankara    302 404 302 403 403 404 404 403 403 403 403  in
add_note                              POST private   302 302 404 403 403 404 404 404 404 404 404  in
add_note                              POST inbound   302 404 404 403 403 404 404 403 403 403 403  in
add_note                              POST vendor    404 404 404 404 404 404 404 302 403 403 403  in
new_deal                              GET  -         200 200 200 403 403 200 403 403 403 403 403  in
new_deal_step                         GET  draft     200 404 404 403 403 404 403 403 403 403 403  in
new_deal_step                         POST draft     302 404 404 403 403 404 403 403 403 403 403  in
new_deal_invitation                   GET  draft     200 404 404 403 403 404 403 403 403 403 403  in
new_deal_invitation                   POST draft     422 404 404 403 403 404 403 403 403 403 403  in
discard_draft                         GET  draft     200 404 404 403 403 404 403 403 403 403 403  in
discard_draft                         POST draft     302 404 404 403 403 404 403 403 403 403 403  in
suggest_solutions                     GET  -         200 200 200 200 200 200 200 200 200 200 200  in
send_deal                             GET  -         403 403 403 403 403 403 403 200 403 403 403  in
send_deal                             POST -         403 403 403 403 403 403 403 302 403 403 403  in
partner_solutions                     GET  -         403 403 403 403 403 403 403 200 403 403 403  in
suggest_customers                     GET  -         200 200 200 200 200 200 200 200 200 200 200  in
act:accept                            GET  inbound   200 404 404 403 403 404 404 403 403 403 403  in
act:accept                            POST inbound   302 404 404 403 403 404 404 403 403 403 403  in
act:accept                            POST vendor    404 404 404 404 404 404 404 302 403 403 403  in
act:decline                           GET  inbound   200 404 404 403 403 404 404 403 403 403 403  in
act:decline                           POST inbound   302 404 404 403 403 404 404 403 403 403 403  in
act:decline                           POST vendor    404 404 404 404 404 404 404 302 403 403 403  in
act:set-references                    GET  inbound   200 404 404 403 403 404 404 403 403 403 403  in
act:set-references                    POST inbound   302 404 404 403 403 404 404 403 403 403 403  in
act:set-stage                         GET  istanbul  200 200 404 403 403 404 404 403 403 403 403  in
act:set-stage                         POST istanbul  302 302 404 403 403 404 404 403 403 403 403  in
act:set-stage                         POST ankara    302 404 302 403 403 404 404 403 403 403 403  in
act:win                               GET  istanbul  200 200 404 403 403 404 404 403 403 403 403  in
act:win                               POST istanbul  302 302 404 403 403 404 404 403 403 403 403  in
act:win                               POST ankara    302 404 302 403 403 404 404 403 403 403 403  in
act:win                               POST private   302 302 404 403 403 404 404 404 404 404 404  in
act:schedule-win                      GET  istanbul  200 200 404 403 403 404 404 403 403 403 403  in
act:schedule-win                      POST istanbul  302 302 404 403 403 404 404 403 403 403 403  in
act:schedule-win                      POST ankara    302 404 302 403 403 404 404 403 403 403 403  in
act:cancel-win                        GET  planned   200 200 404 403 403 404 404 403 403 403 403  in
act:cancel-win                        POST planned   302 302 404 403 403 404 404 403 403 403 403  in
act:lose                              GET  istanbul  200 200 404 403 403 404 404 403 403 403 403  in
act:lose                              POST istanbul  302 302 404 403 403 404 404 403 403 403 403  in
act:lose                              POST ankara    302 404 302 403 403 404 404 403 403 403 403  in
act:close-as-error                    GET  istanbul  200 200 404 403 403 404 404 403 403 403 403  in
act:close-as-error                    POST istanbul  302 302 404 403 403 404 404 403 403 403 403  in
act:close-as-error                    POST ankara    302 404 302 403 403 404 404 403 403 403 403  in
act:close-as-error                    POST inbound   302 404 404 403 403 404 404 403 403 403 403  in
act:edit-contact                      GET  private   200 200 404 403 403 404 404 404 404 404 404  in
act:edit-contact                      POST private   302 302 404 403 403 404 404 404 404 404 404  in
act:share-with-vendor                 GET  private   200 200 404 403 403 404 404 404 404 404 404  in
act:share-with-vendor                 POST private   302 302 404 403 403 404 404 404 404 404 404  in
act:request-help                      GET  private   200 200 404 403 403 404 404 404 404 404 404  in
act:request-help                      POST private   302 302 404 403 403 404 404 404 404 404 404  in
act:expire                            POST inbound   404 404 404 404 404 404 404 404 404 404 404  in
act:route                             POST checking  404 404 404 404 404 404 404 404 404 404 404  in
edit_details                          GET  istanbul  200 200 404 403 403 404 404 403 403 403 403  in
edit_details                          POST istanbul  422 422 404 403 403 404 404 403 403 403 403  in
edit_details                          POST ankara    422 404 422 403 403 404 404 403 403 403 403  in
edit_details                          POST vendor    404 404 404 404 404 404 404 422 403 403 403  in
edit_team                             GET  istanbul  200 200 404 403 403 404 404 403 403 403 403  in
edit_team                             POST istanbul  422 422 404 403 403 404 404 403 403 403 403  in
edit_team                             POST ankara    422 404 422 403 403 404 404 403 403 403 403  in
edit_team                             POST vendor    404 404 404 404 404 404 404 422 403 403 403  in
edit_solutions                        GET  istanbul  200 200 404 403 403 404 404 403 403 403 403  in
edit_solutions                        POST istanbul  422 422 404 403 403 404 404 403 403 403 403  in
edit_solutions                        POST ankara    422 404 422 403 403 404 404 403 403 403 403  in
edit_solutions                        POST vendor    404 404 404 404 404 404 404 422 403 403 403  in
invite_partner                        GET  istanbul  200 200 404 403 403 404 404 403 403 403 403  in
invite_partner                        GET  inbound   200 404 404 403 403 404 404 403 403 403 403  in
invite_partner                        POST istanbul  422 422 404 403 403 404 404 403 403 403 403  in
invite_partner                        POST ankara    422 404 422 403 403 404 404 403 403 403 403  in
invite_partner                        POST vendor    404 404 404 404 404 404 404 403 403 403 403  in
suggest_partners                      GET  -         200 200 200 200 200 200 200 200 200 200 200  in
registration                          GET  istanbul  200 200 404 200 200 404 404 404 404 404 404  in
registration                          POST istanbul  200 200 404 200 200 404 404 404 404 404 404  in
registration                          POST ankara    200 404 200 200 200 404 404 404 404 404 404  in
registration                          POST private   200 200 404 200 200 404 404 404 404 404 404  in
registration                          GET  won       200 200 404 200 200 404 404 404 404 404 404  in
registration                          POST won       302 302 404 403 403 404 404 404 404 404 404  in
registration                          POST won-ankara 302 404 302 403 403 404 404 404 404 404 404  in
registration                          POST sent-back 302 302 404 403 403 404 404 404 404 404 404  in
registration                          POST vendor    404 404 404 404 404 404 404 404 404 404 404  in
registration_check                    POST istanbul  200 200 404 200 200 404 404 404 404 404 404  in
registration_check                    POST ankara    200 404 200 200 200 404 404 404 404 404 404  in
registration_check                    POST won       200 200 404 200 200 404 404 404 404 404 404  in
registration_check                    POST vendor    404 404 404 404 404 404 404 404 404 404 404  in
close_unregistered                    GET  won       200 200 404 404 404 404 404 404 404 404 404  in
close_unregistered                    POST istanbul  404 404 404 404 404 404 404 404 404 404 404  in
close_unregistered                    POST won       302 302 404 404 404 404 404 404 404 404 404  in
close_unregistered                    POST won-ankara 302 404 302 404 404 404 404 404 404 404 404  in
withdraw                              GET  sent-back 200 200 404 404 404 404 404 404 404 404 404  in
withdraw                              POST sent-back 302 302 404 404 404 404 404 404 404 404 404  in
withdraw                              POST won       422 422 404 404 404 404 404 404 404 404 404  in
register_after_all                    GET  sent-back 200 200 404 404 404 404 404 404 404 404 404  in
register_after_all                    POST won       422 422 404 404 404 404 404 404 404 404 404  in
register_after_all                    POST istanbul  404 404 404 404 404 404 404 404 404 404 404  in
revalidate                            GET  sent-back 200 200 404 404 404 404 404 404 404 404 404  in
revalidate                            POST won       422 422 404 404 404 404 404 404 404 404 404  in
documents                             GET  istanbul  200 200 404 200 200 404 404 404 200 404 404  in
documents                             GET  private   200 200 404 200 200 404 404 404 404 404 404  in
documents                             POST istanbul  302 302 404 403 403 404 404 404 403 404 404  in
documents                             POST private   302 302 404 403 403 404 404 404 404 404 404  in
document                              GET  istanbul  200 200 404 200 200 404 404 404 200 404 404  in
remove_document                       GET  istanbul  200 200 404 404 404 404 404 404 404 404 404  in
remove_document                       POST istanbul  302 302 404 404 404 404 404 404 404 404 404  in
isv_deals                             GET  -         200 200 200 200 200 200 200 200 200 200 200  in
exceptions                            GET  -         200 200 200 200 200 200 200 200 200 200 200  in
exception                             GET  request   200 200 404 200 200 404 404 404 200 200 200  in
ask_exception                         GET  ineligible 200 200 404 403 403 404 404 404 404 404 404  in
ask_exception                         POST ineligible 302 302 404 403 403 404 404 404 404 404 404  in
exception_check                       POST ineligible 200 200 404 403 403 404 404 404 404 404 404  in
answer_exception                      GET  asking    200 200 404 404 404 404 404 404 404 404 404  in
answer_exception                      POST asking    302 302 404 404 404 404 404 404 404 404 404  in
create_again                          POST lost      302 302 404 403 403 404 403 403 403 403 403  in
exception_letter                      GET  excepted  200 200 404 200 200 404 404 404 200 200 200  in
report_isv_deal                       GET  -         200 403 200 403 403 200 200 403 403 403 403  in
report_isv_deal                       POST -         302 403 422 403 403 422 422 403 403 403 403  in
report_isv_deal_of                    GET  sold      200 200 404 403 403 404 404 404 404 404 404  in
report_isv_deal_of                    POST sold      302 302 404 403 403 404 404 404 404 404 404  in
isv_deal                              GET  reported  200 404 404 200 200 404 404 200 200 200 200  in
isv:correct                           GET  reported  200 404 404 403 403 404 404 403 403 403 403  in
isv:correct                           POST reported  302 404 404 403 403 404 404 403 403 403 403  in
isv:cancel                            GET  reported  403 404 404 403 403 404 404 403 403 403 200  in
isv:cancel                            POST reported  403 404 404 403 403 404 404 403 403 403 302  in
isv_invoices_csv                      GET  reported  200 404 404 200 200 404 404 200 200 200 200  in
isv_invoice                           GET  invoice   200 404 404 200 200 404 404 200 200 200 200  in
isv_invoice_csv                       GET  invoice   200 404 404 200 200 404 404 200 200 200 200  in
isv_licences                          GET  given     200 404 404 200 200 404 404 200 200 200 200  in
isv_licences                          POST given     302 404 404 403 403 404 404 403 403 403 403  in
isv_licences_check                    POST given     200 404 404 403 403 404 404 403 403 403 403  in
isv_invite_customer                   POST given     200 404 404 403 403 404 404 403 403 403 403  in
isv_withdraw_invitation               GET  given     200 404 404 403 403 404 404 403 403 403 403  in
isv_withdraw_invitation               POST given     302 404 404 403 403 404 404 403 403 403 403  in
isv_remove_plan                       GET  given     200 404 404 403 403 404 404 403 403 403 403  in
isv_remove_plan                       POST given     302 404 404 403 403 404 404 403 403 403 403  in
consent                               GET  consent   200 200 200 200 200 200 200 200 200 200 200 200
consent                               POST consent   302 302 302 302 302 302 302 302 302 302 302 302
licence_link                          GET  -         200 200 200 200 200 200 200 200 200 200 200 200
licence_link                          POST -         200 200 200 200 200 200 200 200 200 200 200 200
licence_page                          GET  mailed    200 200 200 200 200 200 200 200 200 200 200 200
licence_page                          POST mailed    302 302 302 302 302 302 302 302 302 302 302 302
customer_licences                     GET  consented 302 302 302 302 302 302 302 302 302 302 302 302
customer_plan                         GET  consented 302 302 302 302 302 302 302 302 302 302 302 302
customer_plan                         POST consented 302 302 302 302 302 302 302 302 302 302 302 302
revoke_consent                        GET  consented 302 302 302 302 302 302 302 302 302 302 302 302
revoke_consent                        POST consented 302 302 302 302 302 302 302 302 302 302 302 302
end_licence_visit                     POST consented 302 302 302 302 302 302 302 302 302 302 302 302
notices                               GET  -         200 200 200 200 200 200 200 200 200 200 200  in
read_notices                          POST -         302 302 302 302 302 302 302 302 302 302 302  in
open_notice                           GET  notice    404 302 404 404 404 404 404 404 404 404 404  in
notification_settings                 GET  -         200 200 200 200 200 200 200 200 200 200 200  in
notification_settings                 POST -         302 302 302 302 302 302 302 302 302 302 302  in
demo_mails                            GET  -         404 404 404 404 404 404 404 404 404 404 404 404
demo_mail                             GET  -         404 404 404 404 404 404 404 404 404 404 404 404
demo_mail_html                        GET  -         404 404 404 404 404 404 404 404 404 404 404 404
set_language                          POST -         302 302 302 302 302 302 302 302 302 302 302 302
set_theme                             POST -         302 302 302 302 302 302 302 302 302 302 302 302
switch_company                        POST -         302 302 302 302 302 404 404 404 404 404 404  in
healthz                               GET  -         200 200 200 200 200 200 200 200 200 200 200 200
readyz                                GET  -         200 200 200 200 200 200 200 200 200 200 200 200
status                                GET  -         403 403 403 403 403 403 403 403 403 403 200  in
settings                              GET  -         302 302 302 302 302 302 302 302 302 302 302  in
people                                GET  -         403 403 403 403 200 403 403 403 403 403 200  in
invite_person                         GET  -         403 403 403 403 200 403 403 403 403 403 200  in
invite_person                         POST -         403 403 403 403 302 403 403 403 403 403 422  in
resend_invite                         POST asked     403 403 403 403 302 403 403 403 403 403 404  in
revoke_invite                         POST asked     403 403 403 403 302 403 403 403 403 403 404  in
invite                                GET  link      200 200 200 200 200 200 200 200 200 200 200 200
invite                                POST link      422 422 422 422 422 422 422 422 422 422 422 302
member                                GET  colleague 403 403 403 403 200 403 403 403 403 403 404  in
member                                POST colleague 403 403 403 403 302 403 403 403 403 403 404  in
deactivate_member                     POST colleague 403 403 403 403 302 403 403 403 403 403 404  in
reactivate_member                     POST colleague 403 403 403 403 302 403 403 403 403 403 404  in
locations                             GET  -         403 403 403 403 200 403 403 403 403 403 200  in
add_location                          GET  -         403 403 403 403 200 403 403 403 403 403 200  in
add_location                          POST -         403 403 403 403 302 403 403 403 403 403 302  in
edit_location                         GET  place     403 403 403 403 200 403 403 403 403 403 404  in
edit_location                         POST place     403 403 403 403 302 403 403 403 403 403 404  in
stage_names                           GET  -         403 403 403 403 200 403 403 403 403 403 200  in
stage_names                           POST -         403 403 403 403 302 403 403 403 403 403 302  in
remove_stage_name                     POST stage     403 403 403 403 302 403 403 403 403 403 404  in
api_clients                           GET  -         403 403 403 403 200 403 403 403 403 403 200  in
add_api_client                        GET  -         403 403 403 403 200 403 403 403 403 403 200  in
add_api_client                        POST -         403 403 403 403 200 403 403 403 403 403 422  in
api_client                            GET  client    403 403 403 403 200 403 403 403 403 403 404  in
api_client                            POST client    403 403 403 403 302 403 403 403 403 403 404  in
api_client_access                     GET  client    403 403 403 403 200 403 403 403 403 403 404  in
api_client_access                     POST client    403 403 403 403 302 403 403 403 403 403 404  in
rotate_api_client                     POST client    403 403 403 403 200 403 403 403 403 403 404  in
revoke_api_client                     POST client    403 403 403 403 302 403 403 403 403 403 404  in
api_schema                            GET  -         200 200 200 200 200 200 200 200 200 200 200 200
api_docs                              GET  -         200 200 200 200 200 200 200 200 200 200 200 200
oauth_token                           POST -         400 400 400 400 400 400 400 400 400 400 400 400
oauth_token_alias                     POST -         400 400 400 400 400 400 400 400 400 400 400 400
oauth_revoke                          POST -         400 400 400 400 400 400 400 400 400 400 400 400
oauth_authorize                       GET  -         400 400 400 400 400 400 400 400 400 400 400  in
oauth_authorize_alias                 GET  -         400 400 400 400 400 400 400 400 400 400 400  in
webhook                               GET  -         403 403 403 403 200 403 403 403 403 403 200  in
webhook                               POST -         403 403 403 403 302 403 403 403 403 403 200  in
renew_webhook_secret                  POST -         403 403 403 403 200 403 403 403 403 403 404  in
pause_webhook                         POST -         403 403 403 403 302 403 403 403 403 403 404  in
resume_webhook                        POST -         403 403 403 403 302 403 403 403 403 403 404  in
test_webhook                          POST -         403 403 403 403 302 403 403 403 403 403 404  in
delivery                              GET  delivery  403 403 403 403 200 403 403 403 403 403 404  in
replay_delivery                       POST delivery  403 403 403 403 302 403 403 403 403 403 404  in
webhook_certificate                   GET  certificate 200 200 200 200 200 200 200 200 200 200 200 200
profile                               GET  -         200 200 200 200 200 200 200 200 200 200 200  in
profile                               POST -         302 302 302 302 302 302 302 302 302 302 302  in
account_login                         GET  -         302 302 302 302 302 302 302 302 302 302 302 200
account_logout                        GET  -         200 200 200 200 200 200 200 200 200 200 200 302
account_signup                        GET  -         302 302 302 302 302 302 302 302 302 302 302 200
account_inactive                      GET  -         200 200 200 200 200 200 200 200 200 200 200 200
account_reauthenticate                GET  -         200 200 200 200 200 200 200 200 200 200 200  in
account_change_password               GET  -         200 200 200 200 200 200 200 200 200 200 200  in
account_set_password                  GET  -         302 302 302 302 302 302 302 302 302 302 302  in
account_reset_password                GET  -         200 200 200 200 200 200 200 200 200 200 200 200
account_reset_password_done           GET  -         200 200 200 200 200 200 200 200 200 200 200 200
account_reset_password_from_key       GET  -         200 200 200 200 200 200 200 200 200 200 200 200
account_reset_password_from_key_done  GET  -         200 200 200 200 200 200 200 200 200 200 200 200
account_email                         GET  -         302 302 302 302 302 302 302 302 302 302 302 302
account_email_verification_sent       GET  -         200 200 200 200 200 200 200 200 200 200 200 200
account_confirm_email                 GET  -         200 200 200 200 200 200 200 200 200 200 200 200
account_confirm_login_code            GET  -         302 302 302 302 302 302 302 302 302 302 302  in
account_login                         POST -         302 302 302 302 302 302 302 302 302 302 302 302
account_logout                        POST -         302 302 302 302 302 302 302 302 302 302 302 302
account_signup                        POST -         302 302 302 302 302 302 302 302 302 302 302 200
account_email                         POST -         302 302 302 302 302 302 302 302 302 302 302 302
admin:index                           GET  -         403 403 403 403 403 403 403 403 200 200 200  in
admin:login                           GET  -         403 403 403 403 403 403 403 403 302 302 302  in
admin:app_list                        GET  -         403 403 403 403 403 403 403 403 200 200 200  in
admin:autocomplete                    GET  -         403 403 403 403 403 403 403 403 403 403 403  in
admin:jsi18n                          GET  -         403 403 403 403 403 403 403 403 200 200 200  in
admin:password_change                 GET  -         403 403 403 403 403 403 403 403 200 200 200  in
admin:password_change_done            GET  -         403 403 403 403 403 403 403 403 200 200 200  in
admin:logout                          POST -         302 302 302 302 302 302 302 302 200 200 200 302
admin/(?P<url>.*)$                    GET  -         403 403 403 403 403 403 403 403 404 404 404  in
admin:desk_act                        POST -         403 403 403 403 403 403 403 403 302 302 302  in
admin:desk_pass                       GET  -         403 403 403 403 403 403 403 403 200 403 403  in
admin:desk_pass                       POST -         403 403 403 403 403 403 403 403 200 403 403  in
admin:desk_filters                    POST -         403 403 403 403 403 403 403 403 302 302 302  in
admin:desk_figures                    GET  -         403 403 403 403 403 403 403 403 200 200 200  in
admin:money_monthlyrate_upload        GET  -         403 403 403 403 403 403 403 403 403 403 200  in
admin:money_monthlyrate_upload        POST -         403 403 403 403 403 403 403 403 403 403 200  in
admin:accounts_company_close          GET  partner   403 403 403 403 403 403 403 403 403 403 200  in
admin:accounts_company_close          POST partner   403 403 403 403 403 403 403 403 403 403 200  in
admin:accounts_company_reopen         GET  partner   403 403 403 403 403 403 403 403 403 403 200  in
admin:accounts_company_reopen         POST partner   403 403 403 403 403 403 403 403 403 403 302  in
admin:accounts_company_merge          GET  partner   403 403 403 403 403 403 403 403 403 403 200  in
admin:accounts_company_merge          POST partner   403 403 403 403 403 403 403 403 403 403 200  in
admin:customers_customer_import       GET  -         403 403 403 403 403 403 403 403 403 403 200  in
admin:customers_customer_import       POST -         403 403 403 403 403 403 403 403 403 403 200  in
admin:policy_policyversion_withdraw   GET  coming   403 403 403 403 403 403 403 403 403 403 200  in
admin:policy_policyversion_withdraw   POST coming   403 403 403 403 403 403 403 403 403 403 302  in
admin:policy_policydraft_drop         POST policy_draft 403 403 403 403 403 403 403 403 403 403 302  in
admin:dealreg_marketplacetransaction_import GET  -     403 403 403 403 403 403 403 403 403 403 200  in
admin:dealreg_marketplacetransaction_import POST -     403 403 403 403 403 403 403 403 403 403 200  in
admin:dealreg_marketplacetransaction_void GET  transaction 403 403 403 403 403 403 403 403 403 403 200  in
admin:dealreg_marketplacetransaction_void POST transaction 403 403 403 403 403 403 403 403 403 403 302  in
admin:exceptions_council_exceptionrequest_reports GET - 403 403 403 403 403 403 403 403 200 200 200  in
admin:exceptions_council_exceptionrequest_letter GET letter 403 403 403 403 403 403 403 403 200 200 200  in
admin:exceptions_council_lettertemplate_preview POST - 403 403 403 403 403 403 403 403 403 403 422  in
admin:isvconnect_invoice_pdf          GET  issued    403 403 403 403 403 403 403 403 200 200 200  in
admin:isvconnect_invoice_csv          GET  issued    403 403 403 403 403 403 403 403 200 200 200  in
admin:isvconnect_invoicerun_next      GET  -         403 403 403 403 403 403 403 403 200 200 200  in
admin:isvconnect_feerate_preview      POST -         403 403 403 403 403 403 403 403 403 403 422  in
admin:isvconnect_feerate_remove       GET  fee_rate  403 403 403 403 403 403 403 403 403 403 200  in
admin:isvconnect_feerate_remove       POST fee_rate  403 403 403 403 403 403 403 403 403 403 302  in
"""

#: The admin's lists: who reads, who adds, who changes (r: reviewers, c: council, m: programme managers). Each stands
#: for the rows of its nine addresses and methods; nobody deletes, and to everybody else the admin is closed.
LISTS = """
accounts_company        rcm m m
accounts_membership     rcm m m
accounts_user           rcm m m
catalog_assessmenttype  rcm m m
catalog_solution        rcm m m
customers_customer      rcm m m
dealreg_marketplacetransaction rcm m -
desk_case               rcm - -
dealreg_registration    rcm - r
desk_commenttemplate    rcm m m
events_event            rcm - -
exceptions_council_exceptionrequest rcm - rc
exceptions_council_lettertemplate rcm m m
isvconnect_feerate      rcm m m
isvconnect_invoice      rcm - -
isvconnect_invoicerun   rcm - -
isvconnect_isvdeal      rcm - m
money_monthlyrate       rcm - -
notify_notice           rcm - -
policy_policyversion    rcm m -
referrals_referral      rcm - -
"""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    route: str
    method: str
    subject: str
    expected: dict[str, str]

    @property
    def spoken(self) -> str:
        return f"{self.method} {self.route} {self.subject}".strip()


def _table() -> Iterator[Row]:
    for line in TABLE.strip().splitlines():
        route, method, subject, *answers = line.split()
        yield Row(route, method, subject if subject != "-" else "", dict(zip(ACTORS, answers, strict=True)))


def _lists() -> Iterator[Row]:
    for line in LISTS.strip().splitlines():
        model, read, add, change = line.split()
        for page in ("changelist", "history"):
            yield Row(f"admin:{model}_{page}", "GET", "", _vendors(read))
        yield Row(f"admin:{model}_change", "GET", "", _vendors(read))
        yield Row(f"admin:{model}_change", "POST", "", _vendors(change))
        yield Row(f"admin/{'/'.join(model.rsplit('_', 1))}/<path:object_id>/", "GET", "", _vendors(read))
        for method in ("GET", "POST"):
            yield Row(f"admin:{model}_add", method, "", _vendors(add))
            yield Row(f"admin:{model}_delete", method, "", _vendors("-"))


def _vendors(letters: str) -> dict[str, str]:
    """Open to these roles of the admin only. Of the others, whom one door keeps out, four stand for all."""
    allowed = {actor for actor in ("review", "counc", "manag") if actor[0] in letters}
    answers = {actor: "open" if actor in allowed else "403" for actor in ("review", "counc", "manag")}
    return {**answers, "owner": "403", "admin": "403", "seller": "403", "anon": "in"}


ROWS = [*_table(), *_lists()]


class World:
    """Contoso's deals of every kind the table is about, and one entry of each list in the admin."""

    def __init__(self, cast: Cast) -> None:
        self.cast, self.live = cast, Live(cast)
        self.deals = self._deals(self.live)
        self.things: dict[str, Any] = {subject: deal.public_id for subject, deal in self.deals.items()}
        owner = cast.actor(ACTORS["owner"])
        self.things |= self._settings(self.live)
        self.things["export"] = exports.request_export("", kind="csv", actor=owner, now=self.live.now).public_id
        self.things["view"] = views.save_view("deals", "Big", "tab=outbound", actor=owner).public_id
        self.things["upload"] = self._upload()
        self.things["transaction"] = self._transaction()
        do.add_document(self.deals["istanbul"], "a.pdf", papers.pdf("Signed"), actor=owner, now=self.live.now)
        document = [str(Document.objects.latest("pk").public_id)]
        self.more = {**_MORE, "document": document, "remove_document": document}
        feed = calendar.renew_calendar_feed(mine=False, actor=owner, now=self.live.now)
        self.things["request"] = self._request()
        self.things["feed"] = calendar.calendar_token(feed)
        self.things["notice"] = Notice.objects.of(cast.users[ACTORS["team"]].pk).latest("pk").pk
        self.things |= self._excepted() | self._isv() | self._licences()
        self.entries = {
            "accounts_user": cast.users[ACTORS["strang"]].pk,
            "dealreg_registration": self.live.in_review().pk,
            "referrals_referral": self.deals["vendor"].pk,
        }
        policies.add_version(values={"answer_days": 15}, effective_from=None, note="", by=None, now=self.live.now)
        self.things |= self._policy()
        self.things["partner"] = cast.companies["northwind"].pk

    def _policy(self) -> dict[str, int]:
        """A version to come, and a draft of another."""
        later, manager = self.live.now + timedelta(days=3), self.cast.actor(ACTORS["manag"] or "")
        coming = policies.add_version(values={}, effective_from=later, note="", by=None, now=self.live.now)
        draft = programme.save_policy_draft(
            values={}, effective_from=None, note="Later", actor=manager, now=self.live.now
        )
        return {"coming": coming.pk, "policy_draft": draft.pk}

    def _upload(self) -> uuid.UUID:
        """A file of the owner's that was looked at."""
        given: dict[str, Any] = {"actor": self.cast.actor(ACTORS["owner"] or ""), "now": self.live.now}
        upload = uploads.receive("deals", name="deals.csv", content=b"Referral ID\nx\n", **given)
        uploads.work_on(upload.pk, now=self.live.now)
        return upload.public_id

    def _excepted(self) -> dict[str, Any]:
        """A deal with a decided exception, whose letter there is; and one to decide on, the newest."""
        now, deals = self.live.now, [self.live.won(customer=exceptions.unmanaged()) for _number in range(2)]
        decided, _open = (exceptions.asked(self.cast, deal, now=now) for deal in deals)
        exceptions.approved(self.cast, decided, now=now)
        CommentTemplate.objects.create(used_for="registration.fail_review", text_en="No.", text_tr="Hayır.")
        LetterTemplate.objects.create(outcome="denied", language="en", subject="No", body="No.")
        return {"excepted": deals[0].public_id, "letter": decided.pk}

    def _isv(self) -> dict[str, Any]:
        """Contoso's direct ISV Connect deal, the invoice of another, and a sale that is to be reported."""
        now, cast = self.live.now, self.cast
        isv.rates(cast)
        invoice = isv.invoiced(cast, now=now).invoices.get()
        InvoiceRun.objects.create(started_at=now)
        sold = self.live.won(solutions=[isv.tagged(cast)])
        return {
            "reported": isv.deal(cast, now=now).public_id,
            "invoice": invoice.public_id,
            "issued": invoice.pk,
            "fee_rate": FeeRate.objects.get(tag="standard").pk,
            "sold": sold.public_id,
        }

    def _licences(self) -> dict[str, Any]:
        """Contoso's deal whose customer has licences, with an invitation that waits; what only links open is tried in
        test_roles_by_link."""
        given = licences.given(self.cast, now=self.live.now)
        asked = licences.invited(self.cast, given.deal, now=self.live.now)
        self.plan = licences.plan(given.deal).pk
        self.more |= {
            "isv_withdraw_invitation": [str(asked.invitation.public_id)],
            "isv_remove_plan": [str(self.plan)],
            "customer_plan": [str(given.public_id), str(self.plan)],
        }
        return {
            "given": given.deal.public_id,
            "consent": asked.token,
            "mailed": licences.newest_link(given.relationship),
            "consented": given.relationship.public_id,
        }

    def _deals(self, live: Live) -> dict[str, Referral | Draft]:
        ankara = {"location": self.cast.locations[ANKARA], "team": [build.member("referrals@contoso.example")]}
        return {
            "istanbul": live.accepted(days=1),
            "ankara": live.accepted(days=1, **ankara),
            "private": live.deal(help_code="Unknown", vendor_may_view=False),
            "planned": do.schedule_win(live.accepted(days=1), actor=self.cast.actor(build.CONTOSO), now=live.now),
            "inbound": live.received(),
            "vendor": build.vendor_copy(live.deal()),
            "won": live.won(),
            "won-ankara": live.won(**ankara),
            "checking": live.submitted().referral,
            "sent-back": live.sent_back().referral,
            "ineligible": live.won(customer=exceptions.unmanaged()),
            "asking": live.won(customer=exceptions.unmanaged()),
            "lost": do.lose(live.accepted(), actor=self.cast.actor(build.CONTOSO), now=live.now, reason_code="budget"),
            "draft": live.draft(),
        }

    def _request(self) -> uuid.UUID:
        """Contoso's request for an exception, about which the council asks."""
        day, owner = self.live.day, self.cast.actor(ACTORS["owner"] or "")
        form = exceptions.asking(signed=day(-100), start=day(-100), end=day(264))
        request = do.ask_exception(self.deals["asking"], form, actor=owner, now=self.live.now)
        reviewer = self.cast.actor(build.REVIEWER)
        return do.ask_evidence(request, "The contract?", actor=reviewer, now=self.live.now).public_id

    def _transaction(self) -> int:
        """One that no registration has."""
        row = NewTransaction(
            Details("MP-1", self.live.now.date(), Decimal(5), "EUR"),
            self.cast.companies["contoso"],
            self.cast.customers["ege"],
            self.cast.solutions["factory"],
        )
        return marketplace.add_transaction(row, actor=self.cast.actor(ACTORS["manag"] or ""), now=self.live.now).pk

    def _settings(self, live: Live) -> dict[str, Any]:
        """What Contoso's account admin keeps, one of each, and the link that invites."""
        contoso, admin = self.cast.companies["contoso"], self.cast.actor(ACTORS["admin"] or "")
        who: dict[str, Any] = {"company": contoso, "actor": admin, "now": live.now}
        asked = invites.create(email="asked@contoso.example", grants=[Grant("viewer")], language="en", **who)
        return {
            "asked": asked.public_id,
            "link": invites.token(asked),
            "colleague": self.cast.users["user@contoso.example"].memberships.get().pk,
            "place": self.cast.locations[ANKARA].pk,
            "client": clients.create(name="CRM", scopes=["referrals.read"], role="viewer", **who)[0].public_id,
            "stage": stage_names.add(name="Demo booked", stage=40, **who).pk,
            **self._webhook(admin),
        }

    def _webhook(self, admin: Actor) -> dict[str, Any]:
        """Contoso's, with a test that waits to be sent, and the key that would sign it."""
        now = self.live.now
        webhooks.set_up(url="https://crm.example.com/", names=["test-created"], actor=admin, now=now)
        certificate = signing.rotate(now=now).public_id
        return {"delivery": webhooks.send_test(actor=admin, now=now).public_id, "certificate": certificate}

    def nobodys(self, subject: str) -> Any:
        """An id like the subject's that nothing has."""
        return uuid.uuid4() if isinstance(self.things[subject], uuid.UUID) else 2**31 - 1

    def address(self, row: Row, other: Any = None) -> str:
        """Where the row's page is; of another thing than the row's if one is given."""
        if row.subject:
            known = other or self.things[row.subject]
            kind, _colon, verb = row.route.partition(":")
            if kind in VERB_PAGES:
                return reverse(VERB_PAGES[kind], args=[known, verb])
            return reverse(row.route, args=[known, *self.more.get(row.route, [])])
        if "<path:object_id>" in row.route:
            model = "_".join(row.route.split("/")[1:3])
            return "/" + row.route.replace("<path:object_id>", str(self._entry(model)))
        if "(?P<url>" in row.route:
            return "/admin/nothing/"
        page = re.fullmatch(r"admin:(\w+)_(change|history|delete)", row.route)
        args = [self._entry(page[1])] if page and "password" not in row.route else _ARGS.get(row.route, [])
        return reverse(row.route, args=args)

    def _entry(self, model: str) -> int:
        """The newest entry of a list in the admin, or the one that the world chose."""
        return self.entries.get(model) or apps.get_model(".".join(model.rsplit("_", 1))).objects.latest("pk").pk

    def sent(self, row: Row) -> dict[str, Any]:
        """What the form of the page would send."""
        if row.route in {"registration", "registration_check"}:
            return _registration(self.live)
        if row.route in {"ask_exception", "exception_check"}:
            return _exception(self.live)
        if row.route in {"report_isv_deal", "report_isv_deal_of", "isv:correct"}:
            return _isv_deal(self)
        if row.route in {"isv_licences", "isv_licences_check"}:
            return {"plan": self.plan, f"count_{self.plan}": "20", f"was_{self.plan}": "10"}
        if row.route == "send_deal":
            return _sent_deal(self)
        if row.route == "documents":
            return {"documents": SimpleUploadedFile("b.png", papers.png())}
        company = self.cast.companies["contoso"].public_id
        return {"switch_company": {"company": company}, **_SENT}.get(row.route, {})


#: The pages of verbs: what a row calls them, and their address.
VERB_PAGES = {"act": "act", "isv": "isv_deal_action"}
#: What stands in an address behind the deal or the draft.
_MORE: dict[str, list[str]] = {
    "new_deal_step": ["deal"],
    "new_deal_invitation": ["0123456789ab"],
    "admin:exceptions_council_exceptionrequest_letter": ["en"],
}
_ARGS: dict[str, list[str]] = {
    "admin:view_on_site": ["1", "1"],
    "admin:app_list": ["dealreg"],
    "choose_columns": ["deals"],
    "list_suggestions": ["deals"],
    "export_list": ["deals"],
    "save_view": ["deals"],
    "insights_csv": ["funnel"],
    "demo_mail": [str(uuid.uuid4())],
    "demo_mail_html": [str(uuid.uuid4())],
    "account_confirm_email": ["unknown"],
    "account_reset_password_from_key": ["1", "un-known"],
}
_TEAM = {
    "team-TOTAL_FORMS": "1", "team-INITIAL_FORMS": "0", "team-0-first_name": "Umut", "team-0-last_name": "Öztürk",
    "team-0-phone": "1", "team-0-email": "user@contoso.example",
}  # fmt: skip
_SENT: dict[str, dict[str, str]] = {
    "set_language": {"language": "tr"},
    "set_theme": {"theme": "dark"},
    "favorite": {"on": "yes"},
    "export_list": {"format": "csv"},
    "save_view": {"name": "Mine"},
    "saved_view": {"name": "Renamed"},
    "edit_row": {"stage": "40", "close_date": "2099-01-01", "version": "1"},
    "read_notices": {"newest": "0"},
    "new_deal_step": {"go": "back"},
    "add_note": {"text": "Seen.", "shared": "yes"},
    "isv:cancel": {"reason": "Rescinded."},
    "consent": {"go": "accept", "name": "A", "email": "a@b.example", "tenant_guid": str(licences.TENANT)},
    "licence_link": {"email": licences.ADMIN},
    "act:accept": {"name": "Plant", "value": "5", "currency": "EUR", "close_date": "2099-01-01", **_TEAM},
    "act:decline": {"reason_code": "budget"},
    "act:lose": {"reason_code": "budget"},
    "act:close-as-error": {"reason_code": "test"},
    "act:set-references": {"crm_id": "CRM-7"},
    "act:set-stage": {"stage": "40"},
    "act:edit-contact": {"contact_name": "Canan Kaya"},
    "act:share-with-vendor": {},
    "act:request-help": {
        "help_code": build.HELP,
        "contact_name": "Deniz",
        "contact_phone": "1",
        "contact_email": "d@customer.example",
        "contact_consent": "on",
    },
    "admin:desk_act": {"do": "next"},
    "admin:desk_pass": {"validated_by": "figures"},
    "admin:desk_filters": {"name": "Mine"},
    "admin:dealreg_marketplacetransaction_void": {"reason": "Booked twice."},
    "admin:exceptions_council_exceptionrequest_change": {"verb": "ask_evidence", "text": "The contract?"},
    "admin:dealreg_registration_change": {"verb": "pass_review", "validated_by": "poe"},
    "invite_person": {"email": "new@contoso.example", "language": "en", "viewer": "all"},
    "invite": {"first_name": "A", "last_name": "B", "language": "en", "password": "horse 7 x", "again": "horse 7 x"},
    "member": {"viewer": "all"},
    "add_location": {"name": "Izmir", "city": "Izmir", "country": "TR", "mpn_id": "1"},
    "edit_location": {"name": "Ankara 2", "city": "Ankara"},
    "api_client_access": {"role": "viewer", "scopes": "referrals.read"},
    "add_api_client": {"name": "CRM", "kind": "company", "role": "viewer", "scopes": "referrals.read"},
    "answer_exception": {"answer": "It is under Documents."},
    "stage_names": {"name": "Offer", "stage": "60"},
    "webhook": {"url": "https://crm.example.com/", "events": "test-created"},
    "profile": {"first_name": "A", "last_name": "B", "language": "en", "time_zone": "UTC"},
    "account_login": {"login": "referrals@contoso.example", "password": PASSWORD},
}


def _registration(live: Live) -> dict[str, Any]:
    return {
        "marketplace": "no", "deployment": "azure", "tenant": "customer", "pricing": "other", "term": "finite",
        "signed": live.day(-1), "start": live.day(-1), "end": live.day(364), "tcv": "40000", "tcv_currency": "EUR",
        "solution_value": "30000", "solution_value_currency": "EUR", "contract_names_confirmed": "on",
    }  # fmt: skip


def _exception(live: Live) -> dict[str, Any]:
    return {
        "kind": "pre_registration", "justification": "The portal was down.", "term": "finite", "confirmed": "yes",
        "signed": live.day(-100), "start": live.day(-100), "end": live.day(264),
    }  # fmt: skip


def _isv_deal(world: World) -> dict[str, Any]:
    cast, today = world.cast, world.live.now.date()
    return {
        "location": cast.locations[ISTANBUL].pk, "country": "TR", "customer": cast.customers["anadolu"].public_id,
        "solution": isv.tagged(cast).public_id, "tcv": "15000", "tcv_currency": "EUR", "solution_value": "12000",
        "solution_value_currency": "EUR", "deployment": "azure", "tenant": "partner", "signed": today, "start": today,
        "end": world.live.day(400), "contact_first_name": "A", "contact_last_name": "B", "contact_phone": "1",
        "contact_email": "user@contoso.example",
    }  # fmt: skip


def _sent_deal(world: World) -> dict[str, Any]:
    """A seller's for Fabrikam."""
    cast = world.cast
    return {
        "creation_key": uuid.uuid4(), "customer": cast.customers["isar"].public_id, "name": "Plant", "value": "1",
        "currency": "EUR", "close_date": world.live.day(3), "partner": cast.companies["fabrikam"].public_id,
        "solutions": cast.solutions["twin"].public_id, "help_code": build.HELP,
    }  # fmt: skip


class Visitor:
    """One actor at a browser; what they do is undone at once, so that every row finds the same world."""

    def __init__(self, world: World, actor: str) -> None:
        self.world, self.actor, self.was_refused = world, actor, False
        self.client = world.live.browser(ACTORS[actor])
        self.cookies = SimpleCookie(self.client.cookies)
        self.at_the_admins_door = self._read(self.client.get("/admin/login/?next=/admin/"))
        self.unknown: dict[tuple[str, str], tuple[int, str]] = {}

    def answer(self, row: Row) -> tuple[str, HttpResponse]:
        response = self._ask(row, self.world.address(row))
        return self._read(response), response

    def told_apart(self, row: Row, response: HttpResponse) -> bool:
        """Whether the answer differs from the one to an id that nobody has (ORG-6)."""
        key = row.route, row.method
        if key not in self.unknown:
            nobody = self.world.nobodys(row.subject)
            self.unknown[key] = _seen(self._ask(row, self.world.address(row, nobody)), nobody)
        return _seen(response, self.world.things[row.subject]) != self.unknown[key]

    def _ask(self, row: Row, address: str) -> HttpResponse:
        self.client.cookies = SimpleCookie(self.cookies)
        with transaction.atomic(), patch.multiple(urls, handler403=self.refuse, handler404=self.miss, create=True):
            if row.method == "GET":
                response = self.client.get(address)
            else:
                response = self.client.post(address, self.world.sent(row))
            transaction.set_rollback(True)
        return response

    def refuse(self, request: HttpRequest, exception: Exception) -> HttpResponse:
        """With the page that says so; for those of whose answers only the status counts, with their first."""
        if self.was_refused and self.actor not in STRICT:
            return HttpResponseForbidden()
        self.was_refused = True
        return permission_denied(request, exception)

    def miss(self, request: HttpRequest, exception: Exception) -> HttpResponse:
        """With the page that says so, which is the same for all that is missing; drawn for the same people alone."""
        return page_not_found(request, exception) if self.actor in STRICT else HttpResponseNotFound()

    def _read(self, response: HttpResponse) -> str:
        to = response.headers.get("Location", "")
        if to.startswith("/accounts/login/"):
            return "in"
        return self.at_the_admins_door if to.startswith("/admin/login/") else str(response.status_code)


#: Who looks at the answers themselves, too: somebody of each kind.
STRICT = {"owner", "admin", "manag", "anon"}
#: Asked by machines, which keep nothing.
PROBES = {"healthz", "readyz"}


def _loose(actor: str, row: Row, response: HttpResponse) -> list[str]:
    """What a browser isn't told to refuse, and what it or a proxy would keep of somebody signed in."""
    if actor not in STRICT or row.route in PROBES:
        return []
    kept = actor != "anon" and response.headers.get("Cache-Control") != "no-store"
    found = [] if row.route == "document" else faults(response)  # its own policy: tests/test_documents.py
    found += ["can be kept"] if kept else []
    return [f"{row.spoken}: {actor}: {fault}" for fault in found]


def _as_expected(answer: str, expected: str) -> bool:
    return answer in {"200", "302"} if expected == "open" else answer == expected


def _seen(response: HttpResponse, known: Any) -> tuple[int, str]:
    """What one can tell of an answer, without what differs every time."""
    body = response.content.decode().replace(f"/{known}/", "")
    body = re.sub(r'(csrfmiddlewaretoken" value="|"X-CSRFToken": ")\w+', "", body)
    return response.status_code, body


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: "-".join(group))
def test_everybody_gets_the_answer_of_the_table(world: World, group: list[str]) -> None:
    """ORG-2, ORG-3, ORG-4, REF-3; and ORG-6: what one may not know of answers like what doesn't exist.

    No answer needs or allows inline code, and none to somebody signed in is kept by a browser or a proxy.
    """
    wrong, told, loose = [], [], []
    for actor in group:
        visitor = Visitor(world, actor)
        for row in (row for row in ROWS if actor in row.expected):
            answer, response = visitor.answer(row)
            if not _as_expected(answer, row.expected[actor]):
                wrong.append(f"{row.spoken}: {actor} gets {answer}, not {row.expected[actor]}")
            if answer == "404" and row.subject and visitor.told_apart(row, response):
                told.append(f"{row.spoken}: {actor} can tell it from an unknown one")
            loose += _loose(actor, row, response)
    assert wrong == []
    assert told == []
    assert loose == []


def _addresses(patterns: list[Any], prefix: str = "", namespace: str = "") -> Iterator[str]:
    """Every address the portal answers, by its name, or as a pattern where it has none; not those of the API's
    endpoints, each of which test_api_roles tries."""
    for entry in patterns:
        place = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            space = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _addresses(entry.url_patterns, place, space)
        elif not hasattr(entry.callback, "cls"):
            yield f"{namespace}{entry.name}" if entry.name else place


#: Of the names that begin like those of endpoints, the pages.
PAGES_ABOUT_THE_API = {"api_clients", "api_client", "api_client_access", "api_schema", "api_docs"}


def test_every_address_is_in_the_table() -> None:
    """And every verb that has a page, and every page that takes something in, with a row that sends it."""
    rows = [*_table(), *_lists()]
    verbs = {row.route: VERB_PAGES.get(row.route.partition(":")[0]) for row in rows}
    routes = {page or route for route, page in verbs.items()}
    assert routes >= PAGES_ABOUT_THE_API
    assert {route for route in routes if not route.startswith("api_")} | PAGES_ABOUT_THE_API == set(
        _addresses(get_resolver().url_patterns)
    )
    sent = {row.route for row in rows if row.method == "POST"}
    assert {f"act:{verb.replace('_', '-')}" for verb in actions.PAGES} <= sent
    assert {f"isv:{verb}" for verb in (*isv_actions.PAGES, "correct")} <= sent
    assert {
        "registration",
        "registration_check",
        "close_unregistered",
        "withdraw",
        "register_after_all",
        "revalidate",
        "new_deal_step",
        "send_deal",
        "add_note",
        "ask_exception",
        "exception_check",
        "answer_exception",
        "report_isv_deal",
        "report_isv_deal_of",
        "isv_licences",
        "isv_licences_check",
        "isv_invite_customer",
        "isv_withdraw_invitation",
        "isv_remove_plan",
        "consent",
        "licence_link",
        "licence_page",
        "customer_plan",
        "revoke_consent",
        "end_licence_visit",
    } <= sent
