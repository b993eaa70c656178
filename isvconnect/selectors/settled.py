"""What issued invoices have settled of a customer and of a solution: it can't be corrected any more (ISV-6)."""

from __future__ import annotations

from isvconnect.models import Invoice
from portal.catalog.selectors import SETTLED as OF_SOLUTIONS
from portal.customers.selectors import SETTLED as OF_CUSTOMERS


def of_customer(customer_id: int) -> int:
    return Invoice.objects.filter(deal__customer=customer_id).count()


def of_solution(solution_id: int) -> int:
    return Invoice.objects.filter(deal__solution=solution_id).count()


OF_CUSTOMERS.add("invoices", of_customer, order=20)
OF_SOLUTIONS.add("invoices", of_solution, order=20)
