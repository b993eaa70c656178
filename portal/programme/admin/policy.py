"""The office's page on the policy: what is in force, what comes, drafts, what changed when; versions are added and
withdrawn, and never changed (FLOW-7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin_site import MANAGERS, PortalAdmin, column, site, who
from portal.events.models import Event
from portal.policy import services as policies
from portal.policy.models import PolicyDraft, PolicyVersion
from portal.policy.rules import Policy
from portal.programme import rules, services
from portal.programme.forms import NewVersionForm, draft_initial
from portal.programme.rules import Difference

BY, FROM = column("created_by", _("added by")), column("effective_from", _("in force from"))


@dataclass(frozen=True)
class Entry:
    """A version in the history: what it changed against the one before it, and who withdrew it."""

    version: PolicyVersion
    changes: list[Difference]
    state: str
    withdrawn: Event | None = None


def _history(versions: list[PolicyVersion], in_force: int) -> Iterator[Entry]:
    """The newest first. A version is held against the one that its own replaced, in the order of their days."""
    now = timezone.now()
    told = Event.objects.filter(verb=services.VERSION_WITHDRAWN).select_related("actor_user")
    withdrawn = {event.subject_id: event for event in told}
    before, entries = Policy(), []
    for version in sorted(versions, key=lambda one: (one.effective_from, one.number)):
        state = "withdrawn" if version.withdrawn_at else "coming" if version.effective_from > now else "past"
        state = "in_force" if version.number == in_force else state
        after = version.as_policy()
        entries.append(Entry(version, rules.differences(before, after), state, withdrawn.get(version.pk)))
        before = before if version.withdrawn_at else after
    return reversed(entries)


@admin.register(PolicyVersion, site=site)
class PolicyVersionAdmin(PortalAdmin):
    write_roles = MANAGERS
    taken_field = "note"
    list_display = ("__str__", FROM, "note", BY)
    list_select_related = ("created_by",)
    ordering = ("-effective_from", "-number")
    change_list_template = "admin/policy/office.html"
    add_form_template = "admin/policy/new_version.html"
    change_form_template = "admin/policy/version.html"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Decisions name the version they were made under (FLOW-7): a mistake is put right by the next version."""
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:number>/withdraw/", view(self.withdraw_view), name="policy_policyversion_withdraw"),
            path("drafts/<int:number>/drop/", view(self.drop_view), name="policy_policydraft_drop"),
            *super().get_urls(),
        ]

    # The office

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        now = timezone.now()
        current = policies.current(now)
        versions = list(PolicyVersion.objects.select_related("created_by"))
        entries = list(_history(versions, current.version))
        office = {
            "title": _("Programme policy"),
            "current": current,
            "in_force": next((e for e in entries if e.state == "in_force"), None),
            "own_numbers": rules.differences(Policy(), current),
            "coming": [e for e in reversed(entries) if e.state == "coming"],
            "drafts": PolicyDraft.objects.select_related("updated_by").order_by("-updated_at"),
            "history": [e for e in entries if e.state != "coming"],
            "groups": {gettext(title): list(_lines(current, group)) for title, group in rules.groups().items()},
            "may_write": self._may(request, self.write_roles),
        }
        return super().changelist_view(request, {**office, **(extra_context or {})})

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        form = context["adminform"].form
        if isinstance(form, NewVersionForm) and getattr(form, "looked_at", False):
            tried = form.as_policy()
            context["looked_at"] = rules.differences(form.current, tried)
            context["simulated"] = [simulate(tried, form.now) for simulate in rules.SIMULATIONS.values()]
        if (version := context.get("original")) is not None:
            context["groups"] = {
                gettext(title): list(_lines(version.as_policy(), group)) for title, group in rules.groups().items()
            }
        return super().render_change_form(request, context, *args, **kwargs)

    # A new version

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if change:
            return super().get_form(request, obj, change, **kwargs)
        form: type[_NewVersion] = _NewVersion
        if "_preview" in request.POST:
            form = _LookedAt
        elif "_draft" in request.POST:
            form = _Draft
        form = type(form.__name__, (form,), {"request": request})
        return super().get_form(request, obj, change, **{**kwargs, "form": form})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        if obj is None:
            return ("note",)
        return ("number", FROM, "note", BY, column("created_at", _("added")))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What is in force, or a draft: a version replaces the one before entirely."""
        number = request.GET.get("draft", "")
        draft = PolicyDraft.objects.filter(pk=number).first() if number.isdecimal() and len(number) < 19 else None
        return {"base": policies.newest(), **(draft_initial(draft) if draft else {})}

    def save_model(self, request: HttpRequest, obj: PolicyVersion, form: Any, change: bool) -> None:
        version = services.add_policy_version(
            values=form.values(),
            effective_from=form.effective_from,
            note=form.cleaned_data["note"],
            after=form.cleaned_data["base"],
            **who(request),
        )
        obj.pk, obj.number = version.pk, version.number
        if draft := form.cleaned_data["draft"]:
            services.drop_policy_draft(draft, actor=who(request)["actor"])

    def response_add(self, request: HttpRequest, obj: PolicyVersion, post_url_continue: str | None = None) -> Any:
        messages.success(request, gettext("%(version)s was published.") % {"version": obj})
        return redirect("admin:policy_policyversion_changelist")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        """A draft is kept by the same form, and leads back to the office."""
        answer = super().add_view(request, form_url, extra_context)
        if getattr(request, "draft_kept", False):
            messages.success(request, gettext("The draft was saved. Nothing is in force by it."))
            return redirect("admin:policy_policyversion_changelist")
        return answer

    # Taking back

    def withdraw_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """Asks before it takes back a version to come."""
        if not self._may(request, self.write_roles):
            raise PermissionDenied
        version = PolicyVersion.objects.filter(pk=number).first()
        if version is None:
            raise Http404
        if request.method == "POST":
            try:
                services.withdraw_policy_version(version, **who(request))
            except policies.TooLate:
                text = gettext("%(version)s is in force already. Put it right by the next version.")
                messages.error(request, text % {"version": version})
            else:
                messages.success(request, gettext("%(version)s was withdrawn.") % {"version": version})
            return redirect("admin:policy_policyversion_changelist")
        title = gettext("Withdraw %(version)s") % {"version": version}
        context = {**self.admin_site.each_context(request), "title": title, "version": version, "opts": self.opts}
        return render(request, "admin/policy/withdraw.html", context)

    def drop_view(self, request: HttpRequest, number: int) -> HttpResponse:
        if not self._may(request, self.write_roles):
            raise PermissionDenied
        if request.method == "POST":
            services.drop_policy_draft(number, actor=who(request)["actor"])
            messages.success(request, gettext("The draft was dropped."))
        return redirect("admin:policy_policyversion_changelist")


def _lines(policy: Policy, group: Any) -> Iterator[Difference]:
    """Each number with its default and what the policy says."""
    for number in group:
        yield Difference(number, number.default, getattr(policy, number.name))


class _NewVersion(NewVersionForm):
    """The form in this request."""

    request: HttpRequest


class _LookedAt(_NewVersion):
    """Shown again with what it would change, once nothing is wrong with it."""

    looked_at = False

    def is_valid(self) -> bool:
        self.looked_at = super().is_valid()
        return False


class _Draft(_NewVersion):
    """Kept as a draft instead of saved, once nothing is wrong with it."""

    def is_valid(self) -> bool:
        if super().is_valid():
            self._keep()
        return False

    def _keep(self) -> None:
        given = self.cleaned_data
        what = {"values": self.values(), "effective_from": self.effective_from, "note": given["note"]}
        try:
            services.save_policy_draft(**what, draft=given["draft"], seen=given["draft_version"], **who(self.request))
        except services.DraftChanged:
            self.add_error(None, gettext("Somebody saved or dropped this draft meanwhile. Save again to keep yours."))
            self.data = {**self.data.dict(), "draft": "", "draft_version": ""}  # type: ignore[attr-defined]
        else:
            self.request.draft_kept = True  # type: ignore[attr-defined]
