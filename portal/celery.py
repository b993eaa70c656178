"""The Celery application; its schedule is in settings."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("ortak")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
