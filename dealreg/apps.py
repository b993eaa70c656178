from django.apps import AppConfig


class DealregConfig(AppConfig):
    name = "dealreg"

    def ready(self) -> None:
        from dealreg import machine, reactions, timeline  # noqa: F401  they register themselves
