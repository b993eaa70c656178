"""The verbs that bring others into a deal: the vendor, with or without help, and partners (REF-3, REF-4, REF-9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from portal.accounts.models import Company
from portal.catalog.models import Solution
from portal.workflow.blockers import Blocker, Money, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Effect
from referrals import rules
from referrals.models import Referral
from referrals.policies import may_share
from referrals.rules import sharing
from referrals.selectors import partners
from referrals.timeline import PEOPLE
from referrals.verbs import copies
from referrals.verbs.base import DealVerb
from referrals.verbs.copies import Terms


class ShareWithVendor(DealVerb[None]):
    """Private -> partner-led: from now on the vendor's sellers may view the deal; not reversible (REF-3, REF-4)."""

    name = "share_with_vendor"
    label = _("Share with %(vendor)s")
    event = "referral.shared"
    sentence = Sentence("eye", "info", _("%(company)s shared the deal with %(vendor)s"), PEOPLE)
    who = (may_share,)
    seen_by_all = indexed = True

    def blockers(self, record: Referral, context: Context) -> Iterable[Blocker]:
        return sharing.sharing_blockers(inbound=record.is_inbound, vendor_may_view=record.vendor_may_view)

    def apply(self, record: Referral, inputs: None, context: Context) -> Effect:
        record.share_with_vendor()
        copies.share(record, vendor_may_view=True, vendor_invited_at=context.now)
        return Effect()


@dataclass(frozen=True)
class HelpRequest:
    """The kind of help wanted from the vendor, what is written with it, and the contact at the customer (REF-2, REF-5).

    The vendor's copy leads with kind and notes.
    """

    help_code: str
    contact: rules.Contact
    notes: str = ""


class RequestHelp(DealVerb[HelpRequest]):
    """Private or partner-led -> co-sell: the vendor gets its own copy to answer (REF-4, REF-10)."""

    name = "request_help"
    label = _("Ask %(vendor)s for help")
    event = "referral.help_requested"
    sentence = Sentence("life-preserver", "info", _("%(company)s asked %(vendor)s for help"), PEOPLE)
    who = (may_share,)
    seen_by_all = indexed = True

    def blockers(self, record: Referral, context: Context) -> Iterable[Blocker]:
        return sharing.asking_blockers(inbound=record.is_inbound, help_code=record.help_code)

    def input_blockers(self, record: Referral, inputs: HelpRequest, context: Context) -> Iterable[Blocker]:
        return sharing.help_blockers(
            inputs.help_code, contact=inputs.contact, notes=inputs.notes, policy=context.policy
        )

    def apply(self, record: Referral, inputs: HelpRequest, context: Context) -> Effect:
        record.request_help()
        engagement, contact = record.engagement, inputs.contact
        invited = record.vendor_invited_at or context.now
        copies.share(record, help_code=inputs.help_code, vendor_may_view=True, vendor_invited_at=invited)
        copies.set_contact(engagement, contact)
        engagement.save()
        terms = Terms(
            record.name, record.money, record.close_date, copies.held_solutions(record), record.marketplace_intent
        )
        _copy, received = copies.send_copy(
            engagement,
            terms,
            to=Company.objects.vendor(),
            sender_id=record.company_id,
            context=context,
            invite_help=inputs.help_code,
            invite_notes=inputs.notes.strip(),
        )
        return Effect(comment=inputs.notes, events=[received])


@dataclass(frozen=True)
class Invitation:
    """The terms of one partner's invitation (REF-9)."""

    partner: Company
    close_date: date
    value: Money
    help_code: str
    team: Sequence[rules.Member]
    solutions: Sequence[Solution]
    notes: str = ""

    @property
    def terms(self) -> sharing.Invitation:
        return sharing.Invitation(
            close_date=self.close_date,
            value=self.value,
            help_code=self.help_code,
            team=self.team,
            solution_count=len(self.solutions),
            notes=self.notes,
        )


class InvitePartner(DealVerb[Invitation]):
    """Send a partner its own copy with its own terms (REF-9). Each partner once, and never one's own company."""

    name = "invite_partner"
    label = _("Invite a partner")
    page = "invite_partner"
    in_dialog = False
    event = "referral.partner_invited"
    sentence = Sentence("person-plus", "info", _("%(company)s invited %(partner)s"), PEOPLE)
    who = (may_share,)
    seen_by_all = indexed = True

    def blockers(self, record: Referral, context: Context) -> Iterable[Blocker]:
        return sharing.inviting_blockers(inbound=record.is_inbound, assessment=record.is_assessment)

    def input_blockers(self, record: Referral, inputs: Invitation, context: Context) -> Iterable[Blocker]:
        partner = inputs.partner
        if partner.pk == record.company_id:
            yield sharing.OWN_COMPANY
        elif record.engagement.referrals.filter(company=partner).exists():
            named = {"partner": partner.name}
            yield Blocker("already_invited", _("%(partner)s has this deal already."), "REF-9", "partner", named)
        elif partner.is_closed:
            yield sharing.closed_partner(partner.name)
        elif not partners.ecosystem().filter(pk=partner.pk).exists():  # nor the vendor: it is asked for help (REF-4)
            yield sharing.UNKNOWN_PARTNER
        yield from sharing.invitation_blockers(inputs.terms, today=context.now.date(), policy=context.policy)
        yield from copies.unready(inputs.solutions)

    def apply(self, record: Referral, inputs: Invitation, context: Context) -> Effect:
        record.invite_partner()
        copies.share(record, p2p=True)
        copy, received = copies.send_copy(
            record.engagement,
            Terms(record.name, inputs.value, inputs.close_date, inputs.solutions, record.marketplace_intent),
            to=inputs.partner,
            sender_id=record.company_id,
            context=context,
            invite_help=inputs.help_code,
            invite_notes=inputs.notes,
        )
        copies.set_inviter_team(copy, inputs.team)
        return Effect(after={"partner": inputs.partner.name}, events=[received])


SHARE_WITH_VENDOR, REQUEST_HELP, INVITE_PARTNER = ShareWithVendor(), RequestHelp(), InvitePartner()
