"""The organization's own words, each with one meaning.

Words: a *term* has a definition and the words people also use for it; the ask box knows those synonyms.
"""
