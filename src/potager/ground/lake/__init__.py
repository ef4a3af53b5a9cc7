"""The lake: tables of analytics as Apache Iceberg keeps them, and the engines that read them.

Words: a *load* is what one import brought, visible all at once and undone all at once; a *snapshot* names what a
table held at a moment, so that an answer can be run again on the same rows; a *warehouse* is an engine that
answers SQL over the snapshots' files (DuckDB in this process, or Spark).
"""
