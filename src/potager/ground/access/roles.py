"""Roles and permissions: four roles in order, and a registry that each context fills."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Role(IntEnum):
    """Each role may do all that the one before it may."""

    VIEWER = 10
    CONTRIBUTOR = 20
    MAINTAINER = 30
    OWNER = 40

    @property
    def title(self) -> str:
        """Return the role as people say it."""
        return self.name.capitalize()

    @classmethod
    def choices(cls) -> list[tuple[int, str]]:
        """Return what a model field or a form offers."""
        return [(role.value, role.title) for role in cls]


@dataclass(frozen=True, slots=True)
class Permission:
    """A name (``context.verb``), what it lets people do, and the least role that has it."""

    name: str
    title: str
    role: Role

    @property
    def writes(self) -> bool:
        """Whether it changes anything; tokens with the scope ``read`` hold only those that do not."""
        return not self.name.endswith(".read")


_permissions: dict[str, Permission] = {}


def register(permissions: Iterable[Permission]) -> None:
    """Enter a context's permissions; the same name twice with different meaning is a programming error."""
    for permission in permissions:
        known = _permissions.setdefault(permission.name, permission)
        if known != permission:
            raise RuntimeError(f"The permission {permission.name} is defined twice.")


def permission(name: str) -> Permission:
    """Return the permission called ``name``."""
    return _permissions[name]


def all_permissions() -> tuple[Permission, ...]:
    """Return every permission, by name."""
    return tuple(_permissions[name] for name in sorted(_permissions))
