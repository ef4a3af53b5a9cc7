"""The addresses of all pages."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from potager.faces.web import views
from potager.faces.web.registry import page_modules

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    *[pattern for _, module in page_modules() for pattern in module.urlpatterns],
]
