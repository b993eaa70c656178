from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExceptionsCouncilConfig(AppConfig):
    name = "exceptions_council"
    verbose_name = _("Exceptions")

    def ready(self) -> None:
        from exceptions_council import reactions, timeline, verbs  # noqa: F401  they register themselves
        from exceptions_council.api import representation, webhooks  # noqa: F401
        from exceptions_council.web import deadlines, deal, home, listing, search, ways  # noqa: F401
