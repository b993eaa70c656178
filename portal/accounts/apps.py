from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "portal.accounts"
    label = "accounts"
    verbose_name = _("Companies and people")

    def ready(self) -> None:
        from portal.accounts import merging  # noqa: F401  it registers itself
