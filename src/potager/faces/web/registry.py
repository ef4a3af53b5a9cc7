"""What the contexts' ``pages.py`` bring to the shell: addresses, doors in the rail, commands of the palette."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from django.apps import apps

from potager.ground.context import Context
from potager.ground.resources.resource import RESOURCES
from potager.ground.serving.rendering import Command, NavItem

PILLARS = {
    "insight": "Insight",
    "voice": "Voice",
    "practice": "Practice",
    "infrastructure": "Infrastructure",
    "enablement": "Enablement",
    "garden": "Garden",
    "ground": "House",
}


@dataclass(frozen=True, slots=True)
class Door:
    """A nav item with the pillar it stands in."""

    pillar: str
    item: NavItem


@lru_cache(maxsize=1)
def page_modules() -> tuple[tuple[Context, ModuleType], ...]:
    """Return every context that has pages, with the module."""
    return tuple(
        (config, import_module(f"{config.name}.pages"))
        for config in apps.get_app_configs()
        if isinstance(config, Context)
        and config.label != "web"
        and find_spec(f"{config.name}.pages") is not None
    )


@lru_cache(maxsize=1)
def doors() -> tuple[Door, ...]:
    """Return all doors of the rail, in the order of the pillars."""
    found = [
        Door(item.pillar or config.pillar, item)
        for config, module in page_modules()
        for item in getattr(module, "nav", ())
    ]
    for resource in RESOURCES.values():
        if not resource.door:
            continue
        pillar = str(getattr(apps.get_app_config(resource.context), "pillar", "ground"))
        title, url_name = resource.title, f"{resource.context}-{resource.noun}-list"
        item = NavItem(title, url_name, resource.context, f"{resource.context}.read")
        found.append(Door(pillar, item))
    order = list(PILLARS)
    return tuple(sorted(found, key=lambda door: order.index(door.pillar)))


@lru_cache(maxsize=1)
def commands() -> tuple[Command, ...]:
    """Return everything the palette offers to do."""
    by_hand = [command for _, module in page_modules() for command in getattr(module, "commands", ())]
    nouns = [
        Command(
            f"New {resource.model.noun()}",
            f"{resource.context}-{resource.noun}-new",
            f"{resource.context}.edit",
        )
        for resource in RESOURCES.values()
    ]
    return (*by_hand, *nouns)
