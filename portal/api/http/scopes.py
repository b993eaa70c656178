"""The OAuth library's view of our scopes: each client has its own."""

from __future__ import annotations

from typing import Any

from oauth2_provider.scopes import BaseScopes

from portal.api import rules


class Scopes(BaseScopes):  # type: ignore[misc]
    """All scopes there are; a client may ask for those that it was given."""

    def get_all_scopes(self) -> dict[str, str]:
        return rules.SCOPES

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        return application.allowed_scopes.split() if application else list(rules.SCOPES)

    def get_default_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        return self.get_available_scopes(application, request)
