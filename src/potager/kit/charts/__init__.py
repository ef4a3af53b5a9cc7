"""Every picture Potager shows, as Vega-Lite specifications made here: the same on a page, as a file, in a notebook."""
