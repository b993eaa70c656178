from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "portal.pages"
    label = "pages"

    def ready(self) -> None:
        from portal.pages import merging, reactions, timeline  # noqa: F401  they register themselves
