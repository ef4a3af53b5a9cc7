"""What metrics can be split by, and the names people may use for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from potager.insight.metrics.semantics.compiled import Compiled
from potager.insight.metrics.semantics.findings import choose_from
from potager.insight.metrics.semantics.normalize import meta_of
from potager.insight.metrics.semantics.shapes import GRAINS, METRIC_TIME, DimensionInfo
from potager.kit.errors import Invalid, NotFound


@dataclass(frozen=True, slots=True)
class Grouping:
    """One resolved group-by: MetricFlow's name for it, its column in MetricFlow's SQL, and ours in the result."""

    info: DimensionInfo
    requested: str
    metricflow_name: str
    column: str


def known_metric(compiled: Compiled, name: str) -> Any:
    """Return MetricFlow's metric of that name; raise :class:`NotFound` with the nearest names."""
    metric = compiled.metrics.get(name)
    if metric is None:
        mend = choose_from(name, list(compiled.metrics), kind="metric")
        raise NotFound(f"There is no metric `{name}`.", mend=mend)
    return metric


def dimensions_of(compiled: Compiled, metrics: Sequence[str]) -> Mapping[str, DimensionInfo]:
    """Return what all of ``metrics`` can be split by, by its unambiguous name."""
    key = ("dimensions", tuple(sorted(metrics)))
    found: Mapping[str, DimensionInfo] | None = compiled.statements.get(key)
    if found is None:
        with compiled.lock:
            found = compiled.remember(key, _dimensions(compiled, metrics))
    return found


def _dimensions(compiled: Compiled, metrics: Sequence[str]) -> dict[str, DimensionInfo]:
    from metricflow_semantic_interfaces.references import MetricReference
    from metricflow_semantics.model.linkable_element_property import GroupByItemProperty
    from metricflow_semantics.model.semantics.element_filter import GroupByItemSetFilter

    unwanted = (
        GroupByItemProperty.DERIVED_TIME_GRANULARITY,
        GroupByItemProperty.DATE_PART,
        GroupByItemProperty.LOCAL_LINKED,
        GroupByItemProperty.METRIC,
        GroupByItemProperty.METRIC_TIME,
    )
    lookup = compiled.engine._semantic_manifest_lookup.metric_lookup
    items = lookup.get_common_group_by_items(
        metric_references=tuple(MetricReference(element_name=name) for name in metrics),
        set_filter=GroupByItemSetFilter.create(any_properties_denylist=unwanted),
    )
    found = {}
    for spec in items.annotated_specs:
        info = _describe(compiled, spec)
        if info is not None:
            found[info.name] = info
    return dict(sorted(found.items()))


def _describe(compiled: Compiled, spec: Any) -> DimensionInfo | None:
    name = "__".join((*spec.entity_link_names, spec.element_name))
    model = compiled.models.get(next(iter(spec.origin_semantic_model_names), ""))
    if model is None:
        return None
    kinds: dict[str, Literal["categorical", "time", "entity"]] = {
        "ENTITY": "entity",
        "TIME_DIMENSION": "time",
        "DIMENSION": "categorical",
    }
    kind = kinds.get(spec.element_type.name)
    if kind is None:
        return None
    elements = model.entities if kind == "entity" else model.dimensions
    element = next((one for one in elements if one.name == spec.element_name), None)
    if element is None and kind != "entity":
        return None
    meta = (
        meta_of({"config": {"meta": element.config.meta}}) if element is not None and element.config else {}
    )
    label = (
        (element.label if element is not None else None)
        or meta.get("label")
        or spec.element_name.replace("_", " ")
    )
    return DimensionInfo(
        name=name,
        short=spec.element_name,
        kind=kind,
        label=str(label)[:1].upper() + str(label)[1:],
        description=(element.description if element is not None else None) or "",
        model=model.name,
        expression=(element.expr if element is not None else None) or spec.element_name,
        grain=_grain(element) if kind == "time" else None,
    )


def _grain(element: Any) -> str | None:
    return str(element.type_params.time_granularity.value) if element.type_params else None


def resolve(compiled: Compiled, metrics: Sequence[str], requested: str) -> Grouping:
    """Return what ``requested`` means for ``metrics``: a full name, or a last part that only one of them has.

    A time dimension may end in a grain. Raises :class:`NotFound` (with the nearest names), or :class:`Invalid` when
    the short name means several.
    """
    name = requested.lower()
    if name.split("__")[0] == METRIC_TIME:
        mend = "Give `grain` instead, such as month."
        raise Invalid(f"`{requested}` is asked for by its grain, not as a dimension.", mend=mend)
    known = dimensions_of(compiled, metrics)
    head, _, tail = name.rpartition("__")
    candidates: list[tuple[str, str | None]] = [(name, None)]
    if tail in GRAINS and head:
        candidates.append((head, tail))
    for candidate, grain in candidates:
        matching = [known[candidate]] if candidate in known else _short(known, candidate)
        if len(matching) > 1:
            meant = ", ".join(f"`{info.name}`" for info in matching)
            raise Invalid(f"`{requested}` may mean {meant}.", mend="Give the full name of the one you mean.")
        if matching:
            return _grouping(matching[0], requested, grain)
    names = sorted({info.short for info in known.values()} | set(known))
    what = ", ".join(f"`{metric}`" for metric in metrics)
    raise NotFound(
        f"{what} cannot be split by `{requested}`.", mend=choose_from(name, names, kind="dimension")
    )


def _short(known: Mapping[str, DimensionInfo], short: str) -> list[DimensionInfo]:
    matching = [info for info in known.values() if info.short == short]
    if len({(info.model, info.expression, info.kind) for info in matching}) == 1:
        return [min(matching, key=lambda info: (info.name.count("__"), len(info.name)))]
    # An entity and a dimension of one name: people mean the dimension, which carries its own name.
    dimensions = [info for info in matching if info.kind != "entity"]
    nearest = min((info.name.count("__") for info in dimensions), default=0)
    near = [info for info in dimensions if info.name.count("__") == nearest]
    return near if len(near) == 1 else matching


def _grouping(info: DimensionInfo, requested: str, grain: str | None) -> Grouping:
    if info.kind != "time":
        if grain is not None:
            raise Invalid(
                f"`{info.name}` is no time, so `{requested}` has no meaning.", mend=f"Use `{info.name}`."
            )
        return Grouping(info, requested, info.name, info.name)
    name = f"{info.name}__{grain or info.grain}"
    return Grouping(info, requested, name, name)


def result_names(groupings: Sequence[Grouping], metrics: Sequence[str]) -> list[str]:
    """Return the result column of each grouping: its last part where that is clear, else its full name."""
    counted = Counter(grouping.info.short for grouping in groupings)
    taken = {METRIC_TIME, *metrics}
    return [
        grouping.info.short
        if counted[grouping.info.short] == 1 and grouping.info.short not in taken
        else grouping.column
        for grouping in groupings
    ]
