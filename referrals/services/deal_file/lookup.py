"""What the rows of a file name, looked up for all rows at once: solutions, locations, customers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from portal.accounts import services as accounts
from portal.accounts.models import Location
from portal.accounts.rules import Actor
from portal.catalog.models import Solution
from portal.customers.models import Customer
from portal.customers.rules import fold, search_text, tidy_duns
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
    by_duns: Mapping[str, Customer]
    by_name: Mapping[tuple[str, str], Sequence[Customer]]
    _nearest: dict[str, Location | None] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Sequence[DealRow], actor: Actor) -> Lookup:
        codes = {code.upper() for row in rows for code in row.solutions.values()}
        solutions = Solution.objects.choosable().filter(code__in=codes | {code.lower() for code in codes})
        numbers = {f"duns:{tidy_duns(row.text(c.DUNS))}" for row in rows if row.text(c.DUNS)}
        names = {search_text(row.text(c.CUSTOMER)) for row in rows if row.text(c.CUSTOMER)}
        countries = {row.text(c.COUNTRY).upper() for row in rows}
        by_name: dict[tuple[str, str], list[Customer]] = defaultdict(list)
        for customer in Customer.objects.filter(country__in=countries, search_text__in=names):
            by_name[customer.country, customer.search_text].append(customer)
        by_duns = {customer.duns: customer for customer in Customer.objects.filter(import_key__in=numbers)}
        found = {solution.code.upper(): solution for solution in solutions}
        return cls(actor, found, creatable_locations(actor), by_duns, by_name)

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
        """The directory's entry, by D-U-N-S, else by name, country, city and address (REF-5)."""
        duns = tidy_duns(row.text(c.DUNS))
        if duns and duns in self.by_duns:
            return self.by_duns[duns]
        found = self.by_name.get((row.text(c.COUNTRY).upper(), search_text(row.text(c.CUSTOMER))), ())
        fitting = [customer for customer in found if _fits(customer, row, duns)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            message = _("Several entries of the customer directory fit; give city, address or D-U-N-S number.")
            row.row.refuse(c.CUSTOMER, Blocker("customer_ambiguous", message, "REF-5"))
        else:
            message = _("No entry of the customer directory has this D-U-N-S number, or this name, country and city.")
            row.row.refuse(c.CUSTOMER, Blocker("customer_unknown", message, "REF-5"))
        return None


NO_LOCATION = _("You may create deals for none of your company's locations.")


def _fits(customer: Customer, row: DealRow, duns: str) -> bool:
    """Whether city, address and number, as far as both know them, are the same."""
    if duns and customer.duns and customer.duns != duns:
        return False
    pairs = [(customer.city, row.text(c.CITY)), (customer.address_line1, row.text(c.ADDRESS1))]
    return all(fold(kept) == fold(given) for kept, given in pairs if kept and given)
