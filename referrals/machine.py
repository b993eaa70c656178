"""The referral's machine (REF-11..18): its verbs, what blocks each, and what each needs beyond its inputs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.money import services as money
from portal.policy.rules import Policy
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, Money, _
from referrals import participation, partners, rules
from referrals.models import Engagement, Referral
from referrals.policies import may


def usd_value(value: Money, *, now: datetime, policy: Policy) -> tuple[Decimal | None, date | None]:
    """The value at the rate of the month of `now`, with that rate's month; nothing where no rate is known (FX-2)."""
    try:
        usd = money.to_usd(value.amount, value.currency, month=now.date(), policy=policy)
    except money.RateMissing:
        return None, None
    return usd.amount, usd.rate_month


def _lock(pk: int) -> Referral:
    """The engagement's row first, then the referral's: verbs on copies of one engagement never run at once."""
    Engagement.objects.select_for_update().get(referrals=pk)
    return Referral.objects.select_for_update(of=("self",)).with_context().prefetch_related("team").get(pk=pk)


def _accept_blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
    yield from rules.answer_blockers(referral.expires_at, now=context.now)
    if context.inputs is None:
        return
    inputs = context.inputs
    yield from rules.detail_blockers(
        name=inputs["name"], value=inputs["value"], notes=inputs.get("notes", ""), policy=context.policy
    )
    if inputs.get("team"):
        yield from rules.team_blockers(inputs["team"], policy=context.policy)


def _decline_blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
    yield from rules.answer_blockers(referral.expires_at, now=context.now)
    yield from _reason(rules.CLOSE_REASONS, "REF-12")(referral, context)


def _accept_extras(referral: Referral, context: workflow.Context) -> dict[str, Any]:
    assert context.inputs is not None
    usd, month = usd_value(context.inputs["value"], now=context.now, policy=context.policy)
    return {"value_usd": usd, "usd_rate_month": month}


_NOT_PLANNED = Blocker("not_scheduled", _("Nothing is planned that could be cancelled."), "REF-18")


def _win_blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
    if context.actor.is_system and referral.win_at is None:  # cancelled since the worker looked for what is due
        yield _NOT_PLANNED
    yield from rules.win_blockers(stage=referral.stage, assessment=referral.is_assessment)


def _win_extras(referral: Referral, context: workflow.Context) -> dict[str, Any]:
    usd, month = usd_value(referral.money, now=context.now, policy=context.policy)
    early = rules.is_early(created=referral.created_at, now=context.now, policy=context.policy)
    return {"won_early": early, "value_usd": usd, "usd_rate_month": month}


def _reason(reasons: Iterable[str], rule: str) -> Any:
    def blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
        if context.inputs is None:
            return ()
        inputs = context.inputs
        return rules.reason_blockers(inputs["reason_code"], inputs.get("comment", ""), reasons, rule=rule)

    return blockers


def _stage_blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
    if context.inputs is None:
        return ()
    return rules.stage_blockers(context.inputs["stage"], current=referral.stage, assessment=referral.is_assessment)


def _schedule_blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
    if referral.win_at is not None:
        yield Blocker(
            "already_scheduled",
            _("The deal will be marked Won on %(at)s; cancel that first."),
            "REF-18",
            params={"at": referral.win_at},
        )
    if not rules.is_early(created=referral.created_at, now=context.now, policy=context.policy):
        yield Blocker("not_early", _("The safe hour has passed: win the deal now."), "REF-18")
    yield from _win_blockers(referral, context)


def _schedule_extras(referral: Referral, context: workflow.Context) -> dict[str, Any]:
    return {"win_at": rules.safe_win_at(referral.created_at, context.policy)}


def _cancel_blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
    if referral.win_at is None:
        yield _NOT_PLANNED


def _share_blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
    return participation.sharing_blockers(
        inbound=referral.is_inbound, vendor_may_view=referral.engagement.vendor_may_view
    )


def _help_blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
    inputs = context.inputs or {}
    return participation.help_blockers(
        inbound=referral.is_inbound,
        help_code=referral.engagement.help_code,
        new_help=inputs.get("help_code"),
        contact=inputs.get("contact", rules.Contact()),
    )


def _invite_blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
    yield from participation.inviting_blockers(inbound=referral.is_inbound)
    if context.inputs is None:
        return
    partner = context.inputs["partner"]
    if partner.pk == referral.company_id:
        yield participation.OWN_COMPANY
    elif referral.engagement.referrals.filter(company=partner).exists():
        named = {"partner": partner.name}
        yield Blocker("already_invited", _("%(partner)s has this deal already."), "REF-9", "partner", named)
    elif not partners.ecosystem().filter(pk=partner.pk).exists():  # nor the vendor: it is asked for help (REF-4)
        yield participation.UNKNOWN_PARTNER
    terms = context.inputs["terms"]
    yield from participation.invitation_blockers(terms, today=context.now.date(), policy=context.policy)


def _invite_details(referral: Referral, context: workflow.Context) -> tuple[dict[str, Any], dict[str, Any]]:
    assert context.inputs is not None
    return {}, {"partner": context.inputs["partner"].name}


#: What the details section edits (REF-21; the location never changes, ORG-4).
DETAILS = ("name", "value", "currency", "close_date", "crm_id", "campaign_id", "marketplace_intent")


def members(team: Iterable[Any]) -> list[str]:
    """A team as text, to compare and to keep."""
    return sorted(f"{m.first_name} {m.last_name}, {m.phone}, {m.email.lower()}" for m in team)


def _details_blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
    if context.inputs is None:
        return
    after = {name: getattr(referral, name) for name in DETAILS} | context.inputs["changes"]
    yield from rules.detail_blockers(
        name=after["name"], value=Money(after["value"], after["currency"]), policy=context.policy
    )


def _details_extras(referral: Referral, context: workflow.Context) -> dict[str, Any]:
    """The value in USD follows the value (FX-2)."""
    assert context.inputs is not None
    changes = dict(context.inputs["changes"])
    if {"value", "currency"} & set(changes):
        value = Money(changes.get("value", referral.value), changes.get("currency", referral.currency))
        usd, month = usd_value(value, now=context.now, policy=context.policy)
        return {"usd": {"value_usd": usd, "usd_rate_month": month}}
    return {"usd": {}}


def _team_blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
    if context.inputs is None:
        return ()
    return rules.team_blockers(context.inputs["team"], policy=context.policy)


def _team_details(referral: Referral, context: workflow.Context) -> tuple[dict[str, Any], dict[str, Any]]:
    assert context.inputs is not None
    return {"team": members(referral.team.all())}, {"team": members(context.inputs["team"])}


def _solution_blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
    if referral.is_assessment:
        yield Blocker("assessment_fixed", _("The solution of a solution assessment can't be changed."), "REF-8")
    elif context.inputs is not None:
        yield from rules.count_blockers(len(context.inputs["solutions"]), policy=context.policy)


def _solution_details(referral: Referral, context: workflow.Context) -> tuple[dict[str, Any], dict[str, Any]]:
    assert context.inputs is not None
    held = sorted(line.solution.name for line in referral.solutions.select_related("solution"))
    return {"solutions": held}, {"solutions": sorted(s.name for s in context.inputs["solutions"])}


MACHINE = workflow.register(
    workflow.Machine(
        model=Referral,
        may=may,
        lock=_lock,
        state=lambda referral: rules.SUBSTATUSES[referral.substatus],
        verbs=[
            workflow.Verb("accept", "referral.accepted", _("Accept"), _accept_blockers, _accept_extras, shared=True),
            workflow.Verb(
                "decline",
                "referral.declined",
                _("Decline"),
                _decline_blockers,
                shared=True,
                final=True,
            ),
            workflow.Verb("expire", "referral.expired", _("Expire"), shared=True, by_worker=True),
            workflow.Verb("set_stage", "referral.stage_set", _("Set sales stage"), _stage_blockers, shared=True),
            workflow.Verb(
                "edit_details", "referral.edited", _("Edit the details"), _details_blockers, _details_extras, quiet=True
            ),
            workflow.Verb(
                "edit_team",
                "referral.team_edited",
                _("Edit the team"),
                _team_blockers,
                details=_team_details,
                quiet=True,
            ),
            workflow.Verb(
                "edit_solutions",
                "referral.solutions_edited",
                _("Edit the solutions"),
                _solution_blockers,
                details=_solution_details,
                quiet=True,
            ),
            workflow.Verb(
                "invite_partner",
                "referral.partner_invited",
                _("Invite a partner"),
                _invite_blockers,
                details=_invite_details,
            ),
            workflow.Verb("share_with_vendor", "referral.shared", _("Share with %(vendor)s"), _share_blockers),
            workflow.Verb("request_help", "referral.help_requested", _("Ask %(vendor)s for help"), _help_blockers),
            workflow.Verb("cancel_win", "referral.win_cancelled", _("Cancel the planned win"), _cancel_blockers),
            workflow.Verb(
                "schedule_win", "referral.win_planned", _("Win at the safe hour"), _schedule_blockers, _schedule_extras
            ),
            workflow.Verb(
                "close_as_error",
                "referral.closed_as_error",
                _("Close as error"),
                _reason(rules.ERROR_REASONS, "REF-17"),
                shared=True,
                final=True,
            ),
            workflow.Verb(
                "lose",
                "referral.lost",
                _("Mark as lost"),
                _reason(rules.CLOSE_REASONS, "REF-17"),
                shared=True,
                final=True,
            ),
            workflow.Verb("win", "referral.won", _("Mark as won"), _win_blockers, _win_extras, shared=True, final=True),
        ],
    )
)
