"""Who did what, when, and what it was before and after: a log that can only grow.

Words: an *entry* is one action on one record. Rows are refused change and removal by the database itself.
Announcing facts to others is left to ``events``.
"""
