"""What ``api.py`` and ``pages.py`` of every context need from below: actor, pages of records, ETags, rendering.

This is the edge: here, in ``api.py``, in ``pages.py`` and in the faces, and nowhere else, are requests seen.
"""
