from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    name = "referrals"

    def ready(self) -> None:
        from referrals import machine, reactions  # noqa: F401  the machine and the reactions register themselves
