"""Revenue: what subscriptions bring each month, how it moved, and under whose rules it was counted.

Words: a *book* says which table of the lake holds subscription terms, in which currency and by which *policy* they are
counted; a *movement* is a customer's change on a day; a *month* is a customer's bridge over one. What counts is the
engine's (:mod:`potager.engines.finance`); who the customers are is left to ``customers``.
"""
