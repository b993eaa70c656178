from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProgrammeConfig(AppConfig):
    name = "portal.programme"
    label = "programme"
    verbose_name = _("Programme policy")

    def ready(self) -> None:
        from portal.programme import selectors  # noqa: F401  it registers itself
