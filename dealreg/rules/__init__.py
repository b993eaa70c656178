"""The rules of deal registration as pure decisions; other rooms import them from here."""

from dealreg.rules.acv import UsdRate, round_cents
from dealreg.rules.checks import REQUIRED, WAIVED, violations
from dealreg.rules.criteria import Criterion, Eligibility, EligibilityFacts, Granted
from dealreg.rules.judgement import Judgement, Route, judge, route_for
from dealreg.rules.values import Amounts, Duplicate, RegistrationFacts, RegistrationInput, amounts, answers_asked
from dealreg.rules.window import SigningFacts, Window, register_until
