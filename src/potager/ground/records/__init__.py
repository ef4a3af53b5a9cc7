"""What every record has: a key, an owner, a team, who may see it, a version, and a card.

Words: a *kind* names a table (``metrics.metric``); a *reference* is a kind and a key; a *card* is what a record
shows of itself where another mentions it. Typed links between records are left to ``links``.
"""
