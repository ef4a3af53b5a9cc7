"""A real online wholesaler: the "Online Retail" file of the UCI repository (Chen, 2015; CC BY 4.0), as downloaded.

``columns`` says which column becomes what; the YAML files beside it say what is measured, how it hangs together
and what the wholesaler's leaders ask. The file itself is not shipped.
"""
