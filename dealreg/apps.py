from django.apps import AppConfig


class DealregConfig(AppConfig):
    name = "dealreg"

    def ready(self) -> None:
        from dealreg import machine, reactions  # noqa: F401  the machine and the reactions register themselves
