"""The addresses of all pages."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from potager.faces.web import operations, views
from potager.faces.web.registry import page_modules
from potager.faces.web.resources import resource_pages
from potager.ground.resources.resource import RESOURCES

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("search", views.search, name="search"),
    path("palette", views.palette, name="palette"),
    path("operations/", operations.listing, name="operations"),
    path("operations/<slug:name>", operations.one, name="operation"),
    path("theme", views.theme, name="theme"),
    *[pattern for _, module in page_modules() for pattern in module.urlpatterns],
    *[pattern for resource in RESOURCES.values() for pattern in resource_pages(resource)],
]
