from portal.desk.models.case import Case, CaseQuerySet
from portal.desk.models.saved import SavedFilter
