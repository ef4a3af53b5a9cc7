"""Exact attribution: why a number moved, which segment moved it, and what would close a gap.

Formulas (:func:`parse_formula`), trees of formulas (:class:`Tree`), attribution of a change to inputs, leaves,
segments and both at once, and contribution analysis over many dimensions. Everything adds up, and what does not is
named ``unexplained``.
"""

from potager.engines.attribution.attribute import (
    attribute_formula,
    attribute_formula_arrays,
    attribute_tree,
)
from potager.engines.attribution.contribution import (
    ContributionAnalysis,
    SegmentFinding,
    analyze_contributions,
)
from potager.engines.attribution.formula import Formula, FormulaError, FormulaKind, parse_formula
from potager.engines.attribution.grouping import grouping_sets
from potager.engines.attribution.planning import Change, gap_to_target, what_if
from potager.engines.attribution.results import (
    ArrayAttribution,
    Attribution,
    ComponentSegmentAttribution,
    Method,
    Part,
    Reconciliation,
    SegmentAttribution,
    WhatIf,
)
from potager.engines.attribution.segments import attribute_components_by_segment, attribute_segments
from potager.engines.attribution.tree import NodeKind, Tree, TreeError, over_periods, reconcile

__all__ = [
    "ArrayAttribution",
    "Attribution",
    "Change",
    "ComponentSegmentAttribution",
    "ContributionAnalysis",
    "Formula",
    "FormulaError",
    "FormulaKind",
    "Method",
    "NodeKind",
    "Part",
    "Reconciliation",
    "SegmentAttribution",
    "SegmentFinding",
    "Tree",
    "TreeError",
    "WhatIf",
    "analyze_contributions",
    "attribute_components_by_segment",
    "attribute_formula",
    "attribute_formula_arrays",
    "attribute_segments",
    "attribute_tree",
    "gap_to_target",
    "grouping_sets",
    "over_periods",
    "parse_formula",
    "reconcile",
    "what_if",
]
