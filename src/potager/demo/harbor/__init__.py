"""Harbor, a digital bank for small businesses: simulated, the same every time, with one planted cause.

``generate`` makes the tables; the YAML files beside it say what is measured, how it hangs together and what its leaders
ask. What is planted is written down in ``truth``, which only the generator and the tests read.
"""
