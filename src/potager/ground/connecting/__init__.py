"""Bringing data in: an upload, a plan for it, an import as one unit that can be undone.

Words: a *connector* reads one kind of source and is found through entry points; an *import* is one file (or
pull) into one table of the lake; its *load* is what the lake knows it by, so that the same file twice adds
nothing and an undo takes away exactly what it brought; *rejects* are rows set aside with their reason.
"""
