"""One index over every record a person may see.

Words: an *entry* is a record's words, kept when an action writes it; an *arm* is one way of finding (by words
now, by meaning later); a *hit* says why it was found. Permissions are applied before ranking.
"""
