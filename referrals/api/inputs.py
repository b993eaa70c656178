"""What clients write, read and checked: each path of a referral that can be written, with the field that reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portal.money.rules import cents
from referrals import rules
from referrals.api import wire

#: More than anybody writes into values that are only kept, as JSON.
MAX_KEPT = 20_000
#: Beyond these digits an amount is too large anyhow, whatever its cents are.
MAX_DIGITS = 20


class Text(serializers.CharField):
    """A text, or a number where a client sends one for a text; nothing at all is the empty text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_blank": True, "allow_null": True, "default": "", **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation("" if data is None else data)


class Amount(serializers.DecimalField):
    """An amount, also as a string (F1.4), rounded to cents: some CRMs keep four decimals."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=None, decimal_places=None, **kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        value: Decimal = super().to_internal_value(data)
        return value if value.adjusted() > MAX_DIGITS else cents(value)


class Day(serializers.DateField):
    """The UTC day of an instant, or a day."""

    default_error_messages = {"invalid": "Write an instant as 2026-12-31T00:00:00Z, or a day as 2026-12-31."}

    def to_internal_value(self, value: Any) -> date:
        try:
            instant = datetime.fromisoformat(value)
            return (instant.astimezone(UTC) if instant.tzinfo else instant).date()
        except (TypeError, ValueError, OverflowError):
            self.fail("invalid")


class Token(serializers.ChoiceField):
    """One of the wire's tokens, in any case."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        super().__init__(choices, **{"allow_null": True, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        tokens = {str(token).casefold(): token for token in self.choices}
        return super().to_internal_value(tokens.get(str(data).casefold(), data))


class Kept(serializers.JSONField):
    """A value that is only kept and given back."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_null": True, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        try:
            written = json.dumps(data, default=float, allow_nan=False)  # amounts were read as Decimal
        except ValueError:  # beyond what a number of JSON holds
            raise serializers.ValidationError("This number is too large to be kept.") from None
        if len(written) > MAX_KEPT:
            raise serializers.ValidationError("This is more than is kept.", code="too_long")
        return json.loads(written)


class MemberInput(serializers.Serializer[Any]):
    """A person (F1.6)."""

    firstName = Text()
    lastName = Text()
    phoneNumber = Text()
    email = serializers.EmailField(required=False, allow_blank=True, allow_null=True, default="")
    title = Text()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {**attrs, "email": (attrs["email"] or "").lower()}


class SolutionTagInput(serializers.Serializer[Any]):
    """A SolutionTag (F1.6). The programme reads `id`; the rest is kept."""

    id = Text()
    name = Text()
    type = Text(help_text="None, Category or Name")
    price = Kept(required=False)
    quantity = Kept(required=False)
    currency = Kept(required=False)
    solutionType = Kept(required=False)
    closingDateTime = Kept(required=False)


class AttributeInput(serializers.Serializer[Any]):
    """An attribute, such as the customer's marketplace intent (F1.6)."""

    type = Text()
    id = Text()


@extend_schema_field({"oneOf": [{"type": "array", "items": {}}, {"type": "object", "additionalProperties": {}}]})
class IdsInput(serializers.Field[Any, Any, Any, Any]):
    """A customer's ids, as a list or as an object (F1.6), by their type in small letters."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if isinstance(data, Mapping):
            entry = {str(key).casefold(): value for key, value in data.items()}
            data = [data] if "profiletype" in entry else [{"profileType": k, "id": v} for k, v in data.items()]
        if not isinstance(data, list):
            raise serializers.ValidationError("Send the ids as a list, or as an object.")
        found = {}
        for given in data:
            entry = {str(key).casefold(): value for key, value in given.items()} if isinstance(given, Mapping) else {}
            kind, number = entry.get("profiletype"), entry.get("id")
            if not isinstance(kind, str) or not isinstance(number, str | int | None):
                raise serializers.ValidationError("Each id has a profileType, Duns or External, and an id.")
            found[kind.casefold()] = str(number or "")
        return found


class AddressInput(serializers.Serializer[Any]):
    """An address (F1.6)."""

    addressLine1 = Text()
    addressLine2 = Text()
    city = Text()
    state = Text()
    postalCode = Text()
    country = Text()
    region = Text()


class CustomerInput(serializers.Serializer[Any]):
    """The customer (F1.6)."""

    name = Text()
    address = AddressInput(required=False, allow_null=True)
    team = MemberInput(many=True, required=False)
    ids = IdsInput(required=False, allow_null=True)


class ConsentInput(serializers.Serializer[Any]):
    """Consents (F1.6)."""

    consentToToShareInfoWithOthers = serializers.BooleanField(required=False, allow_null=True)
    consentToShareReferralWithMicrosoftSellers = serializers.BooleanField(required=False, allow_null=True)


class AdditionalInput(serializers.Serializer[Any]):
    attributes = AttributeInput(many=True, required=False)


class RequirementsInput(serializers.Serializer[Any]):
    """What the customer needs (F1.6)."""

    solutions = SolutionTagInput(many=True, required=False)
    additionalRequirements = AdditionalInput(required=False, allow_null=True)


class DetailsInput(serializers.Serializer[Any]):
    """The details (F1.6)."""

    notes = Text()
    dealValue = Amount(required=False, allow_null=True)
    currency = Text()
    closingDateTime = Day(required=False, allow_null=True)
    requirements = RequirementsInput(required=False, allow_null=True)


class InviteInput(serializers.Serializer[Any]):
    """What help is asked for, and of whom (F1.6)."""

    notes = Text()
    assistanceRequestCode = Text()
    invitedMpnId = Text()


class TargetInput(serializers.Serializer[Any]):
    """To whom a referral goes (F1.5)."""

    type = Text()
    id = Text()


class ReferralInput(serializers.Serializer[Any]):
    """A new referral (F1.5). What else of F1.5 is sent is kept; what is the server's own is overlooked."""

    name = Text()
    engagementId = serializers.UUIDField(required=False, allow_null=True)
    externalReferenceId = Text()
    campaignId = Text()
    mpnId = Text()
    salesStage = Text()
    target = TargetInput(many=True, required=False)
    customerProfile = CustomerInput(required=False, allow_null=True)
    consent = ConsentInput(required=False, allow_null=True)
    details = DetailsInput(required=False, allow_null=True)
    team = MemberInput(many=True, required=False)
    inviteContext = InviteInput(required=False, allow_null=True)
    lastModifiedVia = Text(max_length=100)
    lastRunId = Text(max_length=100)


STATUSES = ("None", "New", "Active", "Closed")
SUBSTATUSES = ("None", "Pending", *rules.SUBSTATUSES)

#: The paths of a PATCH (F1.7), and the two by which a writer says who it is.
PATCHED: Mapping[str, serializers.Field[Any, Any, Any, Any]] = {
    "campaignId": Text(),
    "consent/consentToShareReferralWithMicrosoftSellers": serializers.BooleanField(),
    "customerProfile/team": MemberInput(many=True),
    "customerProfile/team/-": MemberInput(),
    "details/closingDateTime": Day(),
    "details/currency": Text(),
    "details/dealValue": Amount(),
    "details/notes": Text(),
    "details/requirements/solutions": SolutionTagInput(many=True),
    "details/requirements/solutions/-": SolutionTagInput(),
    "externalReferenceId": Text(),
    "referralProgram": Kept(),
    "salesStage": Text(),
    "status": Token(STATUSES),
    "substatus": Token(SUBSTATUSES),
    "statusReason": Text(),
    "team": MemberInput(many=True),
    "team/-": MemberInput(),
    "lastModifiedVia": Text(max_length=100),
    "lastRunId": Text(max_length=100),
}
#: What a PUT changes besides; the rest of its body is read only, and overlooked.
REPLACED: Mapping[str, serializers.Field[Any, Any, Any, Any]] = {
    **{path: field for path, field in PATCHED.items() if not path.endswith("/-")},
    "name": Text(),
    "details/requirements/additionalRequirements/attributes": AttributeInput(many=True),
    **{path: Kept() for path in wire.KEPT},
}


def leaves(data: Mapping[str, Any], paths: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a body by their paths, down to those that `paths` (in small letters) knows as a whole."""
    for key, value in data.items():
        path = f"{above}{key}"
        if isinstance(value, Mapping) and path.casefold() not in paths:
            yield from leaves(value, paths, f"{path}/")
        else:
            yield path, value


def member(given: Mapping[str, Any]) -> rules.Member:
    return rules.Member(*wire.parts(given))
