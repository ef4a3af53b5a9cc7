"""Tables of the business, in an open lake that many processes read and write safely.

Words: a *table* is `namespace.table`, kept as Apache Iceberg; a *load* is what arrived together, known by its id, seen
whole or not at all, undone as one; a *snapshot* is the table as it was after one load; a *warehouse* answers SQL over
snapshots. It leaves to others where data comes from (connecting), what it means (metrics), and who may see it (access).
"""
