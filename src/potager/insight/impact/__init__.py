"""Impact: from money to behavior to bets, and back to money.

Words: an *investment* is what was paid, as a range. A *bet* is what it was paid for: a hypothesis about one governed
metric, with a range that was predicted before launch and is locked at launch. A *change* is what was shipped for it. An
*observation* is what the bet did by a day after launch, with its interval, or why that cannot be told; it is never
changed. *Outside* is a movement that is known to have come from elsewhere. Metrics and the tree are left to
``metrics``, goals to ``goals``; the arithmetic is ``potager.engines.causal``.
"""
