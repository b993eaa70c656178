"""The pages of notices and mail preferences (REF-24, F5.2), and the kept mail of the demo."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.accounts.decorators import ActorRequest, needs_actor
from portal.accounts.middleware import COMPANY_KEY
from portal.accounts.models import Membership
from portal.notify import demo_mail, rules, selectors, services
from portal.notify.forms import PreferencesForm
from portal.notify.models import Notice
from portal.params import whole_number
from portal.ui.http import done, form_page, posted

PAGE = 30
#: Of a mail's own HTML: no script, no form, no origin, nothing fetched; a clicked link opens in the whole window.
MAIL_POLICY = (
    "sandbox allow-top-navigation-by-user-activation; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


@needs_actor
@require_GET
def notices(request: ActorRequest) -> HttpResponse:
    """Newest first; *load more* asks for what is below a notice."""
    person, after = request.user, whole_number(request.GET.get("after"))
    shown, last = selectors.page(person, request.memberships, after=after, limit=PAGE)
    context = {
        "shown": shown,
        "more_url": f"{reverse('notices')}?after={last}" if last else "",
        "newest": max((item.notice.pk for item in shown), default=0),
        "any_unread": bool(selectors.unread_count(person.pk)),
    }
    more = request.htmx and after is not None
    return render(request, "notify/notices.html#rows" if more else "notify/notices.html", context)


@needs_actor
@require_GET
def open_notice(request: ActorRequest, pk: int) -> HttpResponse:
    """Mark the notice as read and open its page, acting for the company that may see it."""
    notice = get_object_or_404(Notice.objects.of(request.user.pk), pk=pk)
    services.mark_read(notice, now=timezone.now())
    opened = selectors.openers(_own_first(request), [notice.link])
    if notice.link not in opened:
        raise Http404
    membership = opened[notice.link]
    if membership is not None and membership.company_id != request.actor.company_id:
        request.session[COMPANY_KEY] = membership.company_id
    return redirect(notice.link or selectors.link(notice))


def _own_first(request: ActorRequest) -> list[Membership]:
    """The person's memberships, the one they act by before the others."""
    return sorted(request.memberships, key=lambda m: m.company_id != request.actor.company_id)


@needs_actor
@require_POST
def read_all(request: ActorRequest) -> HttpResponse:
    newest = whole_number(request.POST.get("newest"))
    if newest is None:
        raise Http404
    services.mark_all_read(request.user, upto=newest, now=timezone.now())
    return redirect("notices")


@needs_actor
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: ActorRequest) -> HttpResponse:
    user = request.user
    roles = {grant.role for membership in request.memberships for grant in membership.grants.all()}
    form = PreferencesForm(posted(request), user=user, roles=roles)
    if form.is_valid():
        services.set_preferences(user, form.wanted)
        return done(request, gettext("Your preferences were saved."), "notification_settings")
    context = {
        "mandatory": [category for category in rules.receivable(roles) if category.mandatory],
        "digest_time": rules.DIGEST_TIME,
        "language": dict(settings.LANGUAGES)[user.language],
    }
    return form_page(request, "notify/preferences.html", form, **context)


# The mail of the demo


def demo_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Only in a demo, and there for everybody, signed in or not: invited people have no account yet. Elsewhere 404."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if settings.DEMO_MAIL_DIR is None:
            raise Http404
        return view(request, *args, **kwargs)

    return wrapped


@demo_only
@require_GET
def demo_mails(request: HttpRequest) -> HttpResponse:
    """The kept mails, newest first; the next page begins after the last one shown."""
    to, below = request.GET.get("to", "").strip(), request.GET.get("before", "")
    try:
        before = UUID(below) if below else None
    except ValueError as error:
        raise Http404 from error
    mails = demo_mail.newest(to=to, before=before, limit=PAGE + 1)
    more = mails[:PAGE][-1].public_id if len(mails) > PAGE else None
    context = {
        "mails": mails[:PAGE],
        "to": to,
        "kept": demo_mail.MAX_KEPT,
        "more_url": f"{reverse('demo_mails')}?{urlencode({'to': to, 'before': more})}" if more else "",
    }
    return render(request, "notify/demo_mails.html", context)


@demo_only
@require_GET
def demo_mail_page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    mail = _kept(public_id)
    return render(request, "notify/demo_mail.html", {"mail": mail, "as_text": "text" in request.GET or not mail.html})


@demo_only
@require_GET
def demo_mail_html(_request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The HTML part of a mail, for the iframe on its page."""
    html = _kept(public_id).html.replace("<head>", '<head><base target="_top">', 1)
    return HttpResponse(html, headers={"Content-Security-Policy": MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN"})


def _kept(public_id: UUID) -> demo_mail.Mail:
    mail = demo_mail.find(public_id)
    if mail is None:
        raise Http404
    return mail
