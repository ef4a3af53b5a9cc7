"""``@action``: the only way anything is written, from whichever face.

An action checks the permission (on the record, where there is one), runs in one transaction, leaves one audit
entry, and its announcements are heard after the commit.
"""
