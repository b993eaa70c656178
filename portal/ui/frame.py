"""What the frame around every page needs: who looks, from which company, and where they may go."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from portal.accounts.decorators import ActorRequest
from portal.accounts.models import Membership, RoleGrant, User
from portal.accounts.rules import ADMIN_ROLES, Actor, may_keep
from portal.accounts.selectors import vendor_name
from portal.ui.listing import saved
from portal.ui.listing.lists import LISTS

#: So many views of a list stand in the rail; the list's own menu has all.
MAX_RAIL = 8
RAIL_COOKIE = "rail"
THEME_COOKIE = "theme"
#: The id of the <dialog> that app.js opens; htmx names it in HX-Target.
DIALOG = "dialog"
#: Of every demo account (`manage.py demo`); shown on the sign-in page of a demo only.
DEMO_PASSWORD = "ortak-demo"  # noqa: S105

#: The rail's items: name of the URL, label, icon, icon while there.
EXCEPTIONS_ITEM = ("exceptions", _("Exceptions"), "shield-exclamation", "shield-fill-exclamation")
ITEMS = (
    ("home", _("Home"), "house", "house-fill"),
    ("deals", _("Co-sell opportunities"), "briefcase", "briefcase-fill"),
    ("isv_deals", _("ISV Connect deals"), "receipt", "receipt-cutoff"),
    EXCEPTIONS_ITEM,
    ("deadlines", _("Deadlines"), "calendar-event", "calendar-event-fill"),
    ("insights", _("Insights"), "bar-chart", "bar-chart-fill"),
)
SETTINGS_ITEM = ("settings", _("Settings"), "gear", "gear-fill")
ADMIN_ITEM = ("admin:index", _("Administration"), "shield-check", "shield-fill-check")
DEMO_MAIL_ITEM = ("demo_mails", _("Mail of the demo"), "envelope", "envelope-fill")


#: The settings' tabs: name of the URL, label, and whether only who keeps the company sees it (ORG-2).
SETTINGS = (
    ("people", _("People"), True),
    ("locations", _("Locations"), True),
    ("stage_names", _("Stage names"), True),
    ("api_clients", _("API clients"), True),
    ("webhook", _("Webhook"), True),
    ("profile", _("Profile"), False),
    ("notification_settings", _("Notifications"), False),
)

#: Made once: `lazy` makes a class each time.
_vendor_name = lazy(vendor_name, str)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `frame` and `vendor_name` in every template; nothing is computed or asked of the database
    until it is used."""
    return {"frame": Frame(request), "vendor_name": _vendor_name()}


class Frame:
    """The frame of one page for one person."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def person(self) -> User | None:
        user = getattr(self._request, "user", None)
        return user if isinstance(user, User) else None

    @cached_property
    def actor(self) -> Actor | None:
        return getattr(self._request, "actor", None)

    @property
    def company(self) -> str:
        return self.actor.company_name if self.actor else ""

    @property
    def memberships(self) -> list[Membership]:
        return getattr(self._request, "memberships", [])

    @property
    def here(self) -> str:
        """Where the switches of the top bar return to."""
        return self._request.get_full_path()

    @property
    def query(self) -> str:
        """What was searched everywhere; other pages have a search of their own."""
        return self._request.GET.get("q", "") if self._request.path == reverse("search") else ""

    @property
    def layout(self) -> str:
        """`{% extends frame.layout %}`: the same page alone, or as the content of the dialog (app.js)."""
        return "dialog.html" if self._request.headers.get("HX-Target") == DIALOG else "base.html"

    @property
    def open_layout(self) -> str:
        """`{% extends frame.open_layout %}`: a page for everybody, with the rail around it for whoever is signed in."""
        return "base.html" if self.actor else "entrance.html"

    @property
    def folded(self) -> bool:
        return self._request.COOKIES.get(RAIL_COOKIE) == "folded"

    @cached_property
    def theme(self) -> str:
        chosen = self.person.theme if self.person else self._request.COOKIES.get(THEME_COOKIE, "")
        return chosen if chosen in User.Theme.values else User.Theme.AUTO.value

    @property
    def themes(self) -> list[dict[str, Any]]:
        icons = {"auto": "circle-half", "light": "sun", "dark": "moon"}
        return [{"code": t.value, "label": t.label, "icon": icons[t.value]} for t in User.Theme]

    @property
    def languages(self) -> list[dict[str, Any]]:
        """Each with its own name, in its own language, as people look for it."""
        own_names = {"en": "English", "tr": "Türkçe"}
        return [
            {"code": code, "label": own_names.get(code, name), "current": code == get_language()}
            for code, name in settings.LANGUAGES
        ]

    @cached_property
    def rail(self) -> list[dict[str, Any]]:
        if self.actor is None:
            return []
        administers = self.actor.is_vendor and self.actor.has(*ADMIN_ROLES)
        shown = {
            EXCEPTIONS_ITEM: administers or not self.actor.is_vendor,  # sellers see none (EXC-10)
            ADMIN_ITEM: administers,
            DEMO_MAIL_ITEM: self.keeps_mail,
        }
        items = (*ITEMS, SETTINGS_ITEM, ADMIN_ITEM, DEMO_MAIL_ITEM)
        return [self._item(*item) for item in items if shown.get(item, True)]

    @cached_property
    def settings(self) -> list[dict[str, Any]]:
        """The settings this person has: their own, and their company's if they manage them (ORG-2)."""
        keeps = self.actor is not None and may_keep(self.actor)
        tabs = [(reverse(name), label) for name, label, company in SETTINGS if keeps or not company]
        return [{"url": url, "label": label, "active": self._request.path.startswith(url)} for url, label in tabs]

    def _item(self, name: str, label: Any, icon: str, icon_there: str) -> dict[str, Any]:
        url, path = reverse(name), self._request.path
        active = path == url if name == "home" else path.startswith(url)
        found: dict[str, Any] = {"label": label, "url": url, "icon": icon_there if active else icon, "active": active}
        return {**found, "count": None, "views": partial(self._views, url)}

    def _views(self, url: str) -> list[dict[str, Any]]:
        """The views of the lists at that address or below it; all items together cost the page one query."""
        if url == reverse("home"):
            return []
        here, request = self._request.GET.get("view", ""), cast(ActorRequest, self._request)
        return [
            {"name": view.name, "url": saved.link(listing, view), "active": str(view.public_id) == here}
            for listing in LISTS.values()
            if reverse(listing.url).startswith(url)
            for view in saved.of_request(request, listing)[:MAX_RAIL]
        ]

    @property
    def keeps_mail(self) -> bool:
        """Whether this is a demo whose mail is read in the portal."""
        return settings.DEMO_MAIL_DIR is not None

    @cached_property
    def demo(self) -> list[dict[str, Any]]:
        """The demo sign-ins, for the sign-in page of a demo."""
        if settings.MODE != "demo":
            return []
        members = (
            Membership.objects.acting()
            .filter(user__is_demo=True)
            .select_related("user", "company")
            .prefetch_related("grants__location")
            .order_by("company__kind", "company__name", "user__email")
        )
        people: dict[str, list[str]] = {}
        for member in members:
            roles = sorted({_role(grant) for grant in member.grants.all()})
            people.setdefault(member.user.email, []).append(f"{member.company.name}: {', '.join(roles)}")
        return [{"email": email, "password": DEMO_PASSWORD, "roles": roles} for email, roles in people.items()]


def _role(grant: RoleGrant) -> str:
    role = grant.get_role_display()
    return f"{role} ({grant.location.city})" if grant.location else role
