from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReferralsConfig(AppConfig):
    name = "referrals"
    verbose_name = _("Co-sell opportunities")

    def ready(self) -> None:
        from referrals import merging, reactions, timeline, verbs  # noqa: F401  they register themselves
        from referrals.api import webhooks  # noqa: F401
        from referrals.services import deal_file, selection  # noqa: F401
        from referrals.web import commands, deadlines, home  # noqa: F401
