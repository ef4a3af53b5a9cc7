"""Potager: the product operating system.

It answers strategic questions from an organization's own data, with evidence, range, freshness and a next
action. ``ARCHITECTURE.md`` says how the house is laid out; every package's first lines say what it is about.
"""

__version__ = "0.1.0"
