"""Coming in: first-run set-up, invitations, profile, API tokens, teams.

Words: *set-up* makes the first owner; an *invitation* is a signed, expiring address for one e-mail. Signing in
itself (password, second factor, OIDC) is django-allauth's; who may do what is ``access``'s.
"""
