"""Goals: who does what, by how much, measured by what, by when.

Words: a *goal* is an outcome statement with one metric. Metrics and targets themselves are left to ``metrics``.
"""
