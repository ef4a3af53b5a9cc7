"""Strategic questions and their answers.

Words: a *question* has a decider, the decision it feeds, a *recipe* with slots, an answer rule and a pre-agreed
action per verdict; an *answer* is a verdict and a sentence with evidence, range, freshness, confidence and a
*receipt* that re-runs; a *refusal* is a proper answer. Definitions and values are left to ``metrics``.
"""
