"""Governed metrics and their hierarchy.

Words: a *source* is a definition document (dbt semantic-layer YAML) whose every version is kept; a *metric* is
one definition with what surrounds it (level, owner, unit, target, freshness promise); a *component* edge is
arithmetic and checked against the data; an *influence* edge is estimated, dated and expires; the *tree* is both
together. Questions that use metrics are left to ``questions``.
"""
