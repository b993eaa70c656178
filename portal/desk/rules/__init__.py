"""What reviewers work on, as the apps whose records these are say it (FLOW-12)."""

from portal.desk.rules.kinds import KINDS, CaseKind, Entering, Outcome, reason_text
