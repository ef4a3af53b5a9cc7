"""Pure computing: plain data in, plain data out.

No Django, no input or output, no clock. Engines do not import each other. A function answers with a result
that carries its range, or with :class:`potager.engines.answers.CannotTell` and the reason.
"""
