"""A CSV file of marketplace transactions: looked at first, then taken in (FLOW-3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Model

from dealreg.models import MarketplaceTransaction
from dealreg.rules import marketplace as rules
from dealreg.rules.marketplace import Line
from dealreg.services.marketplace import NewTransaction, Source, add_transactions
from portal.accounts.models import Company, Location
from portal.accounts.rules import Actor
from portal.catalog.models import Solution
from portal.customers.models import Customer
from portal.customers.rules import fold, tidy_duns
from portal.sheets import LineError
from portal.workflow.blockers import Blocker, _

M = TypeVar("M", bound=Model)
#: So much of what was typed is said again.
MAX_QUOTED = 100


class Names(dict[str, dict[int, M]]):
    """What each name in a file may mean, by the row's key."""

    def mean(self, name: str, row: M) -> None:
        self.setdefault(name, {})[row.pk] = row


@dataclass(frozen=True)
class Preview:
    """What taking in a file would do: the transactions that are new, with their lines; the lines whose transactions
    are known as they stand there; and everything that is wrong with the lines that are refused."""

    new: Sequence[tuple[int, NewTransaction]]
    unchanged: Sequence[int]
    refused: Sequence[LineError]

    @property
    def refused_lines(self) -> int:
        return len({error.line for error in self.refused})


def preview(text: str, *, now: datetime) -> Preview:
    """Look at a file and write nothing; the same few queries, however many lines there are."""
    lines, errors = rules.read_file(text, today=now.date())
    known = MarketplaceTransaction.objects.in_bulk(
        [line.details.transaction_id for line in lines], field_name="transaction_id"
    )
    new: list[tuple[int, NewTransaction]] = []
    unchanged = []
    for line, given in named(lines):
        if not isinstance(given, NewTransaction):
            errors += [LineError(line.number, wrong) for wrong in given]
        elif (row := known.get(line.details.transaction_id)) is None:
            new.append((line.number, given))
        elif same(row, given):
            unchanged.append(line.number)
        else:
            errors.append(LineError(line.number, DIFFERS))
    return Preview(new, unchanged, sorted(errors, key=lambda error: error.line))


def named(lines: Sequence[Line]) -> Iterator[tuple[Line, NewTransaction | list[Blocker]]]:
    """Each line with the transaction that it means, or with what is wrong with its names; a few queries for all."""
    partners, customers, solutions = _partners(lines), _customers(lines), _solutions(lines)
    for line in lines:
        partner = _one(partners, fold(line.partner), _unknown(NO_PARTNER, line.partner))
        customer = _one(customers, tidy_duns(line.customer).lower(), _unknown(NO_CUSTOMER, line.customer))
        solution = _one(solutions, line.solution.lower(), _unknown(NO_SOLUTION, line.solution))
        if isinstance(partner, Blocker) or isinstance(customer, Blocker) or isinstance(solution, Blocker):
            yield line, [wrong for wrong in (partner, customer, solution) if isinstance(wrong, Blocker)]
        else:
            yield line, NewTransaction(line.details, partner, customer, solution)


@transaction.atomic
def take_in(text: str, *, actor: Actor, now: datetime) -> Preview:
    """Take in the file's new transactions, and return what became of its lines; repeating it changes nothing.

    Raises PermissionDenied, or IntegrityError if one of them was taken in meanwhile.
    """
    found = preview(text, now=now)
    add_transactions([new for _line, new in found.new], actor=actor, now=now, source=Source.CSV)
    return found


NO_PARTNER = Blocker("partner_unknown", _("No partner has the name or id “%(value)s”."), "FLOW-3", "partner")
NO_CUSTOMER = Blocker(
    "customer_unknown", _("No customer has the id or D-U-N-S number “%(value)s”."), "FLOW-3", "customer"
)
NO_SOLUTION = Blocker("solution_unknown", _("No solution has the id “%(value)s”."), "FLOW-3", "solution")
DIFFERS = Blocker(
    "transaction_differs", _("There is a transaction with this id already, and it says something else."), "FLOW-3"
)


def _one(names: Mapping[str, Mapping[int, M]], name: str, unknown: Blocker) -> M | Blocker:
    """The only row that the name means, or what is wrong with the name."""
    found = names.get(name, {})
    if len(found) > 1:
        message = _("“%(value)s” can mean several; give the id.")
        return Blocker("name_ambiguous", message, "FLOW-3", unknown.field, unknown.params)
    return next(iter(found.values()), unknown)


def _unknown(blocker: Blocker, value: str) -> Blocker:
    return replace(blocker, params={"value": value[:MAX_QUOTED]})


def same(row: MarketplaceTransaction, given: NewTransaction) -> bool:
    stated = rules.Details(row.transaction_id, row.date, row.amount, row.currency)
    return (stated, row.sale) == (given.details, (given.company.pk, given.customer.pk, given.solution.pk))


def _ids(names: Iterable[str]) -> list[UUID]:
    """Those of the names that are ids."""
    found = []
    for name in names:
        try:
            found.append(UUID(name))
        except ValueError:
            continue
    return found


def _partners(lines: Sequence[Line]) -> Names[Company]:
    """By the partner id (MPN) of a location, the company's own id, or its name."""
    names: Names[Company] = Names()
    for company in Company.objects.partners():
        names.mean(fold(company.name), company)
        names.mean(str(company.public_id), company)
    places = Location.objects.filter(mpn_id__in={line.partner for line in lines}, company__kind=Company.Kind.PARTNER)
    for place in places.select_related("company"):
        names.mean(fold(place.mpn_id), place.company)
    return names


def _customers(lines: Sequence[Line]) -> Names[Customer]:
    """By the customer's id or D-U-N-S number."""
    given = {line.customer for line in lines}
    names: Names[Customer] = Names()
    for customer in Customer.objects.filter(public_id__in=_ids(given)):
        names.mean(customer.public_id.hex, customer)
    numbers = {f"duns:{tidy_duns(name)}" for name in given}
    for customer in Customer.objects.filter(import_key__in=numbers):
        names.mean(customer.duns, customer)
    return names


def _solutions(lines: Sequence[Line]) -> Names[Solution]:
    """By the solution's code, or its id."""
    given = {line.solution for line in lines}
    names: Names[Solution] = Names()
    for solution in Solution.objects.filter(code__in={variant for name in given for variant in (name, name.upper())}):
        names.mean(solution.code.lower(), solution)
    for solution in Solution.objects.filter(public_id__in=_ids(given)):
        names.mean(str(solution.public_id), solution)
    return names
