"""SQL expressions by which lists of deals are sorted and filtered (REF-20); the indexes use the same ones."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.postgres.search import SearchVectorField
from django.db.models import Case, DecimalField, F, Func, IntegerField, TextField, Value, When
from django.db.models.functions import Coalesce, Lower

from referrals import rules

#: Databases compare by code point; so that ç stands by c and not behind z, and İ, I, ı and i are one letter.
_LETTERS = "ÇĞİIÖŞÜÂÎÛçğıöşüâîûÄäÉéÈèÊêÁáÀàÍíÓóÚúÑñÅåØø"
_PLAIN = "cgiiosuaiucgiosuaiuaaeeeeeeaaaaiioouunnaaoo"


def folded(column: str) -> Lower:
    """A column's text by which rows are sorted."""
    return Lower(Func(F(column), Value(_LETTERS), Value(_PLAIN), function="translate", output_field=TextField()))


FOLDED_NAME = folded("name")

#: All parts of three letters of a name: what an index can know of the inside of words (migration 0010).
NAME_PARTS = Func(F("name"), function="referrals_parts", output_field=SearchVectorField())
PART = 3

#: Deals without a known value come before the smallest: every value is above 0.
KNOWN_VALUE = Coalesce(F("value_usd"), Value(Decimal(0)), output_field=DecimalField(max_digits=20, decimal_places=2))

#: The statuses in the order of a deal's life (REF-11).
LIFE = Case(
    *(When(substatus=substatus, then=Value(number)) for number, substatus in enumerate(rules.SUBSTATUSES)),
    default=Value(len(rules.SUBSTATUSES)),
    output_field=IntegerField(),
)

#: The stage where a deal has one; those nobody worked on come before the first.
STAGED = (rules.ACCEPTED, rules.WON, rules.LOST)
SHOWN_STAGE = Case(When(substatus__in=STAGED, then=F("stage")), default=Value(0), output_field=IntegerField())
