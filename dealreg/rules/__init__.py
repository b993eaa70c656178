"""The rules of deal registration as pure decisions; other rooms import them from here."""

from __future__ import annotations

from dealreg.rules.acv import UsdRate, round_cents
from dealreg.rules.checks import WAIVED, violations
from dealreg.rules.criteria import Criterion, Eligibility, EligibilityFacts, Granted
from dealreg.rules.judgement import Judgement, Route, judge, route_for
from dealreg.rules.values import Amounts, Duplicate, RegistrationFacts, RegistrationInput, amounts, answers_asked
from dealreg.rules.window import SigningFacts, Window, register_until

__all__ = [
    "WAIVED",
    "Amounts",
    "Criterion",
    "Duplicate",
    "Eligibility",
    "EligibilityFacts",
    "Granted",
    "Judgement",
    "RegistrationFacts",
    "RegistrationInput",
    "Route",
    "SigningFacts",
    "UsdRate",
    "Window",
    "amounts",
    "answers_asked",
    "judge",
    "register_until",
    "round_cents",
    "route_for",
    "violations",
]
