"""What programme managers keep for the desk."""

from portal.desk.admin import templates

__all__ = ["templates"]
