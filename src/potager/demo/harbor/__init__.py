"""Harbor, a digital bank for small businesses: simulated, the same every time, with one planted cause."""
