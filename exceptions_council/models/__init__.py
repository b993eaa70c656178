"""The tables of exceptions and their council."""

from exceptions_council.models.draft import ExceptionDraft
from exceptions_council.models.evidence import EvidenceRequest
from exceptions_council.models.letter import DecisionLetter, LetterTemplate
from exceptions_council.models.request import (
    FINAL,
    OPEN,
    ExceptionRequest,
    ExceptionRequestQuerySet,
    Kind,
    Status,
)
from exceptions_council.models.vote import Conflict, Vote
