"""The rules of exceptions as pure decisions; other rooms import them from here."""

from exceptions_council.rules.form import (
    CHANGEABLE,
    MITIGATIONS,
    REFUSED_FIELDS,
    AskedValues,
    ExceptionInput,
    FormFacts,
    changes,
    form_blockers,
    refused_fields,
)
from exceptions_council.rules.kinds import DealFacts, RegistrationState, deal_blockers, kind_blockers, last_day_to_ask
from exceptions_council.rules.voting import Tally, VoterFacts, standing, tally, voter_blockers
