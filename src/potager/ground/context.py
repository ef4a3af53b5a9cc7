"""What a context says of itself to the house: its pillar, its title, the permissions it defines."""

from __future__ import annotations

from typing import ClassVar

from django.apps import AppConfig

from potager.ground.access.roles import Permission


class Context(AppConfig):
    """Base of every context's ``apps.py``. ``Permission`` names are ``context.verb``."""

    default_auto_field = "django.db.models.BigAutoField"
    default = False  # Django would take this base for a second candidate in every apps.py
    pillar: ClassVar[str] = "ground"
    title: ClassVar[str] = ""
    permissions: ClassVar[tuple[Permission, ...]] = ()

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        cls.default = True

    def ready(self) -> None:
        """Enter the permissions and load what registers itself on import."""
        from importlib import import_module
        from importlib.util import find_spec

        from potager.ground.access.roles import register

        register(self.permissions)
        for module in ("actions", "reactions", "resources", "tasks", "recipes"):
            if find_spec(f"{self.name}.{module}") is not None:
                import_module(f"{self.name}.{module}")
