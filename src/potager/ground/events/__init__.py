"""Facts that contexts announce, and what others do when they hear them.

Words: an *event* is a frozen dataclass named in the past tense; the *outbox* keeps it in the same transaction as
the change it tells of; a *reaction* hears it after that. A reaction may be called twice for one event and must
then change nothing. Telling the world outside is left to ``webhooks``.
"""
