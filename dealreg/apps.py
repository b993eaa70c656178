from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DealregConfig(AppConfig):
    name = "dealreg"
    verbose_name = _("Deal registration")

    def ready(self) -> None:
        from dealreg import merging, reactions, timeline, verbs  # noqa: F401  they register themselves
        from dealreg.api import patching, registrations, representation, webhooks  # noqa: F401
        from dealreg.selectors import settled  # noqa: F401
        from dealreg.services import desk, registration_file  # noqa: F401
        from dealreg.web import deadlines, deal, documents, forecast, home, insights, search  # noqa: F401
