"""What did it do? Effects with their intervals, from the strongest evidence to the weakest, and from effects to money.

A tour, in the order in which one asks:

1. *What can the design carry?* :func:`choose_method` takes what there is (a :class:`Design`: an assignment log, a
   holdout, start dates, untreated units, only a series, only an edge of the tree, only a belief) and names the
   strongest method, with a sentence for every stronger one that was passed over.
2. *What was the effect?* Each method answers with an :class:`Effect` (estimate, interval, level, method, evidence
   class, checks, placebo coverage) or a :class:`~potager.engines.answers.CannotTell`.

   - Experiment and holdout, on sums and not rows (:class:`Arm`): :func:`compare_arms` (means, shares, ratios, CUPED,
     one- and two-sided), :func:`compare_anytime` (holds at every look), :func:`compare_shares_bayesian`;
     :func:`sample_ratio_check` guards them all.
   - Units over periods (:class:`Panel`): :func:`difference_in_differences`, :func:`staggered_effect` (units that
     started at different times), :func:`synthetic_control`, :func:`synthetic_did`.
   - One series: :func:`interrupted_series`, with controls that were not reached.

3. *Would the method have found an effect where there was none?* The panel and series methods put fake dates and fake
   units to themselves and carry the :class:`PlaceboCoverage`; :func:`run_placebos` does the same for any other method.
4. *What is it in money?* :func:`chain_to_money` carries the interval through :class:`Hop` after hop and names the
   weakest; :func:`estimate_decay` and :func:`decay_factors` say what wears off. Present-value factors are an input.
5. *Who may claim it?* :func:`settle_claims`: claims + outside + unexplained = observed movement, and no euro twice.
   :func:`shrink` corrects a group of estimates for the winner's curse.
6. *How good are we at this?* :func:`calibrate` judges predicted ranges as a group; :func:`value_of_testing` says
   whether a test is worth its price.

Everything is plain data in and plain data out: no clock, no files; chance only from a seed that is an argument. Scipy
and statsmodels are imported when first needed.
"""

from potager.engines.causal.arms import Arm, arm_of_rows, share_arm
from potager.engines.causal.bayesian import BayesianEffect, compare_shares_bayesian
from potager.engines.causal.calibration import Calibration, Prediction, calibrate, interval_score
from potager.engines.causal.chain import ChainEffect, Hop, HopShare, chain_to_money
from potager.engines.causal.choose import Choice, Design, Method, choose_method
from potager.engines.causal.claims import Claim, Ledger, Settled, settle_claims
from potager.engines.causal.decay import DecayEffect, decay_factors, estimate_decay
from potager.engines.causal.did import difference_in_differences
from potager.engines.causal.experiment import (
    ExperimentEffect,
    RelativeLift,
    compare_anytime,
    compare_arms,
    sample_ratio_check,
)
from potager.engines.causal.information import ValueOfTesting, unit_normal_loss, value_of_testing
from potager.engines.causal.interrupted import InterruptedEffect, interrupted_series
from potager.engines.causal.panel import Panel, panel_of
from potager.engines.causal.placebo import coverage_of, run_placebos
from potager.engines.causal.results import (
    EVIDENCE_ORDER,
    Check,
    Effect,
    EvidenceClass,
    PlaceboCoverage,
    Sides,
    weakest,
)
from potager.engines.causal.shrinkage import (
    Shrinkage,
    Shrunken,
    dersimonian_laird,
    paule_mandel,
    shrink,
)
from potager.engines.causal.staggered import (
    AverageEffect,
    GroupTimeEffect,
    StaggeredEffect,
    staggered_effect,
)
from potager.engines.causal.structural import Trend
from potager.engines.causal.synthetic import (
    SyntheticEffect,
    SyntheticWeight,
    synthetic_control,
    synthetic_did,
)

__all__ = [
    "EVIDENCE_ORDER",
    "Arm",
    "AverageEffect",
    "BayesianEffect",
    "Calibration",
    "ChainEffect",
    "Check",
    "Choice",
    "Claim",
    "DecayEffect",
    "Design",
    "Effect",
    "EvidenceClass",
    "ExperimentEffect",
    "GroupTimeEffect",
    "Hop",
    "HopShare",
    "InterruptedEffect",
    "Ledger",
    "Method",
    "Panel",
    "PlaceboCoverage",
    "Prediction",
    "RelativeLift",
    "Settled",
    "Shrinkage",
    "Shrunken",
    "Sides",
    "StaggeredEffect",
    "SyntheticEffect",
    "SyntheticWeight",
    "Trend",
    "ValueOfTesting",
    "arm_of_rows",
    "calibrate",
    "chain_to_money",
    "choose_method",
    "compare_anytime",
    "compare_arms",
    "compare_shares_bayesian",
    "coverage_of",
    "decay_factors",
    "dersimonian_laird",
    "difference_in_differences",
    "estimate_decay",
    "interrupted_series",
    "interval_score",
    "panel_of",
    "paule_mandel",
    "run_placebos",
    "sample_ratio_check",
    "settle_claims",
    "share_arm",
    "shrink",
    "staggered_effect",
    "synthetic_control",
    "synthetic_did",
    "unit_normal_loss",
    "value_of_testing",
    "weakest",
]
