"""Helpers without tables: errors, identifiers, paging, clock, markdown, http, files.

Anything may use the kit; the kit uses nothing of Potager's but the engines.
"""
