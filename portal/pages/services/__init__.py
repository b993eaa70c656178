"""What writes of the pages: exports, uploads, calendars."""
