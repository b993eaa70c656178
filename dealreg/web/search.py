"""What the search of the top bar finds of registrations (REF-20)."""

from __future__ import annotations

from django.urls import reverse

from dealreg.models import Registration, RegistrationQuerySet
from dealreg.rules.states import REGISTRATION_STATES
from portal.accounts.rules import ADMIN_ROLES, Actor
from portal.workflow.blockers import _
from referrals.models import Referral
from referrals.web.search import KINDS, Group, Hit, Search, list_url


def registrations(search: Search) -> Group | None:
    """Of the deals found, also of partners' for who may see them; sellers see none on the deals' pages either."""
    actor = search.actor
    if actor.is_vendor and not actor.has(*ADMIN_ROLES):
        return None
    visible = Registration.objects.visible_to(actor)
    listed = visible.filter(referral__in=Referral.objects.visible_to(actor).filter(search.deals))
    found = list(_with_deal(listed).order_by("-pk")[: search.most + 1])
    return Group(
        code="registrations",
        label=_("Registrations"),
        icon="award",
        none=_("No registration matches this."),
        hits=[_hit(registration, actor) for registration in found[: search.most]],
        has_more=len(found) > search.most,
        badge="dealreg/_hit_badge.html",
        all_url="" if actor.is_vendor else list_url(q=search.query, registration=",".join(REGISTRATION_STATES)),
    )


def _with_deal(found: RegistrationQuerySet) -> RegistrationQuerySet:
    related = found.select_related("referral__engagement__customer", "referral__company")
    return related.defer("referral__search_text", "referral__search_vector")


def _hit(registration: Registration, actor: Actor) -> Hit:
    """To the deal, on whose page it stands; of others' deals to the page where it is reviewed."""
    deal = registration.referral
    about = [deal.engagement.customer.name]
    url = reverse("deal", args=[deal.public_id])
    if actor.is_vendor:
        about.append(deal.company.name)
        url = reverse("admin:dealreg_registration_change", args=[registration.pk])
    return Hit(deal.name, " · ".join(about), registration, url)


KINDS.add("registrations", registrations, order=20)
