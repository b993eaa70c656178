from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "portal.api"
    label = "api"

    def ready(self) -> None:
        from portal import bodies
        from portal.api import merging, reactions  # noqa: F401  they register themselves
        from portal.api.http.authentication import has_token

        bodies.KNOWN_BESIDES.append(has_token)
