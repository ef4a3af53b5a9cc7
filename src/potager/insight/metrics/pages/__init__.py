"""Metrics, their tree and their definitions, as pages."""

from __future__ import annotations

from django.urls import path

from potager.ground.serving.rendering import Command, NavItem
from potager.insight.metrics.pages import charts, definitions, governing, listing, metric, tree
from potager.insight.metrics.pages.home import alive

__all__ = ["alive", "commands", "first_step", "nav", "urlpatterns"]

nav = (
    NavItem("Metrics", "metrics", "metrics", "metrics.read"),
    NavItem("Metric tree", "tree", "tree", "metrics.read"),
)
commands = (
    Command("See the metrics", "metrics", "metrics.read"),
    Command("Open the metric tree", "tree", "metrics.read", "the wall picture"),
    Command("Define metrics from a table", "metrics-new", "metrics.edit", "a guided start"),
    Command("Write a definition", "definition-new", "metrics.edit", "dbt semantic-layer YAML"),
    Command("Draw an influence", "influence-new", "metrics.edit", "one metric is believed to move another"),
)
first_step = {
    "text": "Bring a file, let Potager propose metrics from its columns, and ask your first question.",
    "action": "Import a file",
    "url": "/data/upload",
    "main": True,
}

# A metric's name holds letters, digits and underscores only, so that its page cannot stand where another does.
urlpatterns = [
    path("metrics/", listing.listing, name="metrics"),
    path("metrics/new/", definitions.choose_table, name="metrics-new"),
    path("metrics/tree.css", tree.rules, name="tree-rules"),
    path("metrics/tree/", tree.first, name="tree"),
    path("metrics/tree/<slug:root>", tree.wall, name="tree-of"),
    path("metrics/tree/<slug:root>.svg", tree.svg, name="tree-svg"),
    path("metrics/tree/<slug:root>.yml", tree.as_yaml, name="tree-yaml"),
    path("metrics/tree/<slug:root>.json", tree.as_json, name="tree-json"),
    path("metrics/influences/new", governing.new_influence, name="influence-new"),
    path("metrics/influences/<uuid:key>/test", governing.test_influence, name="influence-test"),
    path("metrics/influences/<uuid:key>/drop", governing.drop_influence, name="influence-drop"),
    path("metrics/definitions/", definitions.listing, name="definitions"),
    path("metrics/definitions/new", definitions.new, name="definition-new"),
    path("metrics/sources/<uuid:key>", definitions.one, name="definition"),
    path("metrics/sources/<uuid:key>/withdraw", definitions.withdraw, name="definition-withdraw"),
    path("metrics/<slug:name>", metric.one, name="metric"),
    path("metrics/<slug:name>/edit", governing.edit, name="metric-edit"),
    path("metrics/<slug:name>/targets", governing.targets, name="metric-targets"),
    path("metrics/<slug:name>/targets/<uuid:key>/drop", governing.drop_target, name="target-drop"),
    path("metrics/<slug:name>/formula", governing.formula, name="metric-formula"),
    path("metrics/<slug:name>/chart.<str:form>", charts.chart, name="metric-chart"),
]
