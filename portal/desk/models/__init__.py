"""What reviewers work on: cases and who has claimed them, notes of their own, and texts they write often."""

from portal.desk.models.case import Case, CaseQuerySet
from portal.desk.models.notes import InternalNote
from portal.desk.models.templates import COMMENTED, Commented, CommentTemplate

__all__ = ["COMMENTED", "Case", "CaseQuerySet", "CommentTemplate", "Commented", "InternalNote"]
