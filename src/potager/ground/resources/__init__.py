"""A plain noun described in a dozen lines gets an API, pages, commands and assistants' operations.

Words: a *resource* is a model, its purpose, and which of its fields are written, shown, filtered and searched.
There are no flags: what a resource cannot say is written by hand beside it, and nouns with behavior always are.
"""
