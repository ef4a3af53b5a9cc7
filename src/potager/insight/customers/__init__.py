"""Who the customers are: companies and the people in them, internal teams among them.

Words: an *account* is a company or a team, known everywhere by its one text *key*; a *person* belongs to at most one;
a *handle* is what a source knows either by (an id of its own, an e-mail address, a mail domain). A *segment* is a
condition over what is known, or a fixed list of keys. A *merge* says that two are one, and can be undone; a *sync*
brings many from a table of the lake, and can be undone as one. An erased person leaves a *tombstone*: counts stay
right, and nobody can tell who it was.
"""
