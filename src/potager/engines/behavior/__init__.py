"""What people do: trends, funnels, retention, lifecycle, stickiness, paths, adoption, and what goes with staying.

A tour. Everything starts from a described table (:class:`Events`: which columns say who, what, when) and a
:class:`Scope` (which days, people or accounts, and which events only); a :class:`Match` names events with conditions.
Each reading is then three pure steps: a function ``…_sql`` returns one SELECT in DuckDB's dialect for the caller to
run, ``read_…`` makes typed results of its few rows (or a :class:`~potager.engines.answers.CannotTell`), and
``…_members_sql`` returns a SELECT of one column ``who``: the people or accounts behind a cell, each once.

- :func:`trends_sql`: events and people by period and property; :func:`sessions_sql`.
- :func:`funnel_sql`: steps within a window (:class:`Funnel`): ordered, strict or unordered, exclusions, times, splits.
- :func:`retention_sql`: first-time, recurring, rolling, in windows of 24 hours; :func:`revenue_retention_sql`.
  Cells whose period is not over are None, never zero.
- :func:`lifecycle_sql`: new, returning, resurrected, dormant, and the quick ratio; :func:`stickiness_sql`.
- :func:`paths_sql`: what comes next (or came before), within sessions.
- :func:`adoption_sql`: who takes up a feature, and how much of the revenue they are.
- :func:`activation_sql`: which early behavior goes with staying, on held-out people, with false discoveries held.

Days are those of the events' own time zone, weeks begin when the events say so, and merged identities count as one.
What cannot be asked raises :class:`BehaviorError`, with ``detail`` and ``mend``.
"""

from potager.engines.behavior.activation import (
    Activation,
    ActivationResult,
    Behavior,
    activation_members_sql,
    activation_sql,
    read_activation,
)
from potager.engines.behavior.adoption import (
    AdoptionPeriod,
    adoption_members_sql,
    adoption_sql,
    read_adoption,
)
from potager.engines.behavior.events import (
    ANY,
    BehaviorError,
    Condition,
    Events,
    Grain,
    Match,
    Scope,
    Unit,
)
from potager.engines.behavior.funnels import (
    MOST_FOLDED,
    Funnel,
    FunnelResult,
    Order,
    Step,
    Touch,
    funnel_members_sql,
    funnel_sql,
    read_funnel,
)
from potager.engines.behavior.lifecycle import (
    STATES,
    LifecyclePeriod,
    LifecycleState,
    Stickiness,
    lifecycle_members_sql,
    lifecycle_sql,
    read_lifecycle,
    read_stickiness,
    stickiness_members_sql,
    stickiness_sql,
)
from potager.engines.behavior.paths import Move, Paths, path_members_sql, paths_sql, read_paths
from potager.engines.behavior.periods import Periods, periods_of
from potager.engines.behavior.retention import (
    Retention,
    RetentionCell,
    RetentionCohort,
    RetentionGrid,
    RetentionKind,
    Weights,
    read_retention,
    retention_members_sql,
    retention_sql,
    revenue_retention_sql,
)
from potager.engines.behavior.shares import (
    Share,
    ShareDifference,
    benjamini_hochberg,
    people_needed,
    share,
    share_difference,
)
from potager.engines.behavior.trends import (
    Measure,
    Trend,
    TrendPoint,
    read_trends,
    sessions_sql,
    trend_members_sql,
    trends_sql,
)

__all__ = [
    "ANY",
    "MOST_FOLDED",
    "STATES",
    "Activation",
    "ActivationResult",
    "AdoptionPeriod",
    "Behavior",
    "BehaviorError",
    "Condition",
    "Events",
    "Funnel",
    "FunnelResult",
    "Grain",
    "LifecyclePeriod",
    "LifecycleState",
    "Match",
    "Measure",
    "Move",
    "Order",
    "Paths",
    "Periods",
    "Retention",
    "RetentionCell",
    "RetentionCohort",
    "RetentionGrid",
    "RetentionKind",
    "Scope",
    "Share",
    "ShareDifference",
    "Step",
    "Stickiness",
    "Touch",
    "Trend",
    "TrendPoint",
    "Unit",
    "Weights",
    "activation_members_sql",
    "activation_sql",
    "adoption_members_sql",
    "adoption_sql",
    "benjamini_hochberg",
    "funnel_members_sql",
    "funnel_sql",
    "lifecycle_members_sql",
    "lifecycle_sql",
    "path_members_sql",
    "paths_sql",
    "people_needed",
    "periods_of",
    "read_activation",
    "read_adoption",
    "read_funnel",
    "read_lifecycle",
    "read_paths",
    "read_retention",
    "read_stickiness",
    "read_trends",
    "retention_members_sql",
    "retention_sql",
    "revenue_retention_sql",
    "sessions_sql",
    "share",
    "share_difference",
    "stickiness_members_sql",
    "stickiness_sql",
    "trend_members_sql",
    "trends_sql",
]
