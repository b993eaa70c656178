from isvconnect.models.deal import IsvDeal, IsvDealQuerySet, Status
from isvconnect.models.invoice import Installment, Invoice, InvoiceQuerySet, InvoiceSeries
from isvconnect.models.rates import FeeRate, Tag
from isvconnect.models.run import InvoiceRun
