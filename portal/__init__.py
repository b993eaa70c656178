"""The project and the floor that every app stands on."""

# Whoever sends a task needs the configured Celery application, and every process imports this package first.
from portal.celery import app as celery_app

__all__ = ["celery_app"]
