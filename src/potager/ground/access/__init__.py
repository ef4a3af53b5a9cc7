"""Who may do what: people, teams, roles, permissions, grants on one record, API tokens, the actor of a request.

Words: an *actor* is a person, a token or the machine doing something; a *permission* is a name with the least
role that has it; a *grant* gives one person or team a role on one record. Signing in, inviting and profile
pages are left to ``accounts``; which rows an actor sees is decided in ``records``.
"""
