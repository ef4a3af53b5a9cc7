"""Usage, as pages."""

from __future__ import annotations

from django.urls import path

from potager.ground.serving.rendering import Command, NavItem
from potager.insight.usage.pages import charts, describing, files, home, people, reading

__all__ = ["alive", "commands", "nav", "needs_you", "urlpatterns"]

alive = home.alive
needs_you = home.needs_you
nav = (NavItem("Usage", "usage", "filter", "usage.read"),)
commands = (
    Command("See how the product is used", "usage", "usage.read"),
    Command("Bring a file of events", "usage-file-new", "usage.edit", "Segment, PostHog, CSV, Parquet"),
    Command("Describe a table of events", "usage-stream-new", "usage.edit"),
)

urlpatterns = [
    path("usage/", home.listing, name="usage"),
    path("usage/new", describing.new, name="usage-stream-new"),
    path("usage/files/new", files.new, name="usage-file-new"),
    path("usage/files/<uuid:key>", files.one, name="usage-file"),
    path("usage/files/<uuid:key>/undo", files.undo, name="usage-file-undo"),
    path("usage/files/<uuid:key>/discard", files.discard, name="usage-file-discard"),
    path("usage/analyses/<uuid:key>", reading.kept, name="usage-analysis"),
    path("usage/analyses/<uuid:key>/archive", reading.archive, name="usage-analysis-archive"),
    path("usage/<uuid:key>", home.one, name="usage-stream"),
    path("usage/<uuid:key>/edit", describing.edit, name="usage-stream-edit"),
    path("usage/<uuid:key>/archive", describing.archive, name="usage-stream-archive"),
    path("usage/<uuid:key>/metrics", describing.publish, name="usage-stream-metrics"),
    path("usage/<uuid:key>/health", describing.health, name="usage-stream-health"),
    path("usage/<uuid:key>/influences", describing.influences, name="usage-stream-influences"),
    path("usage/<uuid:key>/<slug:name>", reading.one, name="usage-reading"),
    path("usage/<uuid:key>/<slug:name>/keep", reading.keep, name="usage-reading-keep"),
    path("usage/<uuid:key>/<slug:name>/chart.<str:form>", charts.chart, name="usage-chart"),
    path("usage/<uuid:key>/<slug:name>/table.csv", reading.table, name="usage-reading-csv"),
    path("usage/<uuid:key>/<slug:name>/who", people.who, name="usage-who"),
    path("usage/<uuid:key>/<slug:name>/who.csv", people.csv, name="usage-who-csv"),
    path("usage/<uuid:key>/<slug:name>/who/segment", people.segment, name="usage-who-segment"),
]
