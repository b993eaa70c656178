"""What registrations have settled of a customer and of a solution: it can't be corrected any more (FLOW-7)."""

from __future__ import annotations

from dealreg.models import Registration
from dealreg.rules import states
from portal.catalog.selectors import SETTLED as OF_SOLUTIONS
from portal.customers.selectors import SETTLED as OF_CUSTOMERS

#: Decided, whether it is closed yet or not.
_DECIDED = (*states.GOOD, *states.BAD, states.CLOSED)


def of_customer(customer_id: int) -> int:
    found = Registration.objects.filter(referral__engagement__customer=customer_id, status__in=_DECIDED)
    return found.exclude(outcome=states.NOT_REGISTERED).count()


def of_solution(solution_id: int) -> int:
    found = Registration.objects.filter(solution=solution_id, status__in=_DECIDED)
    return found.exclude(outcome=states.NOT_REGISTERED).count()


OF_CUSTOMERS.add("registrations", of_customer, order=10)
OF_SOLUTIONS.add("registrations", of_solution, order=10)
