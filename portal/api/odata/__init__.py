"""OData's query options on lists: `$filter`, `$orderby`, `$select`, `$top`, `$skip`, `$count`, `$skiptoken` (F1.10)."""

from portal.api.odata.errors import QueryError as QueryError
from portal.api.odata.fields import NOTHING as NOTHING
from portal.api.odata.fields import Choice as Choice
from portal.api.odata.fields import Collection as Collection
from portal.api.odata.fields import Day as Day
from portal.api.odata.fields import Flat as Flat
from portal.api.odata.fields import Guid as Guid
from portal.api.odata.fields import Moment as Moment
from portal.api.odata.fields import Number as Number
from portal.api.odata.fields import Property as Property
from portal.api.odata.fields import Resource as Resource
from portal.api.odata.fields import Text as Text
from portal.api.odata.fields import flag as flag
from portal.api.odata.fields import guid as guid
from portal.api.odata.grammar import Literal as Literal
from portal.api.odata.query import Page as Page
from portal.api.odata.query import Query as Query
from portal.api.odata.query import read as read
