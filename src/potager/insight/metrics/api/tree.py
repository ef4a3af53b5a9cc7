"""The tree, explanations of changes, and influences over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema, Status

from potager.engines.answers import CannotTell
from potager.engines.attribution import Attribution, SegmentAttribution
from potager.ground.access.actors import require
from potager.ground.records.queries import found_in
from potager.ground.serving.requests import actor
from potager.ground.serving.schemas import PageOut, PagingIn, RecordOut, page
from potager.insight.metrics import actions, queries, treeview
from potager.insight.metrics.edges import examine
from potager.insight.metrics.explaining import Explanation, explain
from potager.insight.metrics.models import Influence
from potager.insight.metrics.periods import against_of, parse_period
from potager.insight.metrics.trees import forest

router = Router(tags=["metrics"])
GrainName = Literal["day", "week", "month", "quarter", "year"]
EvidenceName = Literal["asserted", "correlated", "predictive", "quasi_experimental", "experimental"]


class RefusalOut(Schema):
    """Why there is no number, and what would make one possible."""

    reason: str
    because: str
    mend: str


class NodeOut(Schema):
    """One metric in the tree with its value. ``holds`` says whether it equals its formula in the data."""

    name: str
    label: str
    level: str
    unit: str
    formula: str
    children: list[str]
    value: float | None
    before: float | None
    relative: float | None
    target: float | None
    verdict: str
    holds: bool | None


class EdgeOut(Schema):
    """An influence in the tree."""

    driver: str
    outcome: str
    sign: int
    lag: int
    grain: str
    evidence: str
    estimate: float | None
    low: float | None
    high: float | None
    expired: bool


class TreeOut(Schema):
    """A tree as of a day. Where the period is not over, both sides have the same number of days."""

    root: str
    period: str
    from_: date = Field(alias="from")
    to: date
    against_from: date
    against_to: date
    partial: bool
    through: date | None
    nodes: list[NodeOut]
    influences: list[EdgeOut]


class PartOut(Schema):
    """What one part contributes, in the unit of the whole."""

    name: str
    before: float | None
    after: float | None
    contribution: float
    standard_error: float | None = None
    note: str = ""


class AttributionOut(Schema):
    """A change taken apart: the parts and ``unexplained`` add up to ``total``."""

    total: float
    parts: list[PartOut]
    nodes: list[PartOut] = []
    unexplained: float
    method: str


class FindingOut(Schema):
    """A segment that moved more than its size predicts."""

    segment: str
    before: float | None
    after: float | None
    contribution: float
    expected: float
    excess: float
    share: float | None


class ExplanationOut(Schema):
    """Why a metric moved. Whatever cannot be told stands under ``refusals``."""

    metric: str
    unit: str
    period: str
    against: str
    before: float | None
    after: float | None
    change: float | None
    relative: float | None
    tree: AttributionOut | None
    segments: dict[str, AttributionOut]
    findings: list[FindingOut]
    refusals: dict[str, RefusalOut]
    sql: list[str]


class ExplainIn(Schema):
    """What to explain."""

    period: str = Field(max_length=60, description="2011-11, 2011-Q4, 2011-12-01..2011-12-09.")
    against: str = Field("previous", max_length=60, description="previous, year, or a period.")
    by: list[str] = Field([], max_length=6, description="Dimensions to split by.")
    where: list[str] = Field([], max_length=10, description="Conditions such as country=Germany.")


class TreeIn(Schema):
    """Which tree."""

    as_of: date | None = None
    grain: GrainName = "month"
    where: list[str] = Field([], max_length=10)


class FormulaIn(Schema):
    """The arithmetic of a metric; empty makes it a leaf."""

    model_config = {"extra": "forbid"}
    formula: str = Field(max_length=500)


class FormulaOut(Schema):
    """The arithmetic of a metric."""

    metric: str
    formula: str


class InfluenceIn(Schema):
    """One metric believed to move another."""

    model_config = {"extra": "forbid"}
    driver: str = Field(max_length=120)
    outcome: str = Field(max_length=120)
    sign: Literal[1, -1] = 1
    lag: int = Field(0, ge=0, le=60)
    grain: GrainName = "month"
    evidence: EvidenceName = "asserted"
    because: str = Field("", max_length=20_000)


class InfluenceOut(RecordOut):
    """An influence: believed, estimated, dated, expiring."""

    driver: str
    outcome: str
    sign: int
    lag: int
    grain: str
    evidence: str
    present_evidence: str
    because: str
    estimate: float | None
    low: float | None
    high: float | None
    method: str
    back_test: dict[str, Any]
    tested_at: datetime | None
    expires_at: datetime | None

    @staticmethod
    def resolve_driver(edge: Any) -> str:
        """Return the driver's name."""
        return str(edge.driver.name)

    @staticmethod
    def resolve_outcome(edge: Any) -> str:
        """Return the outcome's name."""
        return str(edge.outcome.name)


@router.get(
    "/tree", response=dict[str, Any], operation_id="metrics_tree_export", summary="Export the whole tree."
)
def export_tree(request: HttpRequest) -> Any:
    """Return the whole tree as plain data, in the form that definitions are imported from."""
    return treeview.exported(forest(actor(request)))


@router.get(
    "/metrics/{name}/tree",
    response=TreeOut,
    by_alias=True,
    operation_id="metrics_tree_get",
    summary="Read a tree.",
)
def get_tree(request: HttpRequest, name: str, asked: Query[TreeIn]) -> Any:
    """Read the tree under a metric with live values, as of a day, filtered as a whole."""
    who = actor(request)
    root = queries.metric(who, name)
    where = queries.conditions(asked.where)
    found = treeview.view(who, root.name, as_of=asked.as_of, grain=asked.grain, where=where, spark=False)
    return {
        "root": found.root,
        "period": found.period.key,
        "from": found.shown.start,
        "to": found.shown.end,
        "against_from": found.against.start,
        "against_to": found.against.end,
        "partial": found.partial,
        "through": found.through,
        "nodes": [_node(name, node) for name, node in found.nodes.items()],
        "influences": [_edge(edge) for edge in found.influences],
    }


def _node(name: str, node: treeview.Node) -> dict[str, Any]:
    return {
        "name": name,
        "label": node.metric.label,
        "level": node.metric.level,
        "unit": node.metric.unit,
        "formula": node.formula,
        "children": list(node.children),
        "value": node.value,
        "before": node.before,
        "relative": node.relative,
        "target": node.target.value if node.target else None,
        "verdict": node.verdict,
        "holds": node.holds,
    }


def _edge(edge: Influence) -> dict[str, Any]:
    return {
        "driver": edge.driver.name,
        "outcome": edge.outcome.name,
        "sign": edge.sign,
        "lag": edge.lag,
        "grain": edge.grain,
        "evidence": edge.present_evidence,
        "estimate": edge.estimate,
        "low": edge.low,
        "high": edge.high,
        "expired": edge.expired,
    }


@router.get(
    "/metrics/{name}/explain",
    response=ExplanationOut,
    operation_id="metrics_change_explain",
    summary="Explain why a metric moved.",
)
def explain_change(request: HttpRequest, name: str, asked: Query[ExplainIn]) -> Any:
    """Explain a change: down the tree to the leaves, by segment, and over several dimensions at once."""
    who = actor(request)
    metric = queries.metric(who, name)
    period = parse_period(asked.period)
    against = against_of(period, asked.against)
    where = queries.conditions(asked.where)
    return explanation(explain(metric, forest(who), period, against, by=asked.by, where=where))


def explanation(found: Explanation) -> dict[str, Any]:
    """Return an explanation as plain data."""
    refusals: dict[str, CannotTell] = {}
    if isinstance(found.tree, CannotTell):
        refusals["tree"] = found.tree
    if isinstance(found.findings, CannotTell):
        refusals["findings"] = found.findings
    segments = {}
    for name, split in found.segments.items():
        if isinstance(split, CannotTell):
            refusals[name] = split
        elif isinstance(split, SegmentAttribution):
            segments[name] = _attribution(split.attribution())
    listed = found.findings.segments if found.findings and not isinstance(found.findings, CannotTell) else ()
    return {
        "metric": found.metric.name,
        "unit": found.metric.unit,
        "period": found.period.key,
        "against": found.against.key,
        "before": _known(found.before),
        "after": _known(found.after),
        "change": _known(found.change),
        "relative": found.relative,
        "tree": _attribution(found.tree) if isinstance(found.tree, Attribution) else None,
        "segments": segments,
        "findings": [
            {
                "segment": one.label,
                "before": one.before,
                "after": one.after,
                "contribution": one.contribution,
                "expected": one.expected,
                "excess": one.excess,
                "share": one.share,
            }
            for one in listed
        ],
        "refusals": {
            name: {"reason": r.reason, "because": r.because, "mend": r.mend} for name, r in refusals.items()
        },
        "sql": [ran.sql for ran in found.ran],
    }


def _attribution(found: Attribution) -> dict[str, Any]:
    parts = sorted(found.parts, key=lambda part: -abs(part.contribution))
    return {
        "total": found.total,
        "parts": parts,
        "nodes": list(found.nodes),
        "unexplained": found.unexplained,
        "method": found.method,
    }


def _known(value: float) -> float | None:
    return None if value != value else value


@router.put(
    "/metrics/{name}/formula",
    response=FormulaOut,
    operation_id="metrics_formula_set",
    summary="Say which arithmetic of others a metric is.",
)
def set_formula(request: HttpRequest, name: str, payload: FormulaIn) -> Any:
    """Say which arithmetic of other metrics a metric is; it is checked against the data on the tree."""
    who = actor(request)
    made = actions.set_formula(actor=who, metric=queries.metric(who, name), formula=payload.formula)
    return {"metric": name, "formula": "" if made.archived_at else made.formula}


@router.get(
    "/influences",
    response=PageOut[InfluenceOut],
    operation_id="metrics_influence_list",
    summary="List the influences in the tree.",
)
def list_influences(request: HttpRequest, paging: PagingIn) -> Any:
    """List what is believed to drive what, on what evidence, until when."""
    return page(queries.influences(actor(request)), paging)


@router.post(
    "/influences",
    response={201: InfluenceOut},
    operation_id="metrics_influence_add",
    summary="Draw an influence.",
)
def add_influence(request: HttpRequest, payload: InfluenceIn) -> Any:
    """Draw an influence: one metric is believed to move another."""
    who, given = actor(request), payload.dict()
    driver, outcome = (queries.metric(who, given.pop(end)) for end in ("driver", "outcome"))
    return Status(201, actions.add_influence(actor=who, driver=driver, outcome=outcome, **given))


@router.delete(
    "/influences/{uuid:key}",
    response=InfluenceOut,
    operation_id="metrics_influence_drop",
    summary="Take an influence out of the tree.",
)
def drop_influence(request: HttpRequest, key: UUID) -> Any:
    """Take an influence out of the tree."""
    who = actor(request)
    return actions.drop_influence(actor=who, influence=found_in(queries.influences(who), pk=key))


@router.post(
    "/influences/{uuid:key}/test",
    response=InfluenceOut,
    operation_id="metrics_influence_test",
    summary="Test an influence on the data.",
)
def test_influence(request: HttpRequest, key: UUID) -> Any:
    """Estimate an influence, back-test it on the last quarter, and keep what was found with a new expiry."""
    who = actor(request)
    found = found_in(queries.influences(who), pk=key)
    require(who, "metrics.edit", found)
    return actions.keep_test(actor=who, influence=found, outcome=examine(found))
