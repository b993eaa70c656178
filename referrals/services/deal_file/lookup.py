"""What the rows of a file name, looked up for all rows at once: solutions, locations, customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from portal.accounts import selectors as accounts
from portal.accounts.models import Location
from portal.accounts.rules import Actor
from portal.catalog.models import Solution
from portal.customers import rules
from portal.customers import services as customers
from portal.customers.models import Customer
from portal.tables import MAX_QUOTED
from portal.workflow.blockers import Blocker, _
from referrals.services.creation import creatable_locations
from referrals.services.deal_file import columns as c
from referrals.services.deal_file.reading import DealRow


@dataclass
class Lookup:
    """What the cells may mean to this actor; a few queries, however many rows there are."""

    actor: Actor
    solutions: Mapping[str, Solution]
    locations: Sequence[Location]
    _nearest: dict[str, Location | None] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Sequence[DealRow], actor: Actor) -> Lookup:
        codes = {code.upper() for row in rows for code in row.solutions.values()}
        solutions = Solution.objects.choosable().filter(code__in=codes | {code.lower() for code in codes})
        found = {solution.code.upper(): solution for solution in solutions}
        return cls(actor, found, creatable_locations(actor))

    def solutions_of(self, row: DealRow, held: Iterable[Solution] = ()) -> list[Solution]:
        """The solutions that the row names; what can't be put on a deal is unknown, but for those `held` (REF-8)."""
        known = {**self.solutions, **{solution.code.upper(): solution for solution in held}}
        found = []
        for column, code in row.solutions.items():
            if code.upper() in known:
                found.append(known[code.upper()])
            else:
                message = _("No solution that can be put on a deal has the id “%(value)s”.")
                said = {"value": code[:MAX_QUOTED]}
                row.row.refuse(column, Blocker("solution_unknown", message, "REF-8", params=said))
        return found

    def location_of(self, row: DealRow) -> Location | None:
        """The location that the row names by its partner id, else the nearest to the customer (REF-10), in scope."""
        if mpn_id := row.text(c.LOCATION):
            place = next((place for place in self.locations if place.mpn_id.casefold() == mpn_id.casefold()), None)
            if place is None:
                message = _("None of the locations for which you may create deals has this partner id.")
                row.row.refuse(c.LOCATION, Blocker("foreign_location", message, "REF-6"))
            return place
        country = row.text(c.COUNTRY).upper()
        if country not in self._nearest:
            mine = {place.pk for place in self.locations}
            nearest = accounts.nearest_first(country).filter(company_id=self.actor.own_company_id)
            self._nearest[country] = next((place for place in nearest if place.pk in mine), None)
        if self._nearest[country] is None:
            row.row.refuse(c.LOCATION, Blocker("foreign_location", NO_LOCATION, "REF-6"))
        return self._nearest[country]

    def customer_of(self, row: DealRow) -> Customer | None:
        """The directory's entry that the row names (REF-5); None where it is refused, or a new one would be made."""
        values = entry(row)
        wrong = [b for b in rules.entry_blockers(values) if c.ENTRY.get(b.field, c.CUSTOMER) not in row.row.unread]
        for blocker in wrong:
            row.row.refuse(c.ENTRY.get(blocker.field, c.CUSTOMER), blocker)
        if row.row.unread.intersection(c.ENTRY.values()):
            return None
        return customers.match(values, self.actor.own_company_id)


def entry(row: DealRow) -> dict[str, str]:
    """What the row says of the customer, as the directory keeps it."""
    return rules.tidied(**{name: row.text(column) for name, column in c.ENTRY.items()})


NO_LOCATION = _("You may create deals for none of your company's locations.")
