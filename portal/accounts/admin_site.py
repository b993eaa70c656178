"""The Django admin as the vendor's people see it: who may read or write what follows from their roles."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.contrib.admin import helpers
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import display_for_value, get_fields_from_path
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import IntegrityError
from django.db.models import DateField, DateTimeField, Field, QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import lazy
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from portal.accounts.countries import country_choices
from portal.accounts.rules import ADMIN_ROLES, PROGRAMME_MANAGER, Actor
from portal.accounts.selectors import first_steps, vendor_name
from portal.days import DateInput, DayField
from portal.params import whole_number
from portal.workflow.blockers import Blocker, RuleViolation


def actor_of(request: HttpRequest) -> Actor | None:
    return getattr(request, "actor", None)


def who(request: HttpRequest) -> dict[str, Any]:
    """Who does it, and when: what every service takes. Raises PermissionDenied for nobody."""
    actor = actor_of(request)
    if actor is None:
        raise PermissionDenied
    return {"actor": actor, "now": timezone.now()}


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

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """An installation that is not complete shows its managers what is left to do."""
        steps = first_steps() if _may(request, MANAGERS) else []
        return super().index(request, {"first_steps": steps, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Without *view on site*, which tells of any model's row by number whether it exists (ORG-6)."""
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Only for fields of these pages that are completed; Django answers for every relation of every model."""
        asked = tuple(request.GET.get(name, "") for name in ("app_label", "model_name", "field_name"))
        if asked not in self._completed():
            raise PermissionDenied
        return super().autocomplete_view(request)

    def _completed(self) -> set[tuple[str, ...]]:
        return {
            (model._meta.app_label, model._meta.model_name or "", str(field))
            for model, kept in self._registry.items()
            for field in kept.autocomplete_fields
        }


site = Site(name="admin")

#: Django's links of `date_hierarchy` reckon with the year after the one that is asked for.
LAST_YEAR = 9999
NUMBER = re.compile(r"[0-9]{1,4}")


def _may(request: HttpRequest, roles: tuple[str, ...]) -> bool:
    actor = actor_of(request)
    return actor is not None and actor.is_vendor and actor.has(*roles)


def said(blocker: Blocker) -> str:
    """What stands in the way, in the reader's language."""
    return gettext(blocker.message) % {"vendor": vendor_name(), **blocker.params}


#: A day is asked for as on every page (decision 0046).
DAYS: Mapping[type[Field[Any, Any]], Mapping[str, Any]] = {DateField: {"form_class": DayField, "widget": DateInput}}


class PortalAdmin(admin.ModelAdmin):
    """Read-only for every admin role unless a subclass names who writes; nothing is ever deleted here."""

    formfield_overrides: ClassVar = DAYS
    read_roles: ClassVar[tuple[str, ...]] = tuple(sorted(ADMIN_ROLES))
    write_roles: ClassVar[tuple[str, ...]] = ()
    #: The field at which it is said that somebody saved the same, where the form doesn't find out itself.
    taken_field: ClassVar[str] = ""

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

    def get_action_choices(self, request: HttpRequest, default_choices: Any = None) -> list[tuple[str, str]]:
        """Headed by words instead of Django's dashes."""
        return super().get_action_choices(request, [("", gettext("Choose"))])

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        blank = db_field.blank or not db_field.has_default()
        choices = db_field.get_choices(include_blank=blank, blank_choice=[("", gettext("Choose"))])
        return super().formfield_for_choice_field(db_field, request, **{"choices": choices, **kwargs})

    # Instants and days, shown as the portal's pages show them

    @cached_property
    def _moments(self) -> Mapping[str, Any]:
        """A column for each field that holds one. Its label doesn't say UTC: people see their own zone."""
        dates = [field for field in self.opts.concrete_fields if isinstance(field, DateField)]
        return {field.name: column(field.name, _without_zone(field.verbose_name)) for field in dates}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A list is called by what it lists."""
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return _instead(super().get_list_display(request), self._moments)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """What is only read of the record, too."""
        form = context["adminform"]
        read = {name: shown for name, shown in self._moments.items() if name in form.readonly_fields}
        form.readonly_fields = _instead(form.readonly_fields, read)
        form.fieldsets = [
            (title, {**options, "fields": _instead(options["fields"], read)}) for title, options in form.fieldsets
        ]
        return super().render_change_form(request, context, *args, **kwargs)

    # What addresses may ask for

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only what a declared filter asks; everything else is refused with 400.

        Django lets every column of the list's own model through: one that isn't shown is then read bit by bit.
        """
        if lookup in self._dates:
            return bool(NUMBER.fullmatch(str(value))) and 0 < int(value) < LAST_YEAR
        return lookup in self._filters

    @cached_property
    def _dates(self) -> frozenset[str]:
        """What the links of `date_hierarchy` ask."""
        return frozenset(f"{self.date_hierarchy}__{part}" for part in ("year", "month", "day") if self.date_hierarchy)

    @cached_property
    def _filters(self) -> frozenset[str]:
        """What the filters of `list_filter` ask: they say so themselves."""
        return frozenset(name for item in self.list_filter for name in self._asked_by(item))

    def _asked_by(self, item: Any) -> list[str]:
        if isinstance(item, type) and issubclass(item, admin.SimpleListFilter):
            return [str(item.parameter_name)]
        path, kind = item if isinstance(item, tuple) else (item, admin.FieldListFilter.create)
        field = get_fields_from_path(self.model, path)[-1]
        spec: admin.FieldListFilter = kind(field, HttpRequest(), {}, self.model, self, field_path=path)
        return [name for name in spec.expected_parameters() if name]

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Rows are named by their number only."""
        return to_field == self.opts.pk.name

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        widget = getattr(getattr(field, "widget", None), "widget", None)
        if isinstance(widget, AutocompleteSelect):
            widget.__class__ = KnownSelect
        return field

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Only rows can be ticked: whatever else stands for one is no request of ours."""
        for chosen in request.POST.getlist(helpers.ACTION_CHECKBOX_NAME):
            if whole_number(chosen) is None:
                raise BadRequest("not an id")
        return super().response_action(request, queryset, *args, **kwargs)

    # Refused while it is written

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page again, with what was typed and the reason, when a service or the database refuses what the form
        had nothing against: somebody else was faster. The form's own checks then see what that one wrote."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except RuleViolation as violation:
            refused: Sequence[Blocker] = violation.blockers
        except IntegrityError:
            refused = (replace(TAKEN, field=self.taken_field),)
        request.refused = refused  # type: ignore[attr-defined]
        return super().changeform_view(request, *args, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return _refused(form, request.refused) if hasattr(request, "refused") else form


TAKEN = Blocker(
    "taken", gettext_noop("Somebody saved the same a moment ago. Look at what there is now, then save again.")
)


def _refused(form: type[ModelForm], blockers: Sequence[Blocker]) -> type[ModelForm]:
    """The form, wrong for these reasons unless it finds some itself."""

    class Refused(form):  # type: ignore[valid-type, misc]
        def _post_clean(self) -> None:
            super()._post_clean()
            if self.errors:
                return
            for blocker in blockers:
                self.add_error(blocker.field if blocker.field in self.fields else None, said(blocker))

    return Refused


class KnownSelect(AutocompleteSelect):
    """Shows the row that was chosen, where what was sent can be a row's key at all."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        return super().optgroups(name, [v for v in value if not v or whole_number(str(v)) is not None], attrs)


class PortalInlineFormSet(BaseInlineFormSet):
    """Rows that were sent as known and are gone, or never were, are new ones."""

    def initial_form_count(self) -> int:
        count = super().initial_form_count()
        return min(count, len(self.get_queryset())) if self.is_bound else count


class PortalInline(admin.TabularInline):
    """Rows on another record's page, under the same rule: read-only unless a subclass names who writes."""

    formset = PortalInlineFormSet
    formfield_overrides: ClassVar = DAYS
    template = "admin/inline.html"
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
        value = getattr(obj, name)
        return moment(value) if isinstance(value, date) else display_for_value(value, "–")

    shown.__name__ = name
    return shown


def moment(value: date) -> str:
    """An instant in the person's zone, with UTC on hover, or a day: by the tags of the portal's own pages."""
    return render_to_string("admin/_moment.html", {"value": value, "is_instant": isinstance(value, datetime)})


def _unzoned(label: Any) -> str:
    return str(label).removesuffix(" (UTC)")


#: Read when it is shown, in the reader's language.
_without_zone = lazy(_unzoned, str)


def _instead(fields: Sequence[Any], by: Mapping[str, Any]) -> list[Any]:
    """Names of fields, alone or several in a line, some of them replaced."""
    return [_instead(name, by) if isinstance(name, (list, tuple)) else by.get(name, name) for name in fields]


def titled(kind: type[admin.FieldListFilter], title: Any) -> type[admin.FieldListFilter]:
    """One of Django's filters under a title in the reader's language."""

    class Titled(kind):  # type: ignore[valid-type, misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            """An instant is one of the links' own, with its zone; anything else means nothing here."""
            asked = {name: value for name, value in self.used_parameters.items() if not name.endswith("__isnull")}
            for value in asked.values() if isinstance(self.field, DateTimeField) else ():
                for instant in value if isinstance(value, list) else [value]:
                    if (parsed := parse_datetime(str(instant))) is None or parsed.tzinfo is None:
                        raise IncorrectLookupParameters(instant)
            return super().queryset(request, queryset)

    return Titled


#: Who keeps the programme's own data.
MANAGERS = (PROGRAMME_MANAGER,)


def countries_or_none() -> list[tuple[str, str]]:
    """The choices of a form in the reader's language; the first is none."""
    return [("", "–"), *country_choices(get_language() or "en")]
