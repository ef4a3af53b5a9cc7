"""The command line: everyday commands by hand, everything else derived from the OpenAPI document.

It starts in a fraction of a second: Django, Arrow and the engines are imported by the commands that need them.
"""
