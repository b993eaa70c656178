"""The notices of whoever is signed in, and how he wants to be mailed (REF-24, F5.2)."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.accounts.edge import ActorRequest, needs_actor
from portal.accounts.middleware import COMPANY_KEY
from portal.accounts.models import Membership, User
from portal.notify import reading, rules, services
from portal.notify.forms import PreferencesForm
from portal.notify.models import Notice
from portal.params import whole_number

PAGE = 30


def _person(request: ActorRequest) -> User:
    """Whoever is signed in: needs_actor lets nobody else in."""
    assert isinstance(request.user, User)
    return request.user


@needs_actor
@require_GET
def notices(request: ActorRequest) -> HttpResponse:
    """Newest first; *load more* asks for what is below a notice (keyset)."""
    person, below = _person(request), whole_number(request.GET.get("after"))
    after = Notice.objects.of(person.pk).filter(pk=below).first() if below is not None else None
    shown, last = reading.page(person, request.memberships, after=after, limit=PAGE)  # type: ignore[attr-defined]
    context = {
        "shown": shown,
        "more_url": f"{reverse('notices')}?after={last.pk}" if last else "",
        "newest": max((told.notice.pk for told in shown), default=0),
        "any_unread": bool(reading.unread_count(person.pk)),
    }
    more = request.htmx and after is not None  # type: ignore[attr-defined]
    return render(request, "notify/notices.html#rows" if more else "notify/notices.html", context)


@needs_actor
@require_GET
def open_notice(request: ActorRequest, pk: int) -> HttpResponse:
    """On to what it tells of, as a member of the company that may see it; read from now on."""
    notice = get_object_or_404(Notice.objects.of(_person(request).pk), pk=pk)
    services.mark_read(notice, now=timezone.now())
    opened = reading.openers(_own_first(request), [notice.link])
    if notice.link not in opened:
        raise Http404
    membership = opened[notice.link]
    if membership is not None and membership.company_id != request.actor.company_id:
        request.session[COMPANY_KEY] = membership.company_id
    return redirect(reading.link(notice))


def _own_first(request: ActorRequest) -> list[Membership]:
    """His memberships, the one he acts by before the others."""
    return sorted(request.memberships, key=lambda m: m.company_id != request.actor.company_id)  # type: ignore[attr-defined]


@needs_actor
@require_POST
def read_all(request: ActorRequest) -> HttpResponse:
    newest = whole_number(request.POST.get("newest"))
    if newest is None:
        raise Http404
    services.mark_all_read(_person(request), upto=newest, now=timezone.now())
    return redirect("notices")


@needs_actor
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: ActorRequest) -> HttpResponse:
    user = _person(request)
    form = PreferencesForm(request.POST if request.method == "POST" else None, user=user)
    if request.method == "POST" and form.is_valid():
        services.set_preferences(user, form.wanted)
        messages.success(request, gettext("Your preferences were saved."))
        return redirect("notification_settings")
    context = {
        "form": form,
        "mandatory": [category for category in rules.CATEGORIES.values() if category.mandatory],
        "digest_time": rules.DIGEST_TIME,
        "language": dict(settings.LANGUAGES)[user.language],
    }
    return render(request, "notify/preferences.html", context, status=422 if form.errors else 200)
