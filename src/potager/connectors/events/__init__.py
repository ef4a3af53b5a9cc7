"""Files of events as a source: Segment, PostHog, Snowplow and plain files become one table of events.

``inspect`` finds out whose events a file holds and proposes a plan; ``preview`` shows what the plan gives; ``read``
streams it. An event has the columns of ``EVENTS``. What says who is who becomes ``Reading.identities()``, who belongs
to which account ``Reading.accounts()``. A row is an event, such a call, a repetition, or set aside with its line and
the reason: all of them are counted.
"""

from potager.connectors.events.identities import Merged, merge_identities
from potager.connectors.events.plans import ReadPlan
from potager.connectors.events.reading import Reading, preview, read
from potager.connectors.events.recognizing import inspect, plan_from
from potager.connectors.events.shapes import ACCOUNTS, EVENTS, IDENTITIES, ROLES, EventShape

__all__ = [
    "ACCOUNTS", "EVENTS", "IDENTITIES", "ROLES", "EventShape", "Merged", "ReadPlan", "Reading", "inspect",
    "merge_identities", "plan_from", "preview", "read",
]  # fmt: skip
