"""Recipes: one way to answer each kind of question, from typed slots to a draft of the answer.

A recipe reads values, lets the engines judge them, and says in one sentence what came out; or it refuses, with the
reason and what would change it. It writes nothing.
"""
