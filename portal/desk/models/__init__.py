"""What reviewers work on: cases and who has claimed them, notes of their own, and texts they write often."""
