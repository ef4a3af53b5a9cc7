"""The pages: shell, home, palette, and what every context's ``pages.py`` brings."""
