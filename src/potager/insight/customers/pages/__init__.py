"""Customers, as pages: accounts, people, segments, and what brought them."""

from __future__ import annotations

from django.urls import path

from potager.ground.serving.rendering import Command, NavItem
from potager.insight.customers.pages import accounts, merging, people, segments, syncs
from potager.insight.customers.pages.home import alive

__all__ = ["alive", "commands", "nav", "urlpatterns"]

nav = (NavItem("Customers", "customers", "customers", "customers.read"),)
commands = (
    Command("See the accounts", "customers", "customers.read", "companies and teams"),
    Command("See the people", "customer-people", "customers.read"),
    Command("See the segments", "segments", "customers.read"),
    Command("Add an account", "account-new", "customers.edit"),
    Command("Add a person", "customer-person-new", "customers.edit"),
    Command("Name a segment", "segment-new", "customers.edit", "a condition, or a list of keys"),
    Command(
        "Bring customers from a table", "sync-new", "customers.sync", "accounts or people, undone as one"
    ),
)

urlpatterns = [
    path("customers/", accounts.listing, name="customers"),
    path("customers/accounts.csv", accounts.as_csv, name="accounts-csv"),
    path("customers/accounts/new", accounts.new, name="account-new"),
    path("customers/accounts/<uuid:key>", accounts.one, name="account"),
    path("customers/accounts/<uuid:key>/edit", accounts.edit, name="account-edit"),
    path("customers/accounts/<uuid:key>/merge", merging.accounts, name="account-merge"),
    path("customers/people/", people.listing, name="customer-people"),
    path("customers/people.csv", people.as_csv, name="customer-people-csv"),
    path("customers/people/new", people.new, name="customer-person-new"),
    path("customers/people/<uuid:key>", people.one, name="customer-person"),
    path("customers/people/<uuid:key>/edit", people.edit, name="customer-person-edit"),
    path("customers/people/<uuid:key>/merge", merging.people, name="customer-person-merge"),
    path("customers/people/<uuid:key>/everything.json", people.everything, name="customer-person-everything"),
    path("customers/people/<uuid:key>/erase", people.erase, name="customer-person-erase"),
    path("customers/merges/<uuid:key>/undo", merging.undo, name="merge-undo"),
    path("customers/segments/", segments.listing, name="segments"),
    path("customers/segments/new", segments.new, name="segment-new"),
    path("customers/segments/<uuid:key>", segments.one, name="segment"),
    path("customers/segments/<uuid:key>/edit", segments.edit, name="segment-edit"),
    path("customers/segments/<uuid:key>/archive", segments.archive, name="segment-archive"),
    path("customers/segments/<uuid:key>/restore", segments.restore, name="segment-restore"),
    path("customers/segments/<uuid:key>/members.csv", segments.as_csv, name="segment-csv"),
    path("customers/syncs/", syncs.listing, name="syncs"),
    path("customers/syncs/new", syncs.new, name="sync-new"),
    path("customers/syncs/<uuid:key>", syncs.one, name="sync"),
    path("customers/syncs/<uuid:key>/undo", syncs.undo, name="sync-undo"),
    path("customers/syncs/<uuid:key>/problems.csv", syncs.problems, name="sync-problems"),
]
