"""Keeping the house well: is everything in order, and can all of it be put into one file and brought back.

Words: a *finding* is one check of the doctor with its mend; a *backup* is one file with records, lake and key.
"""
