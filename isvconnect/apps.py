from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IsvConnectConfig(AppConfig):
    name = "isvconnect"
    verbose_name = _("ISV Connect")

    def ready(self) -> None:
        from isvconnect import merging, reactions, timeline, verbs  # noqa: F401  they register themselves
        from isvconnect.api import webhooks  # noqa: F401
        from isvconnect.selectors import settled  # noqa: F401
        from isvconnect.web import commands, deal, home, insights, listing, search  # noqa: F401
