"""Companies and people in the admin: read by everyone there, kept by programme managers (ORG-1, ORG-2)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts import services
from portal.accounts.admin.office import CompanyOffice, StateFilter
from portal.accounts.admin_site import MANAGERS, PortalAdmin, PortalInline, column, site, who
from portal.accounts.forms_admin import (
    DETAILS,
    PLACE,
    STANDING,
    CompanyForm,
    GrantForm,
    GrantFormSet,
    LocationForm,
    LocationFormSet,
    MembershipForm,
    NewPersonForm,
    PersonForm,
)
from portal.accounts.models import AccountMessage, Company, Location, Membership, RoleGrant, User

CREATED = column("created_at", _("created"))
JOINED = column("date_joined", _("created"))
PERSON = column("user", _("person"))
COMPANY = column("company", _("company"))


class LocationInline(PortalInline):
    model = Location
    form = LocationForm
    formset = LocationFormSet
    write_roles = MANAGERS
    extra = 1


@admin.register(Company, site=site)
class CompanyAdmin(CompanyOffice):
    """Partners are added here; the vendor is there from the beginning (`manage.py bootstrap`)."""

    write_roles = MANAGERS
    form = CompanyForm
    inlines: ClassVar = [LocationInline]
    list_display = ("name", "kind", "country", "state", *STANDING, CREATED)
    list_filter = ("kind", StateFilter)
    search_fields = ("name",)
    ordering = ("name", "pk")

    def get_readonly_fields(self, request: HttpRequest, obj: Company | None = None) -> tuple[Any, ...]:
        return () if obj is None else ("kind", CREATED)

    def has_change_permission(self, request: HttpRequest, obj: Company | None = None) -> bool:
        """What was merged into another company is history."""
        return super().has_change_permission(request, obj) and (obj is None or obj.merged_into_id is None)

    def get_exclude(self, request: HttpRequest, obj: Company | None = None) -> tuple[str, ...]:
        """A new company has no standing yet, and the vendor none at all; who only reads is asked nothing."""
        standing = STANDING if obj is None or obj.is_vendor else ()
        may = self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)
        return standing if may else (*standing, "both_meant")

    def save_model(self, request: HttpRequest, obj: Company, form: Any, change: bool) -> None:
        given = {name: value for name, value in form.cleaned_data.items() if name in form.Meta.fields}
        given["confirmed"] = given.pop("both_meant")
        if change:
            services.change_company(obj, **given, **who(request))
        else:
            obj.pk = services.create_company(**given, **who(request)).pk

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save(commit=False)  # writes nothing, but says what changed
        for place in formset.new_objects:
            given = {name: getattr(place, name) for name in PLACE}
            services.add_location(company=form.instance, **given, **who(request))
        for place, _fields in formset.changed_objects:
            given = {name: getattr(place, name) for name in PLACE}
            services.change_location(place, **given, **who(request))


class MembershipInline(PortalInline):
    """Where a person belongs; changed on the membership's own page."""

    model = Membership
    fields = ("where", "roles", "is_active")
    readonly_fields = fields
    extra = 0

    @admin.display(description=_("company"))
    def where(self, membership: Membership) -> str:
        page = reverse("admin:accounts_membership_change", args=[membership.pk])
        return format_html('<a href="{}">{}</a>', page, membership.company)

    @admin.display(description=_("roles"))
    def roles(self, membership: Membership) -> str:
        return _roles(membership)


@admin.register(User, site=site)
class PersonAdmin(PortalAdmin):
    write_roles = MANAGERS
    form = PersonForm
    list_display = ("email", "first_name", "last_name", "is_active", "last_login")
    list_filter = ("is_active",)
    search_fields = ("email", "first_name", "last_name")
    ordering = ("email",)
    actions = ("send_password_link",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({} if change else {"form": NewPersonForm}), **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        if obj is None:
            return ("email", "password", *DETAILS)
        return ("email", *DETAILS, "is_active", "last_login", JOINED)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        if obj is None:
            return ()
        own = ("is_active",) if obj.pk == who(request)["actor"].user_id else ()
        return ("email", *own, "last_login", JOINED)

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[type[admin.options.InlineModelAdmin]]:
        return [MembershipInline] if obj else []

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        given = {name: form.cleaned_data[name] for name in DETAILS}
        if change:
            active = form.cleaned_data.get("is_active", obj.is_active)
            services.change_person(obj, is_active=active, **given, **who(request))
            return
        data = form.cleaned_data
        person = services.create_person(email=data["email"], password=data["password"], **given, **who(request))
        obj.pk = person.pk
        if not data["password"]:
            self._send_link(request, person)

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        """On to the company: a person without one can do nothing."""
        if "_save" not in request.POST or "_popup" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        messages.success(request, gettext("Now choose the company %(person)s belongs to.") % {"person": obj})
        return redirect(f"{reverse('admin:accounts_membership_add')}?user={obj.pk}")

    @admin.action(description=_("Mail a link to set the password"), permissions=["change"])
    def send_password_link(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for person in people.filter(is_active=True):
            self._send_link(request, person)

    def _send_link(self, request: HttpRequest, person: User) -> None:
        """The same link as *Forgot your password?* sends, in the person's language."""
        services.leave_message(AccountMessage.Kind.PASSWORD_LINK, email=person.email, now=timezone.now())
        text = gettext("A link to set the password is on its way to %(email)s.")
        messages.success(request, text % {"email": person.email})


class GrantInline(PortalInline):
    model = RoleGrant
    form = GrantForm
    formset = GrantFormSet
    write_roles = MANAGERS
    removable = True
    extra = 2

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.actor = who(request)["actor"]
        return formset


@admin.register(Membership, site=site)
class MembershipAdmin(PortalAdmin):
    write_roles = MANAGERS
    form = MembershipForm
    inlines: ClassVar = [GrantInline]
    autocomplete_fields = ("user", "company")
    list_display = (PERSON, "email", COMPANY, "roles", "is_active")
    list_select_related = ("user", "company")
    list_filter = ("is_active", "grants__role")
    search_fields = ("user__email", "user__first_name", "user__last_name", "company__name")
    ordering = ("company__name", "user__email")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).prefetch_related("grants__location")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        return ("user", "company", "is_active") if obj is None else (PERSON, COMPANY, "is_active")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        return () if obj is None else (PERSON, COMPANY)

    @admin.display(description=_("e-mail"), ordering="user__email")
    def email(self, membership: Membership) -> str:
        return membership.user.email

    @admin.display(description=_("roles"))
    def roles(self, membership: Membership) -> str:
        return _roles(membership)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        """Membership and roles are written together, in save_related."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        obj, (formset,) = form.instance, formsets
        formset.save(commit=False)  # writes nothing, but says what changed
        membership = services.set_membership(
            user=obj.user,
            company=obj.company,
            grants=[grant for _form, grant in formset.given()],
            is_active=obj.is_active,
            **who(request),
        )
        obj.pk = membership.pk


def _roles(membership: Membership) -> str:
    """Each role with its location, if it is for one only (ORG-1)."""
    grants = membership.grants.all()
    return ", ".join(f"{g} ({g.location.name})" if g.location else str(g) for g in grants) or "–"
