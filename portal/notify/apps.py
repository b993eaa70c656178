from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotifyConfig(AppConfig):
    name = "portal.notify"
    label = "notify"
    verbose_name = _("Notices")

    def ready(self) -> None:
        from portal.notify import notifications, reactions  # noqa: F401  they register themselves
