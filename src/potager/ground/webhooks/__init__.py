"""Telling the world outside what happened: signed webhooks, as Standard Webhooks describes them.

Words: an *endpoint* is an address somebody registered with the events it wants; a *delivery* is one event to one
endpoint, retried with growing pauses. An endpoint that answers 410 is turned off. Private addresses are refused.
"""
