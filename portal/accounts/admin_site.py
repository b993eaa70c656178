"""The Django admin as the vendor's people see it: who may read or write what follows from their roles."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import display_for_value
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from portal.accounts.rules import ADMIN_ROLES, PROGRAMME_MANAGER, Actor


def actor_of(request: HttpRequest) -> Actor | None:
    return getattr(request, "actor", None)


class Site(admin.AdminSite):
    site_header = _("Ortak administration")
    site_title = _("Ortak administration")
    index_title = _("Work")
    site_url = "/"

    def has_permission(self, request: HttpRequest) -> bool:
        actor = actor_of(request)
        return actor is not None and actor.is_vendor and actor.has(*ADMIN_ROLES)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """People sign in at one place; who is signed in and has no business here is told so."""
        if request.user.is_authenticated:
            if self.has_permission(request):
                return redirect("admin:index")
            raise PermissionDenied(_("The administration is for reviewers, the council and programme managers."))
        return redirect_to_login(request.GET.get("next", "/admin/"), settings.LOGIN_URL)


site = Site(name="admin")


def _may(request: HttpRequest, roles: tuple[str, ...]) -> bool:
    actor = actor_of(request)
    return actor is not None and actor.is_vendor and actor.has(*roles)


class PortalAdmin(admin.ModelAdmin):
    """Read-only for every admin role unless a subclass names who writes; nothing is ever deleted here."""

    read_roles: ClassVar[tuple[str, ...]] = tuple(sorted(ADMIN_ROLES))
    write_roles: ClassVar[tuple[str, ...]] = ()

    def _may(self, request: HttpRequest, roles: tuple[str, ...]) -> bool:
        return _may(request, roles)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may(request, self.read_roles)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.read_roles)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, self.write_roles)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.write_roles)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PortalInline(admin.TabularInline):
    """Rows on another record's page, under the same rule: read-only unless a subclass names who writes."""

    write_roles: ClassVar[tuple[str, ...]] = ()
    #: Whether who writes may remove rows, too.
    removable: ClassVar[bool] = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may(request, PortalAdmin.read_roles)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may(request, self.write_roles)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may(request, self.write_roles)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.removable and _may(request, self.write_roles)


def column(name: str, label: Any) -> Any:
    """A field under a label in the reader's language, for models that name it for programmers only."""

    @admin.display(description=label, ordering=name)
    def shown(obj: Any) -> Any:
        return display_for_value(getattr(obj, name), "–")

    shown.__name__ = name
    return shown


def titled(kind: type[admin.FieldListFilter], title: Any) -> type[admin.FieldListFilter]:
    """One of Django's filters under a title in the reader's language."""

    class Titled(kind):  # type: ignore[valid-type, misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

    return Titled


#: Who keeps the programme's own data.
MANAGERS = (PROGRAMME_MANAGER,)
