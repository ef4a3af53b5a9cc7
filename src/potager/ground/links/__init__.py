"""Typed links between any two records: the chains that hold the house together.

Words: a *link* goes from what explains to what is explained ("supports"), with evidence, a *grade*, a confidence
and an expiry; *why* walks against its direction, *what came of it* along it; the *weakest hop* of a chain is its
least proven link.
"""
