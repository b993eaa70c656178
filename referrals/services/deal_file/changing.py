"""The verbs that a row with an id runs: each for the cells that differ from the deal (F3.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.customers.rules import tidied
from portal.policy import services as policies
from portal.row_plans import Change, Step, fixed, step
from portal.workflow.blockers import Blocker, _
from referrals import rules, verbs
from referrals.services.deal_file import columns as c
from referrals.services.deal_file.held import Held
from referrals.services.deal_file.lookup import Lookup
from referrals.services.deal_file.reading import DealRow

#: Read-only once the deal is there (F3.1).
_FIXED = (*c.ENTRY.values(), c.LOCATION)
_DETAILS = (c.NAME, c.VALUE, c.CURRENCY, c.CLOSE_DATE, c.CRM_ID, c.CAMPAIGN_ID, c.INTENT)
#: What is given with the request for help, and stays then.
_WITH_HELP = (c.HELP, c.FIRST_NAME, c.LAST_NAME, c.PHONE, c.EMAIL, c.HELP_NOTES, c.CONSENT)


@dataclass
class Changes:
    """What a row changes, and by which verbs; `differs` are its columns."""

    row: DealRow
    held: Held
    lookup: Lookup
    steps: list[Step] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    warnings: list[Blocker] = field(default_factory=list)
    differs: set[str] = field(default_factory=set)

    def any(self, *columns: str) -> bool:
        return bool(self.differs.intersection(columns))

    def value(self, column: str, current: Any) -> Any:
        """What the cell says, or what is there if it says nothing new, or nothing that can be read."""
        found = self.row.values.get(column)
        return current if found is None else found

    def text(self, column: str, current: str) -> str:
        read = column in self.differs and column not in self.row.row.unread
        return self.row.text(column) if read else current


def plan_change(row: DealRow, held: Held, lookup: Lookup, *, now: datetime) -> Changes:
    """What differs, and the verbs for it in their order: answering first, ending last."""
    found = Changes(row, held, lookup)
    for column in (*c.AT.values(), *_FIXED, *_DETAILS, *_WITH_HELP, c.STATUS, c.SUBSTATUS, c.REASON, c.STAGE):
        _compare(found, column)
    for column in (c.NOTES, c.HELP_REQUIRED, c.SHARE):
        _compare(found, column)
    _compare_listed(found)
    if not found.differs:
        return found
    if held.referral.is_closed:
        message = _("The deal is closed; nothing about it changes any more.")
        for column in sorted(found.differs):
            row.row.refuse(column, Blocker("deal_closed", message, "REF-11"))
        return found
    _refuse_fixed(found)
    target = _target(found)
    if target == rules.ACCEPTED and held.referral.substatus == rules.RECEIVED:
        _accept(found)
    _edit(found)
    _share(found)
    _end(found, target, now=now)
    return found


def _compare(found: Changes, column: str) -> None:
    row, held = found.row, found.held
    if column not in row.row.cells or column in found.differs or column.startswith((c.SOLUTION, c.MEMBER)):
        return
    was, becomes = held.text(column), row.text(column)
    if _same(found, column, was, becomes):
        return
    found.differs.add(column)
    found.changes.append(Change(column, was, becomes))


def _same(found: Changes, column: str, was: str, becomes: str) -> bool:
    """Whether the cell says what the deal has, in these words or in others; nothing is said by an empty cell whose
    column can't be emptied."""
    if was.splitlines() == becomes.splitlines() or (not becomes and column not in (*_DETAILS, c.REASON)):
        return True
    if column in c.ENTRY.values():
        name = next(name for name, entry in c.ENTRY.items() if entry == column)
        return tidied(**{name: becomes})[name] == tidied(**{name: was})[name]
    if column == c.LOCATION:
        return was.casefold() == becomes.casefold()
    value = found.row.values.get(column)
    return (value is not None and value == _current(found, column)) or _done(found, column, becomes)


def _done(found: Changes, column: str, becomes: str) -> bool:
    """Whether the cell asked for what its row has done since: so that a file can be uploaded again (F10.5)."""
    row, referral = found.row, found.held.referral
    match column:
        case c.STATUS:  # as the row was written that created the deal
            return row.values.get(c.STATUS) == "New" and referral.substatus == rules.ACCEPTED == row.text(c.SUBSTATUS)
        case c.STAGE:  # the win set it
            return referral.substatus == rules.WON == row.text(c.SUBSTATUS)
        case c.SHARE:  # applies where no help is asked for
            return referral.help_code != rules.NO_HELP and row.text(c.HELP_REQUIRED).casefold() == "yes"
        case c.REASON:
            return row.reason(referral.substatus) == (referral.reason_code, referral.reason_note)
        case c.FIRST_NAME | c.LAST_NAME:  # it is kept as one name
            return row.contact().name == found.held.referral.engagement.contact_name
        case c.NOTES:
            return "\n".join(becomes.splitlines()) in found.held.notes
    return False


def _current(found: Changes, column: str) -> Any:
    referral = found.held.referral
    return {
        c.VALUE: referral.value,
        c.CURRENCY: referral.currency,
        c.CLOSE_DATE: referral.close_date,
        c.STATUS: referral.status,
        c.SUBSTATUS: referral.substatus,
        c.STAGE: referral.stage,
        c.HELP_REQUIRED: referral.help_code != rules.NO_HELP,
        c.HELP: referral.help_code,
        c.SHARE: referral.vendor_may_view,
        c.CONSENT: referral.engagement.contact_consent,
        c.INTENT: referral.marketplace_intent,
    }.get(column)


def _compare_listed(found: Changes) -> None:
    """Solutions and people: the columns are compared together, in any order."""
    row, referral = found.row, found.held.referral
    if c.SOLUTIONS[0] in row.row.cells and not referral.is_assessment:
        held = {line.solution.code.upper() for line in referral.solutions.all()}
        if held != {code.upper() for code in row.solutions.values()}:
            _list_changed(found, c.SOLUTIONS)
    if c.MEMBERS[0] in row.row.cells:
        same = verbs.copies.members(referral.team.all()) == verbs.copies.members(row.members.values())
        if not same or row.row.unread.intersection(c.MEMBERS):
            _list_changed(found, c.MEMBERS)


def _list_changed(found: Changes, columns: Iterable[str]) -> None:
    columns = tuple(columns)
    found.differs.add(columns[0])
    before = [found.held.text(column) for column in columns]
    after = [found.row.text(column) for column in columns]
    pairs = zip(columns, before, after, strict=True)
    found.changes += [Change(column, was, becomes) for column, was, becomes in pairs if was != becomes]


def _refuse_fixed(found: Changes) -> None:
    """What can't be changed after creation, or after it was shared (F3.1, REF-3, REF-5)."""
    row, referral = found.row.row, found.held.referral
    for column in (*_FIXED, *(() if _asks_help(found) else _WITH_HELP)):
        if column in found.differs and column not in row.unread:
            row.refuse(column, fixed(column, rule="REF-5"))
    taken_back = {
        c.HELP_REQUIRED: referral.help_code != rules.NO_HELP and found.row.values.get(c.HELP_REQUIRED) is False,
        c.SHARE: referral.vendor_may_view and found.row.values.get(c.SHARE) is False,
    }
    for column, refused in taken_back.items():
        if refused:
            row.refuse(column, fixed(column, rule="REF-3"))


def _asks_help(found: Changes) -> bool:
    asks = found.held.referral.help_code == rules.NO_HELP and found.row.values.get(c.HELP_REQUIRED)
    return bool(asks)


def _target(found: Changes) -> str:
    """The substatus that the row wants; status and substatus have to go together (REF-11)."""
    referral = found.held.referral
    target: str = found.value(c.SUBSTATUS, referral.substatus)
    status = found.row.values.get(c.STATUS) if c.STATUS in found.differs else None
    if status is not None and status != rules.status_of(target) and c.SUBSTATUS not in found.row.row.unread:
        message = _("%(substatus)s goes with the status %(status)s.")
        params = {"substatus": target, "status": rules.status_of(target)}
        found.row.row.refuse(c.STATUS, Blocker("status_mismatch", message, "REF-11", params=params))
    return target


def _accept(found: Changes) -> None:
    details = _details(found)
    people = list(found.row.members.values())
    inputs = verbs.Acceptance(
        name=details.name,
        value=details.money,
        close_date=details.close_date,
        crm_id=details.crm_id,
        campaign_id=details.campaign_id,
        notes=found.text(c.NOTES, ""),
        team=people or [_member(member) for member in found.held.referral.team.all()],
    )
    found.steps.append(step(verbs.ACCEPT, inputs, c.SUBSTATUS, c.AT, leads=True))
    found.differs -= {*_DETAILS, c.NOTES, c.MEMBERS[0]} - {c.INTENT}


def _details(found: Changes) -> verbs.Details:
    """The details that the row wants; what can't be read is as before."""
    referral, row = found.held.referral, found.row.row
    for column in _DETAILS:
        if column in found.differs and not row.text(column) and column not in (c.CRM_ID, c.CAMPAIGN_ID, c.NAME):
            row.require(column)
    return verbs.Details(
        name=found.text(c.NAME, referral.name),
        value=found.value(c.VALUE, referral.value),
        currency=found.value(c.CURRENCY, referral.currency),
        close_date=found.value(c.CLOSE_DATE, referral.close_date),
        crm_id=found.text(c.CRM_ID, referral.crm_id),
        campaign_id=found.text(c.CAMPAIGN_ID, referral.campaign_id),
        marketplace_intent=found.value(c.INTENT, referral.marketplace_intent),
    )


def _edit(found: Changes) -> None:
    """Details, team, solutions, a note, the stage (REF-14, REF-21, REF-23)."""
    row, referral, add = found.row, found.held.referral, found.steps.append
    if found.any(*_DETAILS) and (details := _details(found)) != verbs.details_of(referral):
        changed = next(column for column in _DETAILS if column in found.differs)
        add(step(verbs.EDIT_DETAILS, details, changed, c.AT))
    if found.any(c.MEMBERS[0]) and not row.row.unread.intersection(c.MEMBERS):
        add(step(verbs.EDIT_TEAM, verbs.Team(_with_titles(found)), c.MEMBERS[0], c.AT))
    if found.any(c.SOLUTIONS[0]):
        held = [line.solution for line in referral.solutions.all()]
        solutions = found.lookup.solutions_of(row, held)
        if not row.row.unread.intersection(c.SOLUTIONS):
            add(step(verbs.EDIT_SOLUTIONS, verbs.Solutions(solutions), c.SOLUTIONS[0], c.AT))
    if found.any(c.NOTES):
        add(step(verbs.ADD_NOTE, verbs.NewNote(row.text(c.NOTES)), c.NOTES, c.AT))
    stage = row.values.get(c.STAGE)
    if found.any(c.STAGE) and stage is not None and not (stage == rules.WON_STAGE and _wins(found)):
        add(step(verbs.SET_STAGE, verbs.Stage(stage), c.STAGE, c.AT))


def _wins(found: Changes) -> bool:
    return bool(found.row.values.get(c.SUBSTATUS) == rules.WON)


def _with_titles(found: Changes) -> list[rules.Member]:
    """The file has no titles: who stays on the team keeps theirs."""
    titles = {member.email: member.title for member in found.held.referral.team.all()}
    return [
        rules.Member(m.first_name, m.last_name, m.phone, m.email, titles.get(m.email.lower(), ""))
        for m in found.row.members.values()
    ]


def _member(member: Any) -> rules.Member:
    return rules.Member(member.first_name, member.last_name, member.phone, member.email, member.title)


def _share(found: Changes) -> None:
    """Help, or only visibility (REF-3, REF-4)."""
    row = found.row
    if _asks_help(found):
        row.row.require(c.HELP)
        if row.values.get(c.HELP):
            inputs = verbs.HelpRequest(row.values[c.HELP], _contact(found), row.text(c.HELP_NOTES))
            found.steps.append(step(verbs.REQUEST_HELP, inputs, c.HELP_REQUIRED, c.AT | {"comment": c.HELP_NOTES}))
    elif found.any(c.SHARE) and row.values.get(c.SHARE):
        found.steps.append(step(verbs.SHARE_WITH_VENDOR, None, c.SHARE))


def _contact(found: Changes) -> rules.Contact:
    """The contact that the row gives; what it doesn't speak of is as before."""
    row, held = found.row, found.held
    said = {column: row.text(column) if column in row.row.cells else held.text(column) for column in _WITH_HELP}
    consent = found.value(c.CONSENT, held.referral.engagement.contact_consent)
    return rules.Contact(f"{said[c.FIRST_NAME]} {said[c.LAST_NAME]}".strip(), said[c.PHONE], said[c.EMAIL], consent)


def _end(found: Changes, target: str, *, now: datetime) -> None:
    """Declined, won, lost or closed as an error (REF-12, REF-17); the rest of the moves are nobody's."""
    referral, row = found.held.referral, found.row
    ends = {rules.DECLINED: verbs.DECLINE, rules.LOST: verbs.LOSE, rules.ERROR: verbs.CLOSE_AS_ERROR}
    if target == referral.substatus or (target == rules.ACCEPTED and referral.substatus == rules.RECEIVED):
        if found.any(c.REASON) and row.text(c.REASON):
            message = _("A reason goes with a deal that is declined, lost or closed as an error.")
            row.row.refuse(c.REASON, Blocker("reason_without_end", message, "REF-17"))
    elif target in ends:
        code, note = row.reason(target)
        at = c.AT | {"comment": c.REASON}
        found.steps.append(step(ends[target], verbs.Reason(code, note), c.SUBSTATUS, at))
    elif target == rules.WON:
        found.steps.append(step(verbs.WIN, verbs.Signing(), c.SUBSTATUS, c.AT))
        policy = policies.current(now)
        if rules.is_early(created=referral.created_at, now=now, policy=policy):
            message = _("Won early: from %(at)s it is safe; until then the registration goes to review.")
            at_hour = rules.safe_win_at(referral.created_at, policy)
            found.warnings.append(Blocker("", message, "REF-18", c.SUBSTATUS, {"at": at_hour}))
    else:
        row.row.refuse(c.SUBSTATUS, fixed(c.SUBSTATUS, rule="REF-11"))
