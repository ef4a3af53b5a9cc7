"""Usage: what people and accounts do in a product, and what it has to do with keeping and paying.

Words: a *stream* says which table of the lake holds events and what its columns mean; a *reading* is one look at a
stream, such as a funnel, with its parameters; an *analysis* is a reading that was named and kept. Who the people and
accounts are is left to ``customers``; what an account pays is read from the revenue tables of the lake.
"""
