"""The Celery application; its schedule is in settings."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("ortak")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def refuse(**_signal: Any) -> None:
    """A worker and beat refuse what the web refuses."""
    import django

    from portal.refusals import refuse_demo_accounts

    django.setup()
    refuse_demo_accounts()
