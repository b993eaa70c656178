"""The rules of deal registration as pure decisions; other rooms import them from here."""

from __future__ import annotations

from dealreg.rules.acv import UsdRate, round_cents
from dealreg.rules.checks import WAIVED, violations
from dealreg.rules.eligibility import Criterion, Eligibility, EligibilityFacts
from dealreg.rules.judgement import Judgement, Route, judge, route_for
from dealreg.rules.values import Amounts, RegistrationFacts, RegistrationInput, amounts

__all__ = [
    "WAIVED",
    "Amounts",
    "Criterion",
    "Eligibility",
    "EligibilityFacts",
    "Judgement",
    "RegistrationFacts",
    "RegistrationInput",
    "Route",
    "UsdRate",
    "amounts",
    "judge",
    "round_cents",
    "route_for",
    "violations",
]
