from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    name = "referrals"

    def ready(self) -> None:
        from referrals import machine, reactions, timeline  # noqa: F401  they register themselves
